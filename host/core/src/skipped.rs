//! What readers left out of files, counted by reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most examples of one reason.
pub const MAX_EXAMPLES: usize = 3;

/// How often something was left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedCount {
    /// The name of the reason, such as `unreadable`.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// At most [`MAX_EXAMPLES`]: texts with the file and the place in it.
    pub examples: Vec<String>,
}

/// Says where and what was left out, each part once: many readers name the file or the place again in `what`.
pub fn example(file: &str, place: &str, what: &str) -> String {
    joined(file, &joined(place, what))
}

/// Joins the texts, unless the one says the other, or begins with what the other ends with.
fn joined(first: &str, second: &str) -> String {
    if second.is_empty() {
        return first.to_owned();
    }
    if first.is_empty() || mentions(second, first) {
        return second.to_owned();
    }
    for separator in ["/", ", "] {
        for (at, _) in first.match_indices(separator) {
            let (start, end) = first.split_at(at.saturating_add(separator.len()));
            if second.starts_with(end) && mentions(second, end) {
                return format!("{start}{second}");
            }
        }
    }
    format!("{first}: {second}")
}

fn begins_with(text: &str, start: &str) -> bool {
    let rest = text.strip_prefix(start);
    rest.is_some_and(|rest| !rest.starts_with(is_in_word))
}

/// Returns whether a text contains a path or a place. A name that is only a word may be there by chance.
fn mentions(text: &str, part: &str) -> bool {
    if text == part {
        return true;
    }
    if part.chars().all(char::is_alphabetic) {
        let rest = text.strip_prefix(part);
        return rest.is_some_and(|rest| rest.starts_with(": "));
    }
    text.match_indices(part).any(|(at, _)| {
        let (before, after) = text.split_at(at);
        !before.ends_with(is_in_word) && begins_with(after, part)
    })
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || "-_.".contains(c)
}

/// Counts by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedCounts(BTreeMap<String, (u64, Vec<String>)>);

impl SkippedCounts {
    /// Counts one more; `example` is called only while examples are missing.
    pub fn add(&mut self, reason: &str, example: impl FnOnce() -> String) {
        let (count, examples) = match self.0.get_mut(reason) {
            Some(entry) => entry,
            None => self.0.entry(reason.to_owned()).or_default(),
        };
        *count = count.saturating_add(1);
        if examples.len() < MAX_EXAMPLES {
            examples.push(example());
        }
    }

    /// Adds the counts of another file.
    pub fn extend(&mut self, counts: &[SkippedCount]) {
        for more in counts {
            let (count, examples) = self.0.entry(more.reason.clone()).or_default();
            *count = count.saturating_add(more.count);
            let room = MAX_EXAMPLES.saturating_sub(examples.len());
            examples.extend(more.examples.iter().take(room).cloned());
        }
    }

    /// Returns the counts, sorted by reason.
    pub fn to_vec(&self) -> Vec<SkippedCount> {
        let counts = self.0.iter();
        counts
            .map(|(reason, (count, examples))| SkippedCount {
                reason: reason.clone(),
                count: *count,
                examples: examples.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_says_each_thing_once() {
        for (file, place, what, expected) in [
            ("a.csv", "line 1", "a row", "a.csv: line 1: a row"),
            ("a.csv", "", "a row", "a.csv: a row"),
            ("users.json", "", "users.json", "users.json"),
            ("in/users.json", "", "in/users.json", "in/users.json"),
            ("in/users.json", "", "users.json", "in/users.json"),
            ("x.zip", "users.json", "users.json", "x.zip: users.json"),
            ("x.zip", "a/users.json", "users.json", "x.zip: a/users.json"),
            ("x.zip", "b.pdf", "x.zip/b.pdf", "x.zip/b.pdf"),
            ("a.csv", "line 1", "line 1: cut", "a.csv: line 1: cut"),
            (
                "x.zip",
                "a.csv, line 1",
                "line 1: cut",
                "x.zip: a.csv, line 1: cut",
            ),
            (
                "a.mbox",
                "message 3",
                "the rest of message 3",
                "a.mbox: the rest of message 3",
            ),
            // What only looks the same is said.
            (
                "a.csv",
                "line 1",
                "line 12: cut",
                "a.csv: line 1: line 12: cut",
            ),
            (
                "Inbox",
                "message 3",
                "Inbox zero",
                "Inbox: message 3: Inbox zero",
            ),
            ("notes/a", "line 1", "a", "notes/a: line 1: a"),
            ("b.json", "", "ab.json", "b.json: ab.json"),
            ("in/Inbox", "", "Inbox zero", "in/Inbox: Inbox zero"),
            ("a.csv", "line 1", "1 of 3", "a.csv: line 1: 1 of 3"),
        ] {
            assert_eq!(example(file, place, what), expected);
        }
    }

    #[test]
    fn counts_add_up_and_examples_are_few() {
        let mut file = SkippedCounts::default();
        for line in 1..=5 {
            file.add("unreadable", || format!("line {line}"));
        }
        file.add("empty", || "line 9".to_owned());
        let file = file.to_vec();
        assert_eq!(
            (
                file[0].reason.as_str(),
                file[1].count,
                file[1].examples.len()
            ),
            ("empty", 5, 3)
        );
        let mut all = SkippedCounts::default();
        all.extend(&file);
        all.extend(&file);
        let all = all.to_vec();
        assert_eq!((all[0].count, all[0].examples.len()), (2, 2));
        assert_eq!(all[1].count, 10);
        assert_eq!(all[1].examples, ["line 1", "line 2", "line 3"]);
    }
}
