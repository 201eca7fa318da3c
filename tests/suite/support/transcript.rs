//! Whole outputs as snapshots, without the values that differ between runs.
//!
//! The snapshots are files in `tests/suite/snapshots`. A changed output fails its test; `CONTRIBUTING.md` has the command that
//! accepts the new one.

use std::fmt::Write as _;

use crate::support::invocation::Run;

/// Compares the output and exit code of a command with the next snapshot of the calling test.
macro_rules! assert_transcript {
    ($run:expr) => {
        insta::with_settings!({
            omit_expression => true,
            // One folder for the snapshots of all modules.
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/suite/snapshots"),
        }, {
            insta::assert_snapshot!($run.transcript())
        })
    };
}
pub(crate) use assert_transcript;

/// The number of digits of a printed digest, or of the id of a batch.
const DIGEST_DIGITS: std::ops::RangeInclusive<usize> = 12..=64;

impl Run {
    /// Returns the output as a person sees it, with stderr apart.
    pub(crate) fn transcript(&self) -> String {
        let mut transcript = without_varying_values(&self.stdout);
        for line in self.messages() {
            let _ = writeln!(transcript, "stderr: {}", without_varying_values(line));
        }
        let _ = writeln!(transcript, "exit code {}", self.code);
        transcript
    }

    /// Returns the lines of stderr without the progress of a build, whose units end in any order.
    fn messages(&self) -> impl Iterator<Item = &str> {
        let mut lines = self.stderr.lines();
        let is_build = lines.clone().any(|line| {
            let number = line.strip_prefix("build-").unwrap_or_default();
            !number.is_empty() && number.bytes().all(|one| one.is_ascii_digit())
        });
        if is_build {
            let error = lines.clone().position(|line| line.starts_with("error: "));
            lines = match error {
                Some(at) => skip_lines(lines, at),
                None => "".lines(),
            };
        }
        lines
    }
}

fn skip_lines(mut lines: std::str::Lines<'_>, count: usize) -> std::str::Lines<'_> {
    if let Some(last) = count.checked_sub(1) {
        lines.nth(last);
    }
    lines
}

/// Replaces what may differ between two runs or two machines: digests, ports, times, temporary folders, sizes and fuel
/// of compiled code, and the version of synix.
fn without_varying_values(printed: &str) -> String {
    let version = concat!("synix ", env!("CARGO_PKG_VERSION"));
    let printed = printed.replace(version, "synix [version]");
    let printed = replace_after(&printed, "127.0.0.1:", |one| one.is_ascii_digit(), "[port]");
    let printed = replace_after(&printed, ", fuel ", |one| one.is_ascii_digit(), "[fuel]");
    // If several inputs fail, the message names the first.
    let printed = replace_after(
        &printed,
        "\n    it needs ",
        |one| !matches!(one, ',' | '\n'),
        "[input]",
    );
    let printed = without_folder(&printed);
    let mut stable = String::with_capacity(printed.len());
    let mut rest = printed.as_str();
    while let Some(first) = rest.chars().next() {
        let length = rest
            .find(|one: char| !one.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let is_time = rest.get(..TIME.len()).is_some_and(is_time);
        let (word, more) = rest.split_at(if is_time {
            TIME.len()
        } else {
            length.max(first.len_utf8())
        });
        let is_size = more.starts_with(" bytes)") && word.bytes().all(|one| one.is_ascii_digit());
        stable.push_str(match word {
            _ if is_time => "[time]",
            _ if is_digest(word) => "[digest]",
            _ if is_size => "[size]",
            word => word,
        });
        rest = more;
    }
    stable
}

/// Replaces the folder of a test. On macOS the temporary folder is behind a link, so it has two paths.
fn without_folder(text: &str) -> String {
    let plain = std::env::temp_dir();
    let real = plain.canonicalize().unwrap_or_else(|_| plain.clone());
    let mut text = text.to_owned();
    for folder in [real, plain] {
        let start = folder.join(".tmp").display().to_string();
        let named = replace_after(
            &text,
            &start,
            |one| one.is_ascii_alphanumeric(),
            "[temporary]",
        );
        text = named.replace(&start, "");
    }
    text
}

/// Replaces what follows each `start` and consists of the given characters.
fn replace_after(
    text: &str,
    start: &str,
    is_part: impl Fn(char) -> bool,
    replacement: &str,
) -> String {
    let mut parts = text.split(start);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&is_part);
        let replacement = if rest.len() < part.len() {
            replacement
        } else {
            ""
        };
        replaced.extend([start, replacement, rest]);
    }
    replaced
}

fn is_digest(word: &str) -> bool {
    DIGEST_DIGITS.contains(&word.len())
        && word
            .bytes()
            .all(|one| matches!(one, b'0'..=b'9' | b'a'..=b'f'))
}

const TIME: &str = "0000-00-00T00:00:00Z";

fn is_time(word: &str) -> bool {
    word.bytes()
        .zip(TIME.bytes())
        .all(|(one, form)| match form {
            b'0' => one.is_ascii_digit(),
            form => one == form,
        })
}

#[test]
fn values_that_differ_between_runs_are_replaced() {
    let folder = std::env::temp_dir().join(".tmpA1b2C3/project");
    let printed = format!(
        "synix {}\n991c91d9cda6 of 2026-01-01T00:00:02Z by http://127.0.0.1:40123/v1 in {}\n\
         unit a, fuel 731, (90657 bytes): 1234567, batch_991c91d9cda6, é.\n",
        env!("CARGO_PKG_VERSION"),
        folder.display()
    );
    assert_eq!(
        without_varying_values(&printed),
        "synix [version]\n[digest] of [time] by http://127.0.0.1:[port]/v1 in [temporary]/project\n\
         unit a, fuel [fuel], ([size] bytes): 1234567, batch_[digest], é.\n"
    );
}
