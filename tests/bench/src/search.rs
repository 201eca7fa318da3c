//! Measures searches over a large snapshot: by words with the index up to date, the update after 100 changes, and by
//! meaning, beside the time that reading the same bytes from memory takes.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use synix_core::artifact::{Artifact, Content};
use synix_core::ids::{Kind, Label};
use synix_search::testing::{self, Layer};
use synix_search::{Mode, Search, Space};
use synix_store::{Reader, Store};

use crate::corpus::write;
use crate::readers::command;
use crate::report::{row, seconds};
use crate::{Options, Outcome};

const ARTIFACTS: u32 = 1_000_000;
const CHANGES: usize = 100;
const DIMENSIONS: usize = 384;

/// The number of different words, and of words in a text.
const VOCABULARY: u64 = 60_000;
const WORDS: usize = 60;

/// How often a search is repeated; the median is printed.
const REPETITIONS: usize = 9;

/// Words that few, some and many artifacts have.
const QUERIES: [(&str, &str); 4] = [
    ("one rare word", "w40000"),
    ("two words", "w900 w1200"),
    ("a phrase", "\"w30 w41\""),
    ("a frequent word", "w3"),
];

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let count = options.units.unwrap_or(ARTIFACTS);
    by_words(options, count)?;
    println!();
    by_meaning(count)
}

fn by_words(options: &Options, count: u32) -> Outcome<()> {
    let folder = crate::temporary_folder()?;
    let root = folder.path();
    write(
        &root.join("synix.toml"),
        "[pipeline]\nname = \"bench\"\n\n[layers.notes]\nsource = \"*.md\"\n",
    )?;
    let state = root.join(".synix");
    let store = Store::open(&state)?;
    let mut random = Random(1);
    let notes = (0..count).map(|number| (note(number, &mut random), Vec::new()));
    let mut layers: Vec<Layer> = vec![("notes".to_owned(), notes.collect())];
    testing::build(&store, &layers, 1)?;
    let first = Instant::now();
    find(&state, &words("w40000"), None)?;
    println!("{count} artifacts of {WORDS} words\n");
    row(
        "first search, with the index",
        &seconds(first.elapsed()),
        "",
    );
    row(
        "size of the index",
        &megabytes(&state.join("index"))?,
        &format!("state: {}", megabytes(&state)?),
    );
    for (name, query) in QUERIES {
        let (time, found) = median(|| find(&state, &words(query), None))?;
        let run = command(options, root, &["search", query, "--mode", "words"])?;
        row(
            name,
            &milliseconds(time),
            &format!("{found} shown; the command: {}", milliseconds(run.wall)),
        );
    }
    for (artifact, _) in layers[0].1.iter_mut().step_by(count as usize / CHANGES) {
        artifact.content = Content::Text(text(&mut random));
    }
    testing::build(&store, &layers, 2)?;
    let changed = Instant::now();
    find(&state, &words("w40000"), None)?;
    row(
        &format!("search after {CHANGES} changes"),
        &seconds(changed.elapsed()),
        "",
    );
    Ok(())
}

fn by_meaning(count: u32) -> Outcome<()> {
    let folder = crate::temporary_folder()?;
    let state = folder.path().join(".synix");
    let store = Store::open(&state)?;
    let mut random = Random(2);
    let notes = (0..count).map(|number| {
        (
            testing::text(&number.to_string(), "a note", json!({})),
            Vec::new(),
        )
    });
    let mut layers: Vec<Layer> = vec![("notes".to_owned(), notes.collect())];
    testing::build(&store, &layers, 1)?;
    let snapshot = store.newest_snapshot()?.ok_or("no snapshot")?;
    let mut embeddings = Vec::new();
    store.for_each_snapshot_artifact(&snapshot, "notes", |note| {
        embeddings.push((embedding(note.label.as_str(), &mut random), vec![note.id]));
    })?;
    layers.push(("vectors".to_owned(), embeddings));
    testing::build(&store, &layers, 2)?;
    let query: Vec<f32> = vector(&mut random);
    let search = Search {
        mode: Some(Mode::Meaning),
        ..words("x")
    };
    let first = Instant::now();
    find(&state, &search, Some(&query))?;
    println!("{count} vectors of {DIMENSIONS}\n");
    row(
        "first search, with the index",
        &seconds(first.elapsed()),
        "",
    );
    let (time, _) = median(|| find(&state, &search, Some(&query)))?;
    for (name, bytes) in [
        ("one byte for each number", 1),
        ("four bytes for each number", 4),
    ] {
        let floor = floor(count as usize * DIMENSIONS * bytes)?;
        row(
            &format!("floor: {name}"),
            &milliseconds(floor),
            "reading them from memory, on one core",
        );
    }
    row(
        "exact search",
        &milliseconds(time),
        "the whole search, on one core",
    );
    Ok(())
}

fn words(query: &str) -> Search {
    Search {
        query: query.to_owned(),
        layers: Vec::new(),
        conditions: Vec::new(),
        mode: Some(Mode::Words),
        limit: 10,
    }
}

/// Searches as a command does: it opens the state first. Returns the number of results.
fn find(state: &Path, search: &Search, query: Option<&Vec<f32>>) -> Outcome<usize> {
    let reader = Reader::open(state)?;
    let snapshot = reader.newest_snapshot()?.ok_or("no snapshot")?;
    let embed = |_: &Space, _: &str| query.cloned().ok_or_else(|| "no vector".into());
    let answer = synix_search::search(&reader, &snapshot, search, Some(&embed), &|_| {})?;
    Ok(answer.results.len())
}

/// Returns the median of the processor time, because others may use the core as well.
fn median<T>(mut run: impl FnMut() -> Outcome<T>) -> Outcome<(Duration, T)> {
    let mut last = run()?;
    let mut times = Vec::new();
    for _ in 0..REPETITIONS {
        let started = (Instant::now(), processor_time());
        last = run()?;
        times.push(match (started.1, processor_time()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => started.0.elapsed(),
        });
    }
    times.sort_unstable();
    let middle = times.get(REPETITIONS / 2).ok_or("no time")?;
    Ok((*middle, last))
}

/// Returns the processor time of this thread; `None` if the system does not tell.
fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Returns how long one core takes to read this many bytes from memory.
fn floor(bytes: usize) -> Outcome<Duration> {
    let memory: Vec<u64> = (0..bytes as u64 / 8).collect();
    let (time, _) = median(|| {
        let read = memory.iter().fold(0, |all, one| all ^ one);
        Ok(std::hint::black_box(read))
    })?;
    Ok(time)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn megabytes(path: &Path) -> Outcome<String> {
    let mut bytes = 0;
    let files = if path.is_dir() {
        fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?
    } else {
        Vec::new()
    };
    for file in files {
        bytes += file.metadata()?.len();
    }
    Ok(format!("{} MB", bytes / 1_000_000))
}

/// A generator that gives the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "a random number")]
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn note(number: u32, random: &mut Random) -> Artifact {
    let month = format!("2024-{:02}", number % 12 + 1);
    testing::text(
        &format!("note-{number:07}"),
        &text(random),
        json!({"month": month, "n": number}),
    )
}

/// Returns words of which a few are frequent, as in any language.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a random number"
)]
fn text(random: &mut Random) -> String {
    let word = |fraction: f64| ((VOCABULARY as f64).powf(fraction) as u64).to_string();
    let words = (0..WORDS).map(|_| format!("w{}", word(random.fraction())));
    words.collect::<Vec<_>>().join(" ")
}

#[expect(clippy::cast_possible_truncation, reason = "a random number")]
fn vector(random: &mut Random) -> Vec<f32> {
    // The sum of several numbers is about normally distributed.
    let mut number = || (0..6).map(|_| random.fraction() - 0.5).sum::<f64>() as f32;
    (0..DIMENSIONS).map(|_| number()).collect()
}

fn embedding(label: &str, random: &mut Random) -> Artifact {
    let data = vector(random)
        .iter()
        .flat_map(|one| one.to_le_bytes())
        .collect();
    Artifact {
        label: Label::from_stored(label).unwrap_or_else(|error| panic!("{error}")),
        kind: Kind::from_stored("embedding").unwrap_or_else(|error| panic!("{error}")),
        content: Content::Bytes {
            media_type: "application/vnd.synix.f32".to_owned(),
            data,
        },
        metadata: [("model".to_owned(), json!("bench"))].into(),
    }
}
