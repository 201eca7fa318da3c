//! Errors in JavaScript and TypeScript plugins.

use std::fs;

use crate::plugin_languages::errors::{line_of, run_plugin};
use crate::support::invocation::Run;
use crate::support::plugin_tools::{expect_success, plugin_command, scaffold};

/// U7
#[test]
fn a_javascript_or_typescript_error_names_the_authors_file_once() {
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
        let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
        for (note, message, source_text) in [
            ("THROW", "RangeError: on purpose", "throw new RangeError("),
            ("NULL", "'first' of null", "return nothing"),
        ] {
            let run = run_plugin(folder.path(), built.trim(), note, "x").expect_code(1);
            let printed = format!("{}{}", run.stdout, run.stderr);
            assert_eq!(printed.matches(message).count(), 1, "{printed}");
            let line = line_of(&text, source_text);
            // The interpreter may name the line of the call or the line of its last part.
            let named = [line, line + 1]
                .iter()
                .any(|line| printed.contains(&format!("at ask ({file}:{line})")));
            assert!(named, "{file}:{line}: {printed}");
            assert!(
                printed.contains(&format!("at extract ({file}:")),
                "{printed}"
            );
            assert!(
                !printed.contains("bundle.js") && !printed.contains("panicked"),
                "{printed}"
            );
        }
    }
}

/// Nothing in a transform waits, so an `async` execute always fails. Its author looks for the error that was thrown in
/// it.
#[test]
fn an_async_execute_is_reported_with_its_line_and_its_cause() {
    for (language, file, signature) in [
        ("js", "plugin.js", "function ask(text) {\n"),
        ("ts", "plugin.ts", "function ask(text: string): string {\n"),
    ] {
        let folder = scaffold(language);
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(signature) && text.contains("  execute("));
        let fault = "  if (text.includes(\"THROW\")) throw new RangeError(\"on purpose\");\n";
        let text = text.replace(signature, &format!("{signature}{fault}"));
        let text = text.replace("  execute(", "  async execute(");
        fs::write(&path, &text).unwrap();
        let built = if language == "js" {
            expect_success(&mut plugin_command(&["build"], folder.path())).stdout
        } else {
            // The type checker reports it before anything runs.
            let run = Run::of(&mut plugin_command(&["build"], folder.path())).expect_code(1);
            assert!(run.says(&format!("{file}(")), "{run:?}");
            continue;
        };
        for (note, fails_in_it) in [("THROW", true), ("fine", false)] {
            let run = run_plugin(folder.path(), built.trim(), note, "x").expect_code(1);
            let printed = format!("{}{}", run.stdout, run.stderr);
            let line = line_of(&text, "async execute(");
            assert!(
                printed.contains("`execute` is async, and nothing in a transform waits"),
                "{printed}"
            );
            assert!(
                printed.contains(&format!("at execute ({file}:{line})")),
                "{printed}"
            );
            let line = line_of(&text, "throw new RangeError");
            let named = printed.contains("caused by RangeError: on purpose")
                && printed.contains(&format!("at ask ({file}:{line})"));
            assert_eq!(named, fails_in_it, "{printed}");
            assert!(
                !printed.contains("bundle.js") && !printed.contains("component.js"),
                "{printed}"
            );
        }
    }
}

#[test]
fn an_error_at_build_time_names_the_authors_file() {
    let folder = scaffold("js");
    let path = folder.path().join("plugin.js");
    let text = fs::read_to_string(&path).unwrap();
    let broken = text.replace("function ask(", "null.first;\n\nfunction ask(");
    fs::write(&path, &broken).unwrap();
    let run = Run::of(&mut plugin_command(&["build"], folder.path())).expect_code(1);
    let line = line_of(&broken, "null.first");
    assert!(run.says(&format!("plugin.js:{line}")), "{run:?}");
    assert!(!run.says("/bundle.js:"), "{run:?}");
    fs::write(&path, text.replace("function ask(", "function ask((")).unwrap();
    let run = Run::of(&mut plugin_command(&["build"], folder.path())).expect_code(1);
    let line = line_of(&text, "function ask(");
    assert!(run.says(&format!("plugin.js:{line}:")), "{run:?}");
}
