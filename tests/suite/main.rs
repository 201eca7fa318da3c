//! The suite drives the command `synix` as a user does, against a scripted provider on this machine.
//!
//! One file for each area of behaviour; [`test_project`] sets up what they share. A test of a promise in the list of
//! known failures (M1, A2, …) names its row in its doc line.

#![allow(
    clippy::disallowed_methods,
    reason = "a test prepares the files that a user would write"
)]
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "what a test does not expect ends it"
)]

mod author_errors;
mod authors;
mod batch;
mod beyond_defaults;
#[cfg_attr(
    windows,
    allow(dead_code, reason = "most costly components are for tests of Linux")
)]
mod bombs;
mod bounds;
mod budget;
mod build;
mod by_hand;
mod check_planted;
mod cli;
mod clones;
mod clones_state;
#[cfg(target_os = "linux")]
mod confined;
mod connections;
mod crash;
mod damage;
mod docs;
mod downloads;
mod duplicates;
mod examples;
mod failures;
mod first_party;
mod folders;
mod gc;
mod glossary;
mod grants;
mod hostile;
mod hostile_clones;
mod hostile_reading;
mod hostile_reading_files;
mod hostile_reading_pipelines;
mod hostile_reading_plugins;
mod hostile_reading_states;
mod identity;
mod interrupted;
mod invocation;
mod json_answers;
mod json_errors;
mod languages;
mod library;
mod lifecycle;
mod limits;
mod logs;
mod money;
mod names;
mod old_state;
mod outputs;
mod packages;
mod paid;
mod plans;
mod plugin_check;
mod plugin_run;
mod pseudo_terminal;
mod read_only;
mod reading;
mod reading_table;
mod recipes;
mod references;
mod registry;
mod replay;
mod replies;
mod sandbox;
mod scaffolds;
mod shells;
mod short_ways;
mod side_by_side;
mod sources;
mod split_examples;
mod state;
mod status;
mod templates;
mod terminal;
mod test_project;
mod torture;
mod transcript;
mod transforms;
mod trust;
mod trust_flag;
mod waiting;
mod waves;
mod wheel;

/// The former names of the helpers, which `replies` still uses.
mod workbench {
    pub(crate) use crate::test_project::{
        BATCH_BUILD as BATCH, RESUME, TestProject as Workbench, pipeline_file_at as pipeline_at,
        text,
    };

    impl Workbench {
        pub(crate) fn names(&self) -> Vec<String> {
            self.artifact_names()
        }
    }
}

/// C10: a file without its `mod` line is never compiled, and its tests never run.
#[test]
fn every_file_of_the_suite_is_compiled() {
    let listed = include_str!("main.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/suite");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|module| *module != "main") else {
            continue;
        };
        assert!(
            listed.contains(&format!("\nmod {module};\n")),
            "{name} is not listed in main.rs"
        );
    }
}
