//! What the author of a plugin sees of an error in it: one message that names the author's own file and line.

use std::fs;
use std::path::Path;

use crate::languages::{expect_success, plugin_command, scaffold};
use crate::test_project::Run;

/// Returns the number of the first line that contains a text.
#[track_caller]
fn line_of(text: &str, source_text: &str) -> usize {
    let found = text.lines().position(|line| line.contains(source_text));
    found.unwrap_or_else(|| panic!("no line has {source_text}")) + 1
}

fn run_plugin(folder: &Path, component: &str, note: &str, reply: &str) -> Run {
    let input = folder.join("note.md");
    fs::write(&input, note).unwrap();
    let arguments = ["run", component, "--reply", reply, "--input"];
    Run::of(&mut plugin_command(&arguments, &input))
}

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

const PANICKING_PLUGIN: &str = r#"package plugin

import (
	"fmt"
	"os"

	"synix"
)

// Plugin is the transform.
var Plugin = synix.Plugin{Name: "panics", Version: "1.0.0", Summary: "Panics", ConfigSchema: `{"type":"object"}`, Execute: execute}

var ready = start()

func start() bool {
	fmt.Fprint(os.Stderr, "starts")
	return true
}

type numbers struct{ all []int }

func pick(from *numbers, at int) int {
	return from.all[at]
}

func execute(_ synix.Unit, inputs []synix.Input, _ string) ([]synix.Output, error) {
	fmt.Print("one ", "line in ")
	fmt.Print("pieces\nwithout")
	switch inputs[0].Content.Text {
	case "PANIC":
		panic(fmt.Errorf("on purpose\nin two lines"))
	case "INDEX":
		pick(&numbers{}, 5)
	case "NIL":
		pick(nil, 5)
	case "ASIDE":
		go func() { panic("far away") }()
		select {}
	case "ASLEEP":
		select {}
	}
	fmt.Fprint(os.Stderr, "panic: none\n", "the last")
	return []synix.Output{{Label: "a", Kind: "a", Content: synix.Text("a")}}, nil
}
"#;

/// Returns the log messages of a level that a run prints. A message of several lines is one text.
fn log_messages(run: &Run, level: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in run.stdout.lines() {
        if let Some(message) = line.strip_prefix(&format!("log {level}: ")) {
            found.push(message.to_owned());
            is_open = true;
        } else if ["log ", "unit ", "failed: "]
            .iter()
            .any(|start| line.starts_with(start))
        {
            is_open = false;
        } else if let (true, Some(last)) = (is_open, found.last_mut()) {
            last.push_str(&format!("\n{line}"));
        }
    }
    found
}

/// U6: the runtime writes a panic word by word. It is logged as one message, and the failure begins with it.
#[test]
fn a_go_panic_is_one_log_message_that_names_the_authors_file() {
    let folder = scaffold("go");
    fs::write(folder.path().join("plugin.go"), PANICKING_PLUGIN).unwrap();
    fs::remove_file(folder.path().join("plugin_test.go")).unwrap();
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    for (note, message, source_text) in [
        ("PANIC", "panic: on purpose", "panic(fmt.Errorf"),
        (
            "INDEX",
            "panic: runtime error: index out of range [5] with length 0",
            "return from.all[at]",
        ),
        (
            "NIL",
            "panic: runtime error: invalid memory address or nil pointer dereference",
            "return from.all[at]",
        ),
        ("ASIDE", "panic: far away", "panic(\"far away\")"),
        (
            "ASLEEP",
            "fatal error: all goroutines are asleep - deadlock!",
            "case \"ASLEEP\"",
        ),
    ] {
        let run = run_plugin(folder.path(), built.trim(), note, "x").expect_code(1);
        let errors = log_messages(&run, "error");
        assert_eq!(errors.len(), 1, "{run:?}");
        assert!(errors[0].starts_with(message), "{run:?}");
        let line = line_of(PANICKING_PLUGIN, source_text) + usize::from(note == "ASLEEP");
        assert!(errors[0].contains(&format!("plugin.go:{line}")), "{run:?}");
        assert_eq!(log_messages(&run, "warn"), ["starts"], "{run:?}");
        assert_eq!(
            log_messages(&run, "info"),
            ["one line in pieces", "without"],
            "{run:?}"
        );
        let mut failures = run
            .stdout
            .lines()
            .filter(|line| line.starts_with("failed: "));
        assert!(
            failures.any(|line| line.contains("crashed: ") && line.ends_with(message)),
            "{run:?}"
        );
    }
    let run = run_plugin(folder.path(), built.trim(), "fine", "x").expect_code(0);
    assert_eq!(
        log_messages(&run, "warn"),
        ["startspanic: none", "the last"],
        "{run:?}"
    );
    assert_eq!(log_messages(&run, "error"), [""; 0], "{run:?}");
}

const PRINTING_PLUGIN: &str = r#"
#include "synix.h"
#include <stdio.h>
static bool execute(synix_call *call) {
  for (int i = 0; i < 3; i++) {
    printf("%d ", i);
    fflush(stdout);
  }
  fputs("aside: ", stderr);
  printf("end\r\n\n");
  fputs("\xc3", stderr);
  fputs("\xa4\xff\xed\xa0\x80\xf0\x9f\x99\x82\xe2\x82\n", stderr);
  for (int i = 0; i < 1000; i++) printf("%s", "long and longer and ");
  printf("\nno line break");
  fputs("panic: none\n", stderr);
  synix_output(call, synix_str("a"), synix_str("a"), synix_str("a"));
  return true;
}
static const synix_plugin PLUGIN = {
    .name = "prints", .version = "1.0.0", .summary = "Prints", .config_schema = "{\"type\": \"object\"}", .execute = execute};
SYNIX_EXPORT(PLUGIN)
"#;

#[test]
fn text_that_c_prints_in_pieces_is_logged_as_lines() {
    let folder = scaffold("c");
    fs::write(folder.path().join("plugin.c"), PRINTING_PLUGIN).unwrap();
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    let run = run_plugin(folder.path(), built.trim(), "x", "x").expect_code(0);
    let long = "long and longer and ".repeat(1000);
    assert_eq!(
        log_messages(&run, "info"),
        ["0 1 2 end", "", &long[..8 << 10], "no line break"],
        "{run:?}"
    );
    assert_eq!(
        log_messages(&run, "warn"),
        ["aside: ä????🙂??", "panic: none"],
        "{run:?}"
    );
}

/// U8: the check sends answers of every form to the JSON reader of the standard library.
#[test]
fn a_python_plugin_that_uses_json_loads_passes_the_check() {
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
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    expect_success(&mut plugin_command(&["check"], Path::new(built.trim())));
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    for (reply, message) in [
        (
            "Sure!",
            "invalid-answer: the answer is not the JSON that was asked for: Expecting value",
        ),
        (
            deep.as_str(),
            "invalid-answer: the answer is not the JSON that was asked for: More than 500 lists",
        ),
    ] {
        let run = run_plugin(folder.path(), built.trim(), "x", reply).expect_code(1);
        assert!(run.says(message), "{run:?}");
        let line = line_of(&text, "json.loads(");
        assert!(run.says(&format!("plugin.py:{line} in extract")), "{run:?}");
    }
}

#[test]
fn a_python_exception_names_the_authors_file_once() {
    let folder = scaffold("python");
    let path = folder.path().join("plugin.py");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "    limit = config",
        "    pass\n        if \"RAISE\" in inputs[0].text():\n            raise KeyError(\"on purpose\")\n        limit = config",
    );
    fs::write(&path, &text).unwrap();
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    let run = run_plugin(folder.path(), built.trim(), "RAISE", "x").expect_code(1);
    let printed = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(
        printed.matches("KeyError: 'on purpose'").count(),
        1,
        "{printed}"
    );
    let line = line_of(&text, "raise KeyError");
    assert!(
        printed.contains(&format!("at plugin.py:{line} in execute")),
        "{printed}"
    );
}
