//! Plugins in Go and C cannot observe the machine, and what they print is logged.

use std::fs;

use crate::plugin_languages::every_language::project_with_components;
use crate::support::plugin_tools::{build_component, scaffold};
use crate::support::test_project::TestProject;

const OBSERVING_PLUGIN: &str = r#"package plugin

import (
	"fmt"
	"math/rand"
	"os"
	"time"

	"synix"
)

var Plugin = synix.Plugin{
	Name: "guesses", Version: "1.0.0", Summary: "Asks the machine", ConfigSchema: `{"type":"object"}`,
	Execute: func(_ synix.Unit, inputs []synix.Input, _ string) ([]synix.Output, error) {
		fmt.Println("printed by", inputs[0].Label)
		_, err := os.ReadFile("/etc/passwd")
		text := fmt.Sprint(time.Now().UTC(), rand.Int63(), len(os.Environ()), err != nil)
		return []synix.Output{{Label: inputs[0].Label, Kind: "guess", Content: synix.Text(text)}}, nil
	},
}
"#;

/// Builds a project whose only plugin has no config and sends no requests, and returns the log of its units.
fn build_and_read_log(language: &str, component: &[u8]) -> (TestProject, String) {
    let project = project_with_components(&[(language, component.to_owned())]);
    let pipeline = fs::read_to_string(project.path("synix.toml")).unwrap();
    let config = format!("batch = true\n[layers.{language}.config]\nlimit = 3\n");
    project.write("synix.toml", &pipeline.replace(&config, ""));
    project.run(&["build"]);
    let logs: Vec<String> = project
        .database()
        .prepare("SELECT log FROM unit_detail WHERE log IS NOT NULL")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    (project, logs.join("\n"))
}

/// The clock does not advance, random numbers are the same in every run, and there are no files or variables.
#[test]
fn a_go_plugin_cannot_observe_the_machine() {
    let folder = scaffold("go");
    fs::write(folder.path().join("plugin.go"), OBSERVING_PLUGIN).unwrap();
    fs::remove_file(folder.path().join("plugin_test.go")).unwrap();
    let component = build_component(folder.path());
    let contents = [(); 2].map(|()| {
        let (project, log) = build_and_read_log("go", &component);
        assert!(log.contains("printed by monday"), "{log}");
        project.content("go/monday")
    });
    assert_eq!(contents[0], contents[1]);
    assert!(
        contents[0].starts_with("2000-01-01 00:00:00") && contents[0].ends_with(" 0 true"),
        "{}",
        contents[0]
    );
}

const PRINTING_PLUGIN: &str = r#"
#include "synix.h"
#include <stdio.h>
static bool execute(synix_call *call) {
  synix_text label = call->inputs[0].header.label;
  printf("printed by %.*s\n", (int)label.len, (const char *)label.ptr);
  bool opened = fopen("/etc/passwd", "r") != NULL;
  for (int i = 0; i < 1000; i++)
    synix_metadata(synix_output(call, synix_join(label, synix_number(i)), synix_str("said"), synix_str(opened ? "opened" : "closed")),
                   "quoted", synix_json(synix_str("a\"\\\n\001")));
  return true;
}
static const synix_plugin PLUGIN = {
    .name = "prints", .version = "1.0.0", .summary = "Prints", .config_schema = "{\"type\": \"object\"}", .execute = execute};
SYNIX_EXPORT(PLUGIN)
"#;

#[test]
fn a_c_plugin_may_print_and_cannot_open_files() {
    let folder = scaffold("c");
    fs::write(folder.path().join("plugin.c"), PRINTING_PLUGIN).unwrap();
    let (project, log) = build_and_read_log("c", &build_component(folder.path()));
    assert!(log.contains("printed by tuesday"), "{log}");
    let shown = project.json(&["show", "c/tuesday999"]);
    assert_eq!(shown["content"], "closed");
    assert_eq!(shown["metadata"]["quoted"], "a\"\\\n\u{1}");
}

/// A trap has no message of its own.
#[test]
fn a_go_panic_is_in_the_failure_of_its_unit() {
    let folder = scaffold("go");
    let text = OBSERVING_PLUGIN.replace(
        "_, err := os",
        "if inputs[0].Label == \"monday\" { panic(\"on purpose\") }\n_, err := os",
    );
    fs::write(folder.path().join("plugin.go"), text).unwrap();
    fs::remove_file(folder.path().join("plugin_test.go")).unwrap();
    let (project, _) = build_and_read_log("go", &build_component(folder.path()));
    assert_eq!(
        project
            .artifact_names()
            .iter()
            .filter(|name| name.starts_with("go/"))
            .count(),
        2
    );
    let run = project.run(&["build"]).expect_code(3);
    assert!(run.says("on purpose"), "{run:?}");
}
