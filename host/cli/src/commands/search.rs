//! `search`: finds artifacts by words or by meaning.

use std::cell::Cell;
use std::path::Path;

use serde_json::{Value, json};
use synix_core::exit_code::ExitCode;
use synix_search::{Answer, Match, ReleaseFile, SearchResult, search};

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
    match &args.release {
        Some(release) => search_release(&global.resolve(release), &wanted, screen),
        None => search_state(global, args, &wanted, screen),
    }
}

fn search_state(
    global: &Global,
    args: &Search,
    wanted: &synix_search::Search,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let snapshots = SnapshotReader::open(global, &args.snapshot)?;
    let view = snapshots.view()?;
    for layer in &args.layer {
        view.check_layer(layer)?;
    }
    let snapshot = view.required()?;
    let is_noted = Cell::new(false);
    let progress = |added| {
        if added >= MANY_ARTIFACTS && !is_noted.replace(true) {
            screen.note("adding many artifacts to the index; later searches add only what changes");
        }
    };
    let answer = search(&snapshots.reader, snapshot, wanted, None, &progress)?;
    let place = json!({
        "build": snapshot.build.to_string(),
        "snapshot": snapshot.id.to_string(),
        "pipeline": snapshot.pipeline,
    });
    print(place, wanted, &answer, screen)
}

fn search_release(
    path: &Path,
    wanted: &synix_search::Search,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    let file = ReleaseFile::open(path)?;
    for layer in &wanted.layers {
        if !file.has_layer(layer)? {
            return Err(Usage(format!("{} has no layer {layer:?}", path.display())).into());
        }
    }
    let answer = file.search(wanted, None)?;
    let place = json!({
        "build": null,
        "snapshot": file.about("snapshot")?,
        "pipeline": file.about("pipeline")?,
    });
    print(place, wanted, &answer, screen)
}

/// Prints what was found. `document` says where.
fn print(
    mut document: Value,
    wanted: &synix_search::Search,
    answer: &Answer,
    screen: &Screen,
) -> anyhow::Result<ExitCode> {
    document["query"] = json!(wanted.query);
    document["mode"] = json!(answer.mode);
    document["match"] = json!(answer.connection);
    document["results"] = json!(answer.results);
    document["more"] = json!(answer.has_more);
    screen.print_result(&document, || result_lines(answer))?;
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
