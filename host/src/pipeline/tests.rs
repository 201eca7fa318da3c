use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::mangle;
use crate::request::Wire;

/// Every sort of table; a seed of the fuzz target, too.
const EVERYTHING: &str = include_str!("../../../fuzz/seeds/pipeline/everything.toml");

const HEAD: &str = "pipeline.name = \"p\"\n\n";
const GOOD: &str = r#"
[pipeline]
name = "team-report"

[providers.openai]
base_url = "http://127.0.0.1:8181/v1"
batch = true

[models.default]
provider = "anthropic"
model = "claude-haiku-4-5"
max_tokens = 1024
temperature = 0.3

[models.cheap]
provider = "openai"
model = "gpt-4o-mini"

[layers.team-summary]
transform = "./plugins/mine.wasm"
inputs = ["work-styles"]
batch = false

[layers.bios]
source = "sources/bios/*.md"

[layers.work-styles]
transform = "map"
inputs = ["bios"]
model = "cheap"
batch = true
accept = ["truncated"]

[layers.work-styles.config]
prompt_file = "prompts/work-style.md"
label = "ws-{{ label }}"

[layers.work-styles.limits]
memory_mb = 64
"#;

/// Returns what is wrong with a file that starts with two lines of [`HEAD`].
fn errors(rest: &str) -> String {
    match parse(&format!("{HEAD}{rest}")) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

/// Returns what is wrong with a transform that has these lines from line 6 on.
fn transform_errors(lines: &str) -> String {
    errors(&format!(
        "layers.a.source = \"a/*\"\n[layers.b]\ntransform = \"map\"\n{lines}"
    ))
}

#[test]
fn layers_come_in_order_with_their_settings() {
    let pipeline = parse(GOOD).unwrap();
    let names: Vec<&str> = pipeline
        .layers
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names, ["bios", "work-styles", "team-summary"]);
    let styles = pipeline.layers[1].transform().unwrap();
    assert_eq!(styles.transform, TransformRef::FirstParty("map".to_owned()));
    assert_eq!(styles.inputs, [0]);
    assert_eq!(styles.batch, BatchChoice::Always);
    assert_eq!(styles.min_batch, 2);
    assert_eq!(styles.accept, [Ending::Truncated]);
    assert_eq!(styles.limits.memory_mb, Some(64));
    assert_eq!(styles.config["label"], json!("ws-{{ label }}"));
    let summary = pipeline.layers[2].transform().unwrap();
    assert_eq!(
        summary.transform,
        TransformRef::File("./plugins/mine.wasm".to_owned())
    );
    assert_eq!(
        (summary.batch, summary.inputs.as_slice()),
        (BatchChoice::Never, &[1][..])
    );
    assert_eq!(pipeline.dependants(0), BTreeSet::from([1, 2]));
}

#[test]
fn a_layer_without_model_has_the_default_role() {
    let pipeline = parse(GOOD).unwrap();
    let role = |layer: usize| {
        pipeline
            .role(&pipeline.layers[layer])
            .map(|role| role.name.as_str())
    };
    assert_eq!(
        (role(0), role(1), role(2)),
        (None, Some("cheap"), Some("default"))
    );
}

#[test]
fn both_providers_are_there_without_being_written() {
    let pipeline = parse(GOOD).unwrap();
    let anthropic = &pipeline.providers["anthropic"];
    assert_eq!(
        anthropic,
        &ProviderProfile::new("anthropic", Wire::Anthropic)
    );
    assert_eq!(
        (anthropic.url(), anthropic.key_variable()),
        ("https://api.anthropic.com", "ANTHROPIC_API_KEY")
    );
    let openai = &pipeline.providers["openai"];
    assert_eq!(
        (openai.url(), openai.batch),
        ("http://127.0.0.1:8181/v1", Some(true))
    );
    assert_eq!(openai.look_again, [1, 2, 4, 8].map(Duration::from_secs));
}

#[test]
fn times_are_written_in_seconds() {
    let text =
        "[providers.openai]\nlook_again = [0, 0.5]\ntimeout = 2\n[layers.a]\nsource = \"a/*\"\n";
    let pipeline = parse(&format!("{HEAD}{text}")).unwrap();
    let openai = &pipeline.providers["openai"];
    assert_eq!(
        openai.look_again,
        [Duration::ZERO, Duration::from_millis(500)]
    );
    assert_eq!(openai.timeout, Duration::from_secs(2));
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_one() {
    for (rest, message) in [
        (
            "inputs = [\"a\"]\nmodle = \"m\"\n",
            "7:1: unknown key `modle` in [layers.b] (did you mean `model`?)",
        ),
        (
            "inputs = [\"a\"]\nlimits.memroy_mb = 1\n",
            "7:8: unknown key `memroy_mb` in [layers.b.limits] (did you mean `memory_mb`?)",
        ),
        (
            "inputs = [\"a\"]\nxyz = 1\n",
            "7:1: unknown key `xyz` in [layers.b]",
        ),
        (
            "inputs = [\"a\"]\n[provider.x]\n",
            "7:2: unknown key `provider` (did you mean `providers`?)",
        ),
        (
            "inputs = [\"a\"]\n[models.m]\nprovider = \"openai\"\nmodel = \"m\"\ntemprature = 1\n",
            "10:1: unknown key `temprature` in [models.m] (did you mean `temperature`?)",
        ),
        (
            "inputs = [\"a\"]\n[providers.openai]\nbase-url = \"http://x\"\n",
            "8:1: unknown key `base-url` in [providers.openai] (did you mean `base_url`?)",
        ),
    ] {
        assert_eq!(transform_errors(rest), message);
    }
}

#[test]
fn a_value_of_another_type_is_an_error_at_the_value() {
    for (rest, message) in [
        (
            "inputs = \"a\"\n",
            "6:10: `layers.b.inputs` must be a list, not a text",
        ),
        (
            "inputs = [1]\n",
            "6:11: `layers.b.inputs.0` must be a text, not a whole number",
        ),
        (
            "inputs = [\"a\"]\nmin_batch = 1.5\n",
            "7:13: `layers.b.min_batch` must be a whole number, not a number",
        ),
        (
            "inputs = [\"a\"]\nmin_batch = 0\n",
            "7:13: `layers.b.min_batch` must be at least 1",
        ),
        (
            "inputs = [\"a\"]\nmin_batch = 5000000000\n",
            "7:13: `layers.b.min_batch` must be at most 4294967295",
        ),
        (
            "inputs = [\"a\"]\nbatch = \"yes\"\n",
            "7:9: `layers.b.batch` must be \"auto\" or true or false",
        ),
        (
            "inputs = [\"a\"]\naccept = [\"refused\"]\n",
            "7:11: `layers.b.accept.0` must be \"truncated\"",
        ),
        (
            "inputs = [\"a\"]\nconfig = 3\n",
            "7:10: `layers.b.config` must be a table, not a whole number",
        ),
        (
            "inputs = [\"a\"]\nlimits = 3\n",
            "7:10: `layers.b.limits` must be a table, not a whole number",
        ),
        (
            "inputs = [\"a\"]\n[providers.openai]\napi = \"cohere\"\n",
            "8:7: `providers.openai.api` must be \"openai\" or \"anthropic\"",
        ),
        (
            "inputs = [\"a\"]\n[providers.openai]\napi = 1\n",
            "8:7: `providers.openai.api` must be \"openai\" or \"anthropic\"",
        ),
        (
            "inputs = [\"a\"]\n[providers.openai]\nbatch_api = \"gorq\"\n",
            "8:13: `providers.openai.batch_api` must be \"openai\" or \"azure\" or \"groq\" or \"together\" or \"mistral\"",
        ),
        (
            "inputs = [\"a\"]\n[providers.openai]\nbatch_apy = \"groq\"\n",
            "8:1: unknown key `batch_apy` in [providers.openai] (did you mean `batch_api`?)",
        ),
        (
            "inputs = [\"a\"]\n[providers.anthropic]\nbatch_api = \"groq\"\n",
            "8:1: `batch_api` is for `api = \"openai\"` only",
        ),
        (
            "inputs = [\"a\"]\n[providers.openai]\nlook_again = [-1]\n",
            "8:15: `providers.openai.look_again.0` must be at least 0",
        ),
        (
            "inputs = [\"a\"]\n[models.m]\nprovider = \"openai\"\nmodel = \"m\"\nmax_tokens = 0\ntemperature = 2.5\n",
            "10:14: `models.m.max_tokens` must be at least 1\n11:15: `models.m.temperature` must be at most 2",
        ),
    ] {
        assert_eq!(transform_errors(rest), message);
    }
}

#[test]
fn a_missing_key_is_an_error_at_its_table() {
    assert_eq!(
        transform_errors(""),
        "4:1: missing key `inputs` in [layers.b]"
    );
    assert_eq!(
        errors("[models.m]\nmodel = \"x\"\n[layers.a]\nsource = \"a/*\"\n"),
        "3:1: missing key `provider` in [models.m]"
    );
    assert_eq!(
        parse("[layers.a]\nsource = \"a/*\"\n")
            .unwrap_err()
            .to_string(),
        "1:1: missing key `pipeline`"
    );
    assert_eq!(
        parse("[pipeline]\n[layers.a]\nsource = \"a/*\"\n")
            .unwrap_err()
            .to_string(),
        "1:1: missing key `name` in [pipeline]"
    );
    assert_eq!(errors(""), "1:1: the pipeline has no layers");
    assert_eq!(
        errors("[providers.local]\nbase_url = \"http://x\"\n[layers.a]\nsource = \"a/*\"\n"),
        "3:1: missing key `api` in [providers.local] (only `openai` and `anthropic` are known without it)"
    );
}

#[test]
fn a_layer_is_either_a_source_or_a_transform() {
    assert_eq!(
        errors("[layers.a]\nsource = \"a/*\"\ntransform = \"map\"\n"),
        "5:1: only one of `source`, `transform` may stand in [layers.a]"
    );
    assert_eq!(
        errors("[layers.a]\n"),
        "3:1: missing key: one of `source`, `transform` in [layers.a]"
    );
    assert_eq!(
        errors("[layers.a]\nsource = \"a/*\"\nrevision = \"2\"\nconfig = {}\n"),
        "5:1: `revision` is for transforms only\n6:1: `config` is for transforms only"
    );
    assert_eq!(
        transform_errors("inputs = [\"a\"]\nkind = \"x\"\n"),
        "7:1: `kind` is for sources only"
    );
}

#[test]
fn an_input_is_another_layer_named_once() {
    for (rest, message) in [
        ("inputs = []\n", "6:10: `layers.b.inputs` must not be empty"),
        (
            "inputs = [\"a\", \"b\"]\n",
            "6:16: layer `b` is its own input",
        ),
        (
            "inputs = [\"a\", \"a\"]\n",
            "6:16: input `a` of layer `b` is named twice",
        ),
        (
            "inputs = [\"nothing\"]\n",
            "6:11: unknown input `nothing` of layer `b`",
        ),
    ] {
        assert_eq!(transform_errors(rest), message);
    }
    assert_eq!(
        errors(
            "[layers.notes]\nsource = \"a/*\"\n[layers.b]\ntransform = \"map\"\ninputs = [\n  \"ntoes\",\n]\n"
        ),
        "8:3: unknown input `ntoes` of layer `b` (did you mean `notes`?)"
    );
}

#[test]
fn a_cycle_names_its_layers() {
    assert_eq!(
        errors(
            "[layers.x]\ntransform = \"map\"\ninputs = [\"z\"]\n[layers.y]\ntransform = \"map\"\ninputs = [\"x\"]\n\
             [layers.z]\ntransform = \"map\"\ninputs = [\"y\"]\n[layers.below]\ntransform = \"map\"\ninputs = [\"z\"]\n"
        ),
        "5:10: layers form a cycle: x -> y -> z -> x"
    );
}

#[test]
fn a_name_that_refers_to_nothing_is_an_error() {
    assert_eq!(
        transform_errors(
            "inputs = [\"a\"]\nmodel = \"cheep\"\n[models.cheap]\nprovider = \"openia\"\nmodel = \"m\"\n"
        ),
        "7:9: unknown model role `cheep` (did you mean `cheap`?)\n9:12: unknown provider `openia` (did you mean `openai`?)"
    );
}

#[test]
fn a_wrong_part_does_not_hide_what_is_wrong_elsewhere() {
    assert_eq!(
        transform_errors(
            "inputs = [\"a\", \"c\"]\nmodel = \"m\"\nmodle = 1\nmin_batch = \"x\"\n[layers.c]\n[models.m]\nprovider = 3\nmodel = \"m\"\n"
        ),
        "8:1: unknown key `modle` in [layers.b] (did you mean `model`?)\n\
         9:13: `layers.b.min_batch` must be a whole number, not a text\n\
         10:1: missing key: one of `source`, `transform` in [layers.c]\n\
         12:12: `models.m.provider` must be a text, not a whole number"
    );
}

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

#[test]
fn the_seed_of_the_fuzz_target_is_a_good_file() {
    assert_eq!(parse(EVERYTHING).unwrap().layers.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_parse_panic(text in ".{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_change_to_a_good_file_makes_parse_panic(at in 0..GOOD.len(), length in 0_usize..30, new in "[\\[\\]{}\"=.a-z0-9\\n]{0,6}") {
        let before: String = GOOD.chars().take(at).collect();
        let after: String = GOOD.chars().skip(at + length).collect();
        if let Err(errors) = parse(&format!("{before}{new}{after}")) {
            prop_assert!(!errors.as_slice().is_empty());
        }
    }

    #[test]
    fn a_changed_file_is_a_pipeline_that_fits_together_or_errors(edits in mangle::edits()) {
        for good in [GOOD, EVERYTHING] {
            let text = mangle::changed(good.as_bytes(), &edits);
            match parse(&String::from_utf8_lossy(&text)) {
                Err(errors) => prop_assert!(!errors.as_slice().is_empty()),
                Ok(pipeline) => {
                    let count = pipeline.layers.len();
                    for (position, layer) in pipeline.layers.iter().enumerate() {
                        let inputs = layer.transform().map_or(&[][..], |made| &made.inputs);
                        prop_assert!(inputs.iter().all(|&input| input < count && input != position));
                    }
                }
            }
        }
    }
}
