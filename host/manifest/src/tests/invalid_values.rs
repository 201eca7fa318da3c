//! Invalid values.

use super::*;

#[test]
fn an_invalid_glob_is_an_error() {
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
            "4:10: `layers.a.source` is not a valid glob: unclosed character class; missing ']'",
        ),
        (
            "a\\u0000",
            "4:10: `layers.a.source` contains a NUL character",
        ),
    ] {
        assert_eq!(
            errors(&format!("[layers.a]\nsource = \"{glob}\"\n")),
            message
        );
    }
}

#[test]
fn an_invalid_reference_to_a_transform_is_an_error() {
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
            "4:13: transform \"two words\" must consist of letters, digits, '-', '_' and '.', and start with a letter or digit",
        ),
    ] {
        let text = format!(
            "[layers.b]\ntransform = \"{transform}\"\ninputs = [\"a\"]\n[layers.a]\nsource = \"a/*\"\n"
        );
        assert_eq!(errors(&text), message);
    }
}

#[test]
fn an_invalid_provider_setting_is_an_error() {
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
            "4:12: `providers.openai.base_url` must not contain a credential; name its variable in `api_key_env`",
        ),
        (
            "base_url = \"http://a/v1?x\"",
            "4:12: `providers.openai.base_url` must consist of a scheme, a host and a path",
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

/// C4.
#[test]
fn batch_true_without_the_batch_api_is_an_error() {
    let model = "[models.default]\nprovider = \"openai\"\nmodel = \"m\"\n";
    let layer = "inputs = [\"a\"]\nbatch = true\n";
    assert_eq!(transform_errors(&format!("{layer}{model}")), "");
    assert_eq!(
        transform_errors(&format!(
            "{layer}{model}[providers.openai]\nbase_url = \"http://x/v1\"\n"
        )),
        "7:9: layer `b` says `batch = true`, but it is unknown whether the provider `openai` has the Batch API at this URL \
         (set `batch = true` in [providers.openai] if it does)"
    );
    assert_eq!(
        transform_errors(&format!("{layer}{model}batch = false\n")),
        "7:9: layer `b` says `batch = true`, but the model role `default` says `batch = false`"
    );
    assert_eq!(
        transform_errors(&format!(
            "{layer}{model}[providers.openai]\nbatch = false\n"
        )),
        "7:9: layer `b` says `batch = true`, but the provider `openai` says `batch = false`"
    );
}

#[test]
fn the_caller_checks_a_provider_that_the_environment_redirects() {
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
fn a_config_may_only_contain_json_values() {
    assert_eq!(
        transform_errors(
            "inputs = [\"a\"]\n[layers.b.config]\na = 2026-01-02\nb = [9007199254740993]\nc = inf\n"
        ),
        "8:5: `layers.b.config.a` is a date or time, which JSON does not support; write it in quotes\n\
         9:6: `layers.b.config.b.0` cannot be used: the number 9007199254740993 does not fit into a double; write it as a string\n\
         10:5: `layers.b.config.c` is not a finite number, which JSON does not support; write it in quotes"
    );
}

#[test]
fn the_error_for_a_missing_default_role_is_at_the_transform() {
    let text = format!(
        "{HEAD}layers.a.source = \"a/*\"\n[layers.b]\ntransform = \"mpa\"\ninputs = [\"a\"]\n"
    );
    let pipeline = parse(&text).unwrap();
    let layer = &pipeline.layers[1];
    assert_eq!(pipeline.role(layer), None);
    assert_eq!(
        pipeline.no_role_error(layer, Capability::Llm).to_string(),
        "5:13: layer `b` uses a model, but there is no model role `default` \
         (add [models.default] or name a role: `model = \"…\"`)"
    );
    assert_eq!(
        pipeline
            .unknown_plugin_error(layer, ["map", "reduce"])
            .to_string(),
        "5:13: unknown transform `mpa` (did you mean `map`?)"
    );
}

#[test]
fn an_invalid_name_is_an_error_at_the_name() {
    assert_eq!(
        errors("[layers.\"a b\"]\nsource = \"a/*\"\n"),
        "3:9: layer \"a b\" must consist of letters, digits, '-', '_' and '.', and start with a letter or digit"
    );
}
