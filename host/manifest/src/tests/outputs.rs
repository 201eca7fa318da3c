//! Outputs.

use super::*;

/// Returns the errors of one output whose lines start at line 5.
fn output_errors(lines: &str) -> String {
    errors(&format!("layers.a.source = \"a/*\"\n[outputs.x]\n{lines}"))
}

#[test]
fn outputs_keep_the_order_of_the_file_and_their_settings() {
    let text = "layers.a.source = \"a/*\"\n[outputs.z]\nlayers = [\"a\"]\nformat = \"document\"\npath = \"memory.md\"\nmax_bytes = 4000\n[outputs.b]\nlayers = [\"a\"]\nformat = \"files\"\npath = \"notes/all\"\n";
    let pipeline = parse(&format!("{HEAD}{text}")).unwrap();
    let names: Vec<&str> = pipeline
        .outputs
        .iter()
        .map(|output| output.name.as_str())
        .collect();
    assert_eq!(names, ["z", "b"]);
    assert_eq!(pipeline.outputs[0].settings.max_bytes, Some(4000));
    assert_eq!(pipeline.outputs[1].format, OutputFormat::Files);
}

#[test]
fn an_invalid_output_is_an_error_at_its_location() {
    for (lines, message) in [
        (
            "layers = []\nformat = \"csv\"\npath = \"x\"\n",
            "5:10: `outputs.x.layers` must not be empty",
        ),
        (
            "layers = [\"a\", \"aa\"]\nformat = \"csv\"\npath = \"x\"\n",
            "5:16: unknown layer `aa` of output `x` (did you mean `a`?)",
        ),
        (
            "layers = [\"a\", \"a\"]\nformat = \"csv\"\npath = \"x\"\n",
            "5:16: layer `a` of output `x` is listed twice",
        ),
        (
            "layers = [\"a\"]\nformat = \"xlsx\"\npath = \"x\"\n",
            "6:10: `outputs.x.format` must be \"document\" or \"files\" or \"jsonl\" or \"csv\" or \"parquet\" or \"search\" or \"croissant\"",
        ),
        (
            "layers = [\"a\"]\nformat = \"csv\"\n",
            "4:1: missing key `path` in [outputs.x]",
        ),
        (
            "layers = [\"a\"]\nformat = \"csv\"\npath = \"x\"\nmax_bytes = 2000\n",
            "8:1: `max_bytes` is only allowed in outputs with the format `document`",
        ),
        (
            "layers = [\"a\"]\nformat = \"csv\"\npath = \"x\"\nfrom = 1\n",
            "8:1: unknown key `from` in [outputs.x]",
        ),
    ] {
        assert_eq!(output_errors(lines), message, "{lines}");
    }
}

#[test]
fn a_path_stays_in_the_release_and_is_safe_on_every_file_system() {
    let path_errors = |path: &str| {
        output_errors(&format!(
            "layers = [\"a\"]\nformat = \"csv\"\npath = '{path}'\n"
        ))
    };
    for good in ["memory.md", "a/b.csv", "a-b_c.2/X", "console.txt"] {
        assert_eq!(path_errors(good), "", "{good}");
    }
    for bad in [
        "",
        "/etc/x",
        "../x",
        "a/../../x",
        "a//b",
        "a/",
        "./a",
        "a\\b",
        "C:x",
        "a:b",
        ".hidden",
        "-x",
        "a./b",
        "a ",
        "é",
        "con",
        "a/AUX.md",
        "com1",
        "receipt.json",
        "Receipt.JSON",
        "a*",
    ] {
        let found = path_errors(bad);
        assert!(found.contains("`outputs.x.path` must"), "{bad}: {found}");
    }
}

#[test]
fn no_two_outputs_have_the_same_or_nested_paths() {
    for (other, overlaps) in [
        ("data/x.csv", true),
        ("DATA/X.csv", true),
        ("data", true),
        ("data/x.csv/y", true),
        ("data/x.csv2", false),
        ("data2", false),
    ] {
        let found = errors(&format!(
            "layers.a.source = \"a/*\"\n[outputs.x]\nlayers = [\"a\"]\nformat = \"csv\"\npath = \"data/x.csv\"\n[outputs.y]\nlayers = [\"a\"]\nformat = \"csv\"\npath = \"{other}\"\n"
        ));
        assert_eq!(
            found.contains("the path of output `x`"),
            overlaps,
            "{found}"
        );
    }
}
