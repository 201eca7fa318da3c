//! Panics in Go plugins and the output of C plugins.

use std::fs;

use crate::plugin_languages::errors::{line_of, log_messages, run_plugin};
use crate::support::plugin_tools::{expect_success, plugin_command, scaffold};

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
