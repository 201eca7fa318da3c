//! `search`: finds artifacts by words or by meaning.

use std::cell::Cell;

use serde_json::{Value, json};
use synix_core::exit_code::ExitCode;
use synix_search::{Answer, Match, ReleaseFile, SearchResult, Space, search};

use super::query_vectors::QueryVectors;
use super::reading::SnapshotReader;
use crate::args::{Global, Search};
use crate::failure::{self, Usage};
use crate::lines::Lines;
use crate::render::Screen;

/// The number of artifacts from which the user is told why a search takes long.
const MANY_ARTIFACTS: u64 = 10_000;

/// The maximum number of sources that are shown for a result.
const MAX_SOURCES: usize = 5;

pub(super) fn run(global: &Global, args: &Search, screen: &Screen) -> anyhow::Result<ExitCode> {
    failure::leave_when_interrupted(screen)?;
    let wanted = synix_search::Search {
        query: args.query.join(" "),
        layers: args.layer.clone(),
        conditions: args.conditions.clone(),
        mode: args.mode,
        limit: args.limit.into(),
    };
    let found = match &args.release {
        Some(release) => {
            let file = ReleaseFile::open(&global.resolve(release))?;
            in_release(&file, &wanted, &QueryVectors::new(global.options(None)))?
        }
        None => search_state(global, args, &wanted, screen)?,
    };
    print(&found, &wanted, screen)
}

fn search_state(
    global: &Global,
    args: &Search,
    wanted: &synix_search::Search,
    screen: &Screen,
) -> anyhow::Result<FoundIn> {
    let snapshots = SnapshotReader::open(global, &args.snapshot)?;
    let is_noted = Cell::new(false);
    let progress = |added| {
        if added >= MANY_ARTIFACTS && !is_noted.replace(true) {
            screen.note("adding many artifacts to the index; later searches add only what changes");
        }
    };
    in_snapshot(&snapshots, wanted, &progress)
}

/// An answer, and where it is from.
pub(super) struct FoundIn {
    build: Option<String>,
    snapshot: Option<String>,
    pipeline: Option<String>,
    answer: Answer,
}

impl FoundIn {
    /// Returns the answer alone.
    #[cfg(feature = "view")]
    pub(super) fn into_answer(self) -> Answer {
        self.answer
    }

    /// Returns the document of the command.
    pub(super) fn document(&self, wanted: &synix_search::Search) -> Value {
        json!({
            "build": self.build,
            "snapshot": self.snapshot,
            "pipeline": self.pipeline,
            "query": wanted.query,
            "mode": self.answer.mode,
            "match": self.answer.connection,
            "results": self.answer.results,
            "more": self.answer.has_more,
        })
    }
}

/// Searches a snapshot of a project. The query of a search by meaning is embedded with the models of the project.
pub(super) fn in_snapshot(
    snapshots: &SnapshotReader<'_>,
    wanted: &synix_search::Search,
    progress: &dyn Fn(u64),
) -> anyhow::Result<FoundIn> {
    let view = snapshots.view()?;
    for layer in &wanted.layers {
        view.check_layer(layer)?;
    }
    let snapshot = view.required()?;
    let vectors = QueryVectors::new(snapshots.options.clone());
    let embed = |space: &Space, query: &str| vectors.embed(space, query);
    Ok(FoundIn {
        build: Some(snapshot.build.to_string()),
        snapshot: Some(snapshot.id.to_string()),
        pipeline: Some(snapshot.pipeline.clone()),
        answer: search(&snapshots.reader, snapshot, wanted, Some(&embed), progress)?,
    })
}

/// Searches the search file of a release. If there is a project at hand, its models can embed the query.
pub(super) fn in_release(
    file: &ReleaseFile,
    wanted: &synix_search::Search,
    vectors: &QueryVectors,
) -> anyhow::Result<FoundIn> {
    for layer in &wanted.layers {
        if !file.has_layer(layer)? {
            return Err(Usage(format!("the release has no layer {layer:?}")).into());
        }
    }
    let embed = |space: &Space, query: &str| vectors.embed(space, query);
    Ok(FoundIn {
        build: None,
        snapshot: file.about("snapshot")?,
        pipeline: file.about("pipeline")?,
        answer: file.search(wanted, Some(&embed))?,
    })
}

fn print(
    found: &FoundIn,
    wanted: &synix_search::Search,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let answer = &found.answer;
    screen.print_result(&found.document(wanted), || result_lines(answer))?;
    if answer.is_temporary {
        screen.note("you cannot write the state, so the index was made for this search alone");
    }
    if let Some(error) = &answer.unused_embeddings {
        let why = synix_core::causes::with_causes(error);
        screen.note(&format!("searched by words only: {why}"));
    }
    Ok(ExitCode::Success)
}

fn result_lines(answer: &Answer) -> Lines {
    let mut lines = Lines::default();
    if answer.results.is_empty() {
        lines.push("nothing found");
        return lines;
    }
    if answer.connection == Match::Any {
        lines.push("no artifact has all words; these have some of them");
        lines.push("");
    }
    for (position, result) in answer.results.iter().enumerate() {
        if position > 0 {
            lines.push("");
        }
        push_result(&mut lines, result);
    }
    if answer.has_more {
        lines.heading("there are more results; pass --limit to see them");
    }
    lines
}

fn push_result(lines: &mut Lines, result: &SearchResult) {
    lines.push(format!(
        "{}/{} ({})",
        result.layer, result.label, result.kind
    ));
    let mut snippet = result.snippet.pieces.clone();
    snippet.insert(0, ("  ".to_owned(), false));
    lines.pieces(snippet);
    let why = reasons(result);
    if !why.is_empty() {
        lines.push(format!("  matched: {}", why.join(", ")));
    }
    let labels = &result.sources.labels;
    if labels.as_slice() != [result.label.as_str()] && !labels.is_empty() {
        let shown = labels.iter().take(MAX_SOURCES).map(String::as_str);
        let mut sources = shown.collect::<Vec<_>>().join(", ");
        let hidden = labels.len().saturating_sub(MAX_SOURCES) as u64;
        if result.sources.has_more || hidden > 0 {
            sources.push_str(" and more");
        }
        lines.push(format!(
            "  {}: {sources}",
            if labels.len() == 1 {
                "source"
            } else {
                "sources"
            }
        ));
    }
}

/// Returns the terms that a result has, with where they are.
fn reasons(result: &SearchResult) -> Vec<String> {
    let terms = result.why.terms.iter();
    let mut reasons: Vec<String> = terms
        .map(|one| format!("{} in {}", one.term, one.parts.join(" and ")))
        .collect();
    if let Some(similarity) = result.why.similarity {
        reasons.push(format!("meaning ({similarity:.2})"));
    }
    reasons
}
