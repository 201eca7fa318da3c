//! How `synix build` ends with files that were made to harm their reader.
//!
//! Each hostile file is in a layer with a good one, and the command runs under limits of memory and processor time. It
//! must end by itself, say of each hostile file what is wrong, and read the good one.

#![cfg(target_os = "linux")]

mod archives;
mod documents;
mod making;
mod pdf;
mod texts;

use std::fs;

use serde_json::Value;

use crate::support::invocation::Run;
use crate::support::processes::with_address_space;
use crate::support::test_project::TestProject;

/// The address space of the command in KiB, without that of the guests.
const OWN_SPACE: u64 = 3_000_000;
/// The address space of a guest in KiB: the memory that a unit may have, and as much for what it passes to the host.
const GUEST_SPACE: u64 = 2 * 256 * 1024;

/// A reader, the config of its layers, and a good file with the label of its artifact.
struct Subject {
    reader: &'static str,
    config: &'static str,
    name: &'static str,
    content: &'static str,
    label: &'static str,
}

const CHATS: Subject = Subject {
    reader: "chats",
    config: "",
    name: "good.json",
    content: r#"[{"uuid": "good", "chat_messages": [{"uuid": "a", "sender": "human", "text": "Hello"}]}]"#,
    label: "claude-good",
};

const DOCUMENTS: Subject = Subject {
    reader: "documents",
    config: "",
    name: "good.html",
    content: "<html><body><p>Hello</p></body></html>",
    label: "good.html",
};

const MAIL: Subject = Subject {
    reader: "mail",
    config: "",
    name: "good.eml",
    content: "Subject: Hello\nMessage-ID: <good@x>\n\nText\n",
    label: "thread-good@x",
};

const ROWS: Subject = Subject {
    reader: "rows",
    config: "content = \"text\"",
    name: "good.csv",
    content: "text\nhello\n",
    label: "good-2",
};

const SUBJECTS: [&Subject; 4] = [&CHATS, &DOCUMENTS, &MAIL, &ROWS];

impl Subject {
    /// Returns the end of the name of the good file.
    fn extension(&self) -> &'static str {
        self.name.split_once('.').unwrap().1
    }
}

/// How the reading of a hostile file ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// The unit fails with this text in its message.
    Fails(&'static str),
    /// Something is left out for this reason, with this text in an example.
    Skips(&'static str, &'static str),
    /// What is in it is read, and nothing is left out.
    Reads,
}

struct HostileFile {
    name: String,
    bytes: Vec<u8>,
    end: End,
}

fn hostile(name: impl Into<String>, bytes: impl Into<Vec<u8>>, end: End) -> HostileFile {
    HostileFile {
        name: name.into(),
        bytes: bytes.into(),
        end,
    }
}

/// Otherwise a reader on a busy machine could reach the limit of time before the one that a file is made for.
const LIMITS: &str = "limits.wall_s = 900";

/// Builds a layer for each file, and compares how each one ends.
#[track_caller]
fn assert_ends(subject: &Subject, files: &[HostileFile]) {
    let mut layers = String::new();
    for (at, file) in files.iter().enumerate() {
        let Subject {
            reader,
            config,
            name,
            ..
        } = subject;
        layers += &format!(
            "[layers.l{at}]\nsource = [\"{name}\", \"bad/{at}/{}\"]\nread = \"{reader}\"\n{LIMITS}\n[layers.l{at}.config]\n{config}\n",
            file.name
        );
    }
    let project = TestProject::with_layers(&layers);
    project.write(subject.name, subject.content);
    for (at, file) in files.iter().enumerate() {
        let path = project.path(&format!("bad/{at}/{}", file.name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.bytes).unwrap();
    }
    let guests = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let command = project.command(&["build", "--json"]);
    let run = Run::of(&mut with_address_space(
        &command,
        OWN_SPACE + guests * GUEST_SPACE,
    ));
    assert!([0, 3].contains(&run.code), "{run:?}");
    let build = run.json();
    let artifacts = project.artifacts();
    let mut wrong = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let found = Found::of(
            &build,
            &format!("l{at}"),
            &format!("bad/{at}/{}", file.name),
        );
        if !found.is(file.end) {
            wrong.push(format!(
                "{} {}: expected {:?}, found {found:#?}",
                subject.reader, file.name, file.end
            ));
        }
        let good = format!("l{at}/{}", subject.label);
        if !artifacts.iter().any(|(name, _)| *name == good) {
            wrong.push(format!(
                "{} {}: there is no {good} in {artifacts:?}",
                subject.reader, file.name
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a build says of the file.
#[derive(Debug)]
struct Found {
    failures: Vec<String>,
    /// The reason and an example.
    skipped: Vec<(String, String)>,
}

impl Found {
    fn of(build: &Value, layer: &str, unit: &str) -> Self {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let failures = list(&build["failures"]).into_iter();
        let own = failures.filter(|failure| failure["layer"] == layer && failure["unit"] == unit);
        let layers = list(&build["layers"]).into_iter();
        let skipped = layers
            .filter(|one| one["name"] == layer)
            .flat_map(|one| list(&one["skipped"]))
            .flat_map(|skipped| {
                let reason = text(&skipped["reason"]);
                let examples = list(&skipped["examples"]).into_iter();
                let examples = examples.map(move |example| (reason.clone(), text(&example)));
                examples.collect::<Vec<_>>()
            });
        Self {
            failures: own.map(|failure| text(&failure["message"])).collect(),
            skipped: skipped.collect(),
        }
    }

    fn is(&self, end: End) -> bool {
        match end {
            End::Fails(text) => self.failures.iter().any(|message| message.contains(text)),
            End::Skips(reason, text) => {
                let mut skipped = self.skipped.iter();
                self.failures.is_empty()
                    && skipped.any(|(own, example)| own == reason && example.contains(text))
            }
            End::Reads => self.failures.is_empty() && self.skipped.is_empty(),
        }
    }
}
