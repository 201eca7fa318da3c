//! The vector of one text outside of a build, as a search requests it.

use synix_core::error_kind::ErrorKind;
use synix_engine::build::WaitPolicy;
use synix_prices::Amount;
use synix_project::{CassetteMode, Options, Project, ProjectError, RunOptions};

use super::{NAMES, project, vectors};
use crate::support::test_project::TestProject;

fn run_options() -> RunOptions {
    RunOptions::new(WaitPolicy::PollOnce)
}

/// Requests the vector of a text and returns its bytes.
fn embed(
    project: &TestProject,
    (role, text): (&str, &str),
    mode: CassetteMode,
    run: &RunOptions,
) -> Result<Vec<u8>, ProjectError> {
    let options = Options {
        environment: project.command(&[]).environment(),
        cassette_mode: Some(mode),
        ..Options::default()
    };
    let opened = Project::open(&options)?;
    let vector = opened.embed_query(role, text, run, &|_| {})?;
    Ok(vector.to_bytes())
}

#[test]
fn a_query_is_paid_once_and_shares_the_answers_of_layers() {
    let project = project();
    project.ok(&["build"]);
    let ask = |text| {
        embed(
            &project,
            ("embedding", text),
            CassetteMode::Off,
            &run_options(),
        )
    };
    // The text of a note has its answer already.
    assert_eq!(ask("I am bela.").unwrap(), vectors(&project)["bela"]);
    assert_eq!(project.sent(), NAMES.len());
    let first = ask("Who paints?").unwrap();
    assert_eq!(ask("Who paints?").unwrap(), first);
    assert_eq!(project.sent(), NAMES.len() + 1);
    project.write("notes/query.md", "Who paints?");
    project.ok(&["build"]);
    assert_eq!(vectors(&project)["query"], first);
    assert_eq!(project.sent(), NAMES.len() + 1);
}

#[test]
fn a_budget_refuses_a_query_before_it_is_sent() {
    let project = project();
    project.ok(&["build"]);
    let run = RunOptions {
        budget: Amount::from_usd(1e-9),
        ..run_options()
    };
    let refused = embed(&project, ("embedding", "Who?"), CassetteMode::Off, &run);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::BUDGET);
    assert_eq!(project.sent(), NAMES.len());
}

#[test]
fn a_recorded_query_is_replayed_without_a_provider() {
    let project = project();
    project.ok(&["build", "--cassette-mode", "record"]);
    let ask = |text, mode| embed(&project, ("embedding", text), mode, &run_options());
    let recorded = ask("Who paints?", CassetteMode::Record).unwrap();
    let sent = project.sent();
    assert_eq!(ask("Who paints?", CassetteMode::Replay).unwrap(), recorded);
    let missing = ask("Who sings?", CassetteMode::Replay).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::CASSETTE);
    assert_eq!(project.sent(), sent);
}

#[test]
fn a_query_of_an_unknown_role_or_without_text_is_refused() {
    let project = project();
    project.ok(&["build"]);
    for (role, text, kind) in [
        ("other", "Who?", ErrorKind::PIPELINE),
        ("embedding", " \n", ErrorKind::USAGE),
    ] {
        let refused = embed(&project, (role, text), CassetteMode::Off, &run_options());
        assert_eq!(refused.unwrap_err().kind(), kind, "{role} {text:?}");
    }
    assert_eq!(project.sent(), NAMES.len());
}
