//! Runs the reader and looks at what it made.

use serde_json::Value;
use synix_chats::Chats;
use synix_plugin::reading::Reason;
use synix_plugin::{Content, Error, Output, testing};

pub(crate) struct Run {
    pub(crate) outputs: Vec<Output>,
    pub(crate) skipped: Vec<testing::Skipped>,
    pub(crate) result: Result<(), Error>,
}

pub(crate) fn read(name: &str, bytes: impl AsRef<[u8]>) -> Run {
    read_with(name, bytes, "{}")
}

pub(crate) fn read_with(name: &str, bytes: impl AsRef<[u8]>, config: &str) -> Run {
    let run = testing::read::<Chats>(name, bytes.as_ref(), config);
    Run {
        outputs: run.outputs,
        skipped: run.skipped,
        result: run.result,
    }
}

impl Run {
    pub(crate) fn labels(&self) -> Vec<&str> {
        assert_eq!(self.result, Ok(()));
        self.outputs
            .iter()
            .map(|output| output.label.as_str())
            .collect()
    }

    /// Returns the only artifact.
    pub(crate) fn only(&self) -> &Output {
        assert_eq!(self.result, Ok(()), "{:?}", self.skipped);
        let [output] = &self.outputs[..] else {
            panic!("{:?}, {:?}", self.outputs, self.skipped)
        };
        output
    }

    pub(crate) fn with_label(&self, label: &str) -> &Output {
        let found = self.outputs.iter().find(|output| output.label == label);
        found.unwrap_or_else(|| panic!("{label} in {:?}", self.labels()))
    }

    pub(crate) fn error(&self) -> String {
        match &self.result {
            Err(Error::InvalidInput(text)) => text.clone(),
            other => panic!("{other:?}, {:?}", self.outputs),
        }
    }

    /// Counts what was left out for a reason.
    pub(crate) fn count(&self, reason: &Reason) -> usize {
        self.skipped
            .iter()
            .filter(|skipped| skipped.reason == *reason)
            .count()
    }
}

pub(crate) fn content(output: &Output) -> &str {
    match &output.content {
        Content::Text(text) => text,
        Content::Bytes(_) => panic!("bytes"),
    }
}

/// Returns who speaks, in order, with the text below the heading.
pub(crate) fn turns(output: &Output) -> Vec<(String, String)> {
    let text = content(output);
    let parts = text.strip_prefix("## ").unwrap_or_else(|| panic!("{text}"));
    parts
        .split("\n\n## ")
        .map(|part| {
            let (heading, said) = part.split_once("\n\n").unwrap_or_else(|| panic!("{part}"));
            let who = heading.split(" · ").next().unwrap();
            (who.to_owned(), said.trim_end().to_owned())
        })
        .collect()
}

/// Returns the texts of the turns.
pub(crate) fn said(output: &Output) -> Vec<String> {
    turns(output).into_iter().map(|(_, said)| said).collect()
}

pub(crate) fn meta(output: &Output, key: &str) -> Value {
    let entry = output.metadata.iter().find(|entry| entry.key == key);
    entry.map_or(Value::Null, |entry| {
        serde_json::from_str(&entry.value).unwrap()
    })
}
