//! Values that mean nothing or too much.

use super::*;

#[test]
fn a_glob_that_leaves_the_folder_is_an_error() {
    for (glob, message) in [
        (
            "../*.md",
            "4:10: `layers.a.source` leaves the project folder",
        ),
        (
            "/x/*.md",
            "4:10: `layers.a.source` is absolute; write it relative to the pipeline file",
        ),
        (
            "a/[.md",
            "4:10: `layers.a.source` is not a glob: unclosed character class; missing ']'",
        ),
        ("a\\u0000", "4:10: `layers.a.source` holds a NUL character"),
    ] {
        assert_eq!(
            errors(&format!("[layers.a]\nsource = \"{glob}\"\n")),
            message
        );
    }
}

#[test]
fn a_transform_is_a_name_or_a_relative_path() {
    for (transform, message) in [
        (
            "/x/y.wasm",
            "4:13: `layers.b.transform` must be relative to the pipeline file",
        ),
        (
            "./a\\\\b.wasm",
            "4:13: `layers.b.transform` must separate folders by `/`",
        ),
        (
            "two words",
            "4:13: transform \"two words\" may hold letters, digits, '-', '_' and '.' and starts with a letter or digit",
        ),
    ] {
        let text = format!(
            "[layers.b]\ntransform = \"{transform}\"\ninputs = [\"a\"]\n[layers.a]\nsource = \"a/*\"\n"
        );
        assert_eq!(errors(&text), message);
    }
}

#[test]
fn a_base_url_holds_no_credential_and_a_key_variable_is_a_name() {
    for (line, message) in [
        (
            "base_url = \"localhost:1\"",
            "4:12: `providers.openai.base_url` must start with `https://` or `http://`",
        ),
        (
            "base_url = \"http:///v1\"",
            "4:12: `providers.openai.base_url` must name a host",
        ),
        (
            "base_url = \"http://a:b@c/v1\"",
            "4:12: `providers.openai.base_url` must not hold a credential; name its variable in `api_key_env`",
        ),
        (
            "base_url = \"http://a/v1?x\"",
            "4:12: `providers.openai.base_url` must hold only a scheme, a host and a path",
        ),
        (
            "api_key_env = \"sk-secret\"",
            "4:15: `providers.openai.api_key_env` must be the name of an environment variable, not the key itself",
        ),
    ] {
        assert_eq!(
            errors(&format!(
                "[providers.openai]\n{line}\n[layers.a]\nsource = \"a/*\"\n"
            )),
            message
        );
    }
}

/// C4: `batch = true` needs a provider that has the Batch API.
#[test]
fn insisting_on_batches_where_there_are_none_is_an_error() {
    let model = "[models.default]\nprovider = \"openai\"\nmodel = \"m\"\n";
    let insist = "inputs = [\"a\"]\nbatch = true\n";
    assert_eq!(transform_errors(&format!("{insist}{model}")), "");
    assert_eq!(
        transform_errors(&format!(
            "{insist}{model}[providers.openai]\nbase_url = \"http://x/v1\"\n"
        )),
        "7:9: layer `b` says `batch = true`, but nothing says that the provider `openai` has the Batch API at this URL \
         (write `batch = true` in [providers.openai] if it has)"
    );
    assert_eq!(
        transform_errors(&format!("{insist}{model}batch = false\n")),
        "7:9: layer `b` says `batch = true`, but the model role `default` says `batch = false`"
    );
    assert_eq!(
        transform_errors(&format!(
            "{insist}{model}[providers.openai]\nbatch = false\n"
        )),
        "7:9: layer `b` says `batch = true`, but the provider `openai` says `batch = false`"
    );
}

#[test]
fn a_provider_that_the_environment_moved_is_checked_by_the_caller() {
    let text = format!(
        "{HEAD}layers.a.source = \"a/*\"\n[layers.b]\ntransform = \"map\"\ninputs = [\"a\"]\nbatch = true\n\
         [models.default]\nprovider = \"openai\"\nmodel = \"m\"\n"
    );
    let pipeline = parse(&text).unwrap();
    assert_eq!(pipeline.check_batch(|_| false), []);
    assert_eq!(
        pipeline.check_batch(|provider| provider.name == "openai")[0].line,
        7
    );
}

#[test]
fn config_holds_only_what_json_holds() {
    assert_eq!(
        transform_errors(
            "inputs = [\"a\"]\n[layers.b.config]\na = 2026-01-02\nb = [9007199254740993]\nc = inf\n"
        ),
        "8:5: `layers.b.config.a` is a date or time, which JSON does not have; write it in quotes\n\
         9:6: `layers.b.config.b.0` cannot be used: the number 9007199254740993 does not fit a double; write it as a string\n\
         10:5: `layers.b.config.c` is no finite number, which JSON does not have; write it in quotes"
    );
}

#[test]
fn a_missing_default_role_is_placed_at_the_transform() {
    let text = format!(
        "{HEAD}layers.a.source = \"a/*\"\n[layers.b]\ntransform = \"mpa\"\ninputs = [\"a\"]\n"
    );
    let pipeline = parse(&text).unwrap();
    let layer = &pipeline.layers[1];
    assert_eq!(pipeline.role(layer), None);
    assert_eq!(
        pipeline.no_role_error(layer).to_string(),
        "5:13: layer `b` asks a model, but there is no model role `default` \
         (write [models.default] or name a role: `model = \"…\"`)"
    );
    assert_eq!(
        pipeline
            .unknown_transform_error(layer, ["map", "reduce"])
            .to_string(),
        "5:13: unknown transform `mpa` (did you mean `map`?)"
    );
}

#[test]
fn a_name_that_breaks_the_rule_is_an_error_at_the_name() {
    assert_eq!(
        errors("[layers.\"a b\"]\nsource = \"a/*\"\n"),
        "3:9: layer \"a b\" may hold letters, digits, '-', '_' and '.' and starts with a letter or digit"
    );
}
