//! The activity of Gemini in a Google Takeout.
//!
//! It has no conversations: each record is a prompt, mostly with its answer, and the newest is first. The records of a
//! day make an artifact.

use std::collections::{BTreeMap, HashMap};

use crate::body::Body;
use crate::collection::Collection;
use crate::conversation::{Conversation, Head, Turn, Who};
use crate::format::Format;
use crate::html;
use crate::json::Json;
use crate::when::{self, Moment};

/// The activity of a file.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    at: Moment,
    title: String,
    answer: Option<String>,
    files: Vec<String>,
}

/// What the title of a prompt begins with, in some languages; in others it is found by counting.
const PREFIXES: [&str; 8] = [
    "Prompted",
    "Asked",
    "Said",
    "Eingegebener Prompt:",
    "Prompt eingegeben:",
    "Requête envoyée :",
    "Peticiones:",
    "Prompt inviato:",
];
/// Records with an answer that a count needs.
const LEAST_COUNTED: usize = 3;

impl Activity {
    pub(crate) fn take(&mut self, value: &Json<'_>, collection: &mut Collection<'_>) {
        let title = value.text("title").unwrap_or_default();
        let Some(at) = when::of(value.get("time")) else {
            collection.unreadable(&format!("a record without a time: {title}"));
            return;
        };
        let answers = value.list("safeHtmlItem").iter();
        let answers: Vec<_> = answers.filter_map(|item| item.text("html")).collect();
        let mut files: Vec<_> = value
            .list("attachedFiles")
            .iter()
            .filter_map(|file| file.as_text().or_else(|| file.text("name")))
            .map(str::to_owned)
            .collect();
        files.extend(value.text("imageFile").map(str::to_owned));
        self.records.push(Record {
            at,
            title: title.to_owned(),
            answer: (!answers.is_empty()).then(|| html::to_markdown(&answers.join("\n"))),
            files,
        });
    }

    pub(crate) fn finish(self, collection: &mut Collection<'_>) {
        let counted = counted_prefix(&self.records);
        let mut days: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
        let mut records = self.records;
        // The newest is first, and whole seconds collide: the order of the file decides between equals.
        records.reverse();
        records.sort_by_key(|record| record.at);
        for record in records {
            let Some(prompt) = prompt(&record, counted.as_deref()) else {
                collection.unsupported(&format!("{}: {}", record.at.iso(), record.title));
                continue;
            };
            let day = days.entry(record.at.date()).or_default();
            let mut asked = Body::new(collection.config);
            asked.say(prompt);
            for file in &record.files {
                asked.attach(file.rsplit('/').next().unwrap_or(file), None);
            }
            let mut answered = Body::new(collection.config);
            answered.say(record.answer.as_deref().unwrap_or_default());
            for (who, body) in [(Who::User, asked), (Who::Assistant, answered)] {
                day.extend(body.turn(who, Some(record.at)));
            }
        }
        for (day, turns) in days {
            let title = format!("Gemini {day}");
            let head = Head::new(Format::Gemini, day).with_title(Some(&title));
            collection.conversation(Conversation { head, turns });
        }
    }
}

/// Returns the prompt of a record; a record of another kind has none.
fn prompt<'a>(record: &'a Record, counted: Option<&str>) -> Option<&'a str> {
    let title = record.title.as_str();
    let prefixes = PREFIXES.iter().copied().chain(counted);
    for prefix in prefixes {
        if let Some(rest) = title.strip_prefix(prefix)
            && (rest.is_empty() || rest.starts_with(char::is_whitespace))
        {
            return Some(rest.trim_start());
        }
    }
    record.answer.is_some().then_some(title)
}

/// Finds the words that nearly all titles with an answer begin with.
fn counted_prefix(records: &[Record]) -> Option<String> {
    let answered = records.iter().filter(|record| record.answer.is_some());
    let titles: Vec<&str> = answered.map(|record| record.title.as_str()).collect();
    let needed = (titles.len() * 4).div_ceil(5);
    if titles.len() < LEAST_COUNTED {
        return None;
    }
    let mut prefix = None;
    // No language needs more than four words.
    for words in 1..=4 {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for title in &titles {
            let mut ends = title.match_indices(char::is_whitespace).map(|(at, _)| at);
            if let Some(end) = ends.nth(words - 1) {
                *counts.entry(&title[..end]).or_default() += 1;
            }
        }
        let best = counts
            .into_iter()
            .max_by_key(|(text, count)| (*count, *text));
        match best {
            Some((text, count)) if count >= needed => prefix = Some(text.to_owned()),
            _ => break,
        }
    }
    prefix
}
