//! References between layers.

use super::*;

#[test]
fn a_layer_is_either_a_source_or_a_transform() {
    assert_eq!(
        errors("[layers.a]\nsource = \"a/*\"\ntransform = \"map\"\n"),
        "5:1: `source` and `transform` are mutually exclusive in [layers.a]"
    );
    assert_eq!(
        errors("[layers.a]\n"),
        "3:1: missing key: `source` or `transform` in [layers.a]"
    );
    assert_eq!(
        errors("[layers.a]\nsource = \"a/*\"\nrevision = \"2\"\nconfig = {}\n"),
        "5:1: `revision` is only allowed in transforms\n6:1: `config` is only allowed in sources whose `read` names a reader"
    );
    assert_eq!(
        transform_errors("inputs = [\"a\"]\nkind = \"x\"\n"),
        "7:1: `kind` is only allowed in sources"
    );
}

#[test]
fn an_input_must_be_a_different_layer_and_occur_once() {
    for (rest, message) in [
        ("inputs = []\n", "6:10: `layers.b.inputs` must not be empty"),
        (
            "inputs = [\"a\", \"b\"]\n",
            "6:16: layer `b` is its own input",
        ),
        (
            "inputs = [\"a\", \"a\"]\n",
            "6:16: input `a` of layer `b` is listed twice",
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
fn the_error_for_a_cycle_names_its_layers() {
    assert_eq!(
        errors(
            "[layers.x]\ntransform = \"map\"\ninputs = [\"z\"]\n[layers.y]\ntransform = \"map\"\ninputs = [\"x\"]\n\
             [layers.z]\ntransform = \"map\"\ninputs = [\"y\"]\n[layers.below]\ntransform = \"map\"\ninputs = [\"z\"]\n"
        ),
        "5:10: layers form a cycle: x -> y -> z -> x"
    );
}

#[test]
fn an_unknown_name_is_an_error() {
    assert_eq!(
        transform_errors(
            "inputs = [\"a\"]\nmodel = \"cheep\"\n[models.cheap]\nprovider = \"openia\"\nmodel = \"m\"\n"
        ),
        "7:9: unknown model role `cheep` (did you mean `cheap`?)\n9:12: unknown provider `openia` (did you mean `openai`?)"
    );
}
