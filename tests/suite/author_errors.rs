//! What a fault in a plugin looks like to its author: once, in the author's own file and line.

use std::fs;
use std::path::Path;

use crate::languages::{plugin, scaffold, succeeds};
use crate::workbench::Run;

/// Returns the number of the first line that holds a text.
#[track_caller]
fn line_of(text: &str, part: &str) -> usize {
    let found = text.lines().position(|line| line.contains(part));
    found.unwrap_or_else(|| panic!("no line has {part}")) + 1
}

fn run(folder: &Path, component: &str, note: &str, reply: &str) -> Run {
    let input = folder.join("note.md");
    fs::write(&input, note).unwrap();
    let arguments = ["run", component, "--reply", reply, "--input"];
    Run::of(&mut plugin(&arguments, &input))
}

/// U7: a trace names the author's file, and comes once.
#[test]
fn a_fault_in_javascript_and_typescript_points_into_the_authors_file_once() {
    for (language, file, signature) in [
        ("js", "plugin.js", "function ask(text) {\n"),
        ("ts", "plugin.ts", "function ask(text: string): string {\n"),
    ] {
        let folder = scaffold(language);
        let path = folder.path().join(file);
        let faults = "  if (text.includes(\"THROW\"))\n    throw new RangeError(\n      \"on purpose\",\n    );\n  \
             if (text.includes(\"NULL\")) {\n    const nothing = JSON.parse(\"null\");\n    return nothing\n      .first;\n  }\n";
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(signature));
        let text = text.replace(signature, &format!("{signature}{faults}"));
        fs::write(&path, &text).unwrap();
        let built = succeeds(&mut plugin(&["build"], folder.path())).stdout;
        for (note, words, part) in [
            ("THROW", "RangeError: on purpose", "throw new RangeError("),
            ("NULL", "'first' of null", "return nothing"),
        ] {
            let ran = run(folder.path(), built.trim(), note, "x").expect_code(1);
            let all = format!("{}{}", ran.stdout, ran.stderr);
            assert_eq!(all.matches(words).count(), 1, "{all}");
            let line = line_of(&text, part);
            // The interpreter may name the line of the call or that of its last part.
            let named = [line, line + 1]
                .iter()
                .any(|line| all.contains(&format!("at ask ({file}:{line})")));
            assert!(named, "{file}:{line}: {all}");
            assert!(all.contains(&format!("at extract ({file}:")), "{all}");
            assert!(
                !all.contains("bundle.js") && !all.contains("panicked"),
                "{all}"
            );
        }
    }
}

#[test]
fn a_fault_when_a_component_is_made_points_into_the_authors_file() {
    let folder = scaffold("js");
    let path = folder.path().join("plugin.js");
    let text = fs::read_to_string(&path).unwrap();
    let broken = text.replace("function ask(", "null.first;\n\nfunction ask(");
    fs::write(&path, &broken).unwrap();
    let run = Run::of(&mut plugin(&["build"], folder.path())).expect_code(1);
    let line = line_of(&broken, "null.first");
    assert!(run.says(&format!("plugin.js:{line}")), "{run:?}");
    assert!(!run.says("/bundle.js:"), "{run:?}");
    fs::write(&path, text.replace("function ask(", "function ask((")).unwrap();
    let run = Run::of(&mut plugin(&["build"], folder.path())).expect_code(1);
    let line = line_of(&text, "function ask(");
    assert!(run.says(&format!("plugin.js:{line}:")), "{run:?}");
}

/// U8: the standard library's reader meets answers of every sort.
#[test]
fn a_plain_reader_of_json_in_python_passes_the_check() {
    let folder = scaffold("python");
    let path = folder.path().join("plugin.py");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "    items = ask(LIST",
        "    import json\n\n    json.loads(ask(\"Answer in JSON.\" + given.text()))\n    items = ask(LIST",
    );
    let text = text.replace(
        "complete(Request.user(text, max_tokens=300, temperature=0.0))",
        "complete(Request.user(text, max_tokens=300, temperature=0.0, response_format=FORMAT if \"JSON\" in text else None))",
    );
    let text = text.replace("ORDER =", "FORMAT = {\"type\": \"object\"}\nORDER =");
    fs::write(&path, &text).unwrap();
    let built = succeeds(&mut plugin(&["build"], folder.path())).stdout;
    succeeds(&mut plugin(&["check"], Path::new(built.trim())));
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    for (reply, words) in [
        (
            "Sure!",
            "invalid-answer: the answer is not the JSON that was asked for: Expecting value",
        ),
        (
            deep.as_str(),
            "invalid-answer: the answer is not the JSON that was asked for: More than 500 lists",
        ),
    ] {
        let ran = run(folder.path(), built.trim(), "x", reply).expect_code(1);
        assert!(ran.says(words), "{ran:?}");
        let line = line_of(&text, "json.loads(");
        assert!(ran.says(&format!("plugin.py:{line} in extract")), "{ran:?}");
    }
}

#[test]
fn an_exception_in_python_is_told_once_in_the_authors_file() {
    let folder = scaffold("python");
    let path = folder.path().join("plugin.py");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "    limit = config",
        "    pass\n        if \"RAISE\" in inputs[0].text():\n            raise KeyError(\"on purpose\")\n        limit = config",
    );
    fs::write(&path, &text).unwrap();
    let built = succeeds(&mut plugin(&["build"], folder.path())).stdout;
    let ran = run(folder.path(), built.trim(), "RAISE", "x").expect_code(1);
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(all.matches("KeyError: 'on purpose'").count(), 1, "{all}");
    let line = line_of(&text, "raise KeyError");
    assert!(
        all.contains(&format!("at plugin.py:{line} in execute")),
        "{all}"
    );
}
