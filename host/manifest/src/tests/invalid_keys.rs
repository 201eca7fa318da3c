//! Unknown keys, missing keys and values of the wrong type.

use super::*;

#[test]
fn the_error_for_an_unknown_key_suggests_the_nearest_one() {
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
fn a_value_of_the_wrong_type_is_an_error_at_the_value() {
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
            "8:1: `batch_api` is only allowed in providers with `api = \"openai\"`",
        ),
        (
            "inputs = [\"a\"]\n[providers.openai]\nlook_again = [-1]\n",
            "8:15: `providers.openai.look_again.0` must be at least 0",
        ),
        (
            "inputs = [\"a\"]\n[models.m]\nprovider = \"openai\"\nmodel = \"m\"\nmax_tokens = 0\ntemperature = 2.5\ncontext_window = 0\n",
            "10:14: `models.m.max_tokens` must be at least 1\n11:15: `models.m.temperature` must be at most 2\n12:18: `models.m.context_window` must be at least 1",
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
        "3:1: missing key `api` in [providers.local] (only `openai` and `anthropic` have a default)"
    );
}

#[test]
fn an_error_does_not_hide_errors_elsewhere() {
    assert_eq!(
        transform_errors(
            "inputs = [\"a\", \"c\"]\nmodel = \"m\"\nmodle = 1\nmin_batch = \"x\"\n[layers.c]\n[models.m]\nprovider = 3\nmodel = \"m\"\n"
        ),
        "8:1: unknown key `modle` in [layers.b] (did you mean `model`?)\n\
         9:13: `layers.b.min_batch` must be a whole number, not a text\n\
         10:1: missing key: `source` or `transform` in [layers.c]\n\
         12:12: `models.m.provider` must be a text, not a whole number"
    );
}
