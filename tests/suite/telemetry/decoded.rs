//! What a receiver got, decoded by the official package of OpenTelemetry for Python, which `cargo xtask setup
//! --languages` installs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::process::Command;

use serde_json::Value;

use super::receiver::Receiver;
use crate::support::plugin_tools::{expect_success, tool_folder};
use crate::support::test_project::text;

const DECODE: &str = include_str!("decode.py");

/// The spans and metrics that a receiver got.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub spans: Vec<Value>,
    pub metrics: Vec<Value>,
    pub resources: Vec<Value>,
}

impl Decoded {
    pub(crate) fn of(receiver: &Receiver) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (number, message) in receiver.messages().into_iter().enumerate() {
            let signal = message.path.trim_start_matches("/v1/").to_owned();
            let path = folder.path().join(format!("{number}.{signal}"));
            assert!(message.header("content-type").is_some());
            File::create(path)
                .unwrap()
                .write_all(&message.body)
                .unwrap();
        }
        let interpreter = tool_folder().with_file_name("telemetry/bin/python");
        assert!(
            interpreter.exists(),
            "{} is not there: run `cargo xtask setup --languages`",
            interpreter.display()
        );
        let mut command = Command::new(interpreter);
        command.args(["-c", DECODE]).arg(folder.path());
        let printed = expect_success(&mut command).stdout;
        let document: Value = serde_json::from_str(&printed).unwrap();
        let list = |name: &str| document[name].as_array().unwrap().clone();
        Self {
            spans: list("spans"),
            metrics: list("metrics"),
            resources: list("resources"),
        }
    }

    /// Returns the spans whose names begin like this.
    pub(crate) fn named(&self, name: &str) -> Vec<&Value> {
        let spans = self.spans.iter();
        spans
            .filter(|span| text(&span["name"]).starts_with(name))
            .collect()
    }

    /// Checks that there is one trace, that no span is there twice, that each parent is there and begins no later, and
    /// that no span ends before it begins.
    #[track_caller]
    pub(crate) fn expect_one_trace(&self) {
        let mut by_id: BTreeMap<String, &Value> = BTreeMap::new();
        for span in &self.spans {
            let earlier = by_id.insert(text(&span["id"]), span);
            assert!(earlier.is_none(), "twice: {span}");
            assert_eq!(span["trace"], self.spans[0]["trace"]);
            assert!(span["start"].as_u64() <= span["end"].as_u64(), "{span}");
            assert_eq!(span["scope"], "synix");
        }
        for span in &self.spans {
            let parent = text(&span["parent"]);
            if parent.is_empty() {
                assert_eq!(span["name"], "synix build");
                continue;
            }
            let parent = by_id
                .get(&parent)
                .unwrap_or_else(|| panic!("no parent: {span}"));
            assert!(
                parent["start"].as_u64() <= span["start"].as_u64(),
                "{parent} {span}"
            );
        }
    }

    /// Adds up an attribute of all spans.
    pub(crate) fn sum(&self, attribute: &str) -> f64 {
        let values = self.spans.iter();
        values
            .filter_map(|span| span["attributes"][attribute].as_f64())
            .sum()
    }

    /// Adds up the values of a metric.
    pub(crate) fn metric(&self, name: &str, with: &[(&str, &str)]) -> f64 {
        let points = self.metrics.iter().filter(|point| {
            point["name"] == name
                && with
                    .iter()
                    .all(|(key, value)| point["attributes"][*key] == **value)
        });
        points
            .filter_map(|point| point["value"].as_f64().or_else(|| point["sum"].as_f64()))
            .sum()
    }
}
