//! The table of steps in `docs/shared.md` is what the machine does.

use std::fmt::Write as _;

use synix_core::request::Ending;

use super::super::{ClaimSeen, Claimant, Comparison, Effect, End, Event, Liveness, State};

const DOCUMENT: &str = include_str!("../../../../../docs/shared.md");
const HEADER: &str = "| state | effect | event | next |\n| --- | --- | --- | --- |\n";

/// The generation in every state, which is not the first.
const GENERATION: u64 = 3;

/// Every state that behaves differently, with its name.
fn states() -> Vec<(&'static str, State)> {
    use Ending::{Complete, Truncated};
    let (generation, claim) = (GENERATION, Some(GENERATION));
    let publishing = |claim, ending| State::Publishing { claim, ending };
    let comparing = |claim, ending| State::Comparing { claim, ending };
    let end = End::Published;
    vec![
        ("looking", State::Looking { known: None }),
        (
            "looking, with a known claim of another holder",
            State::Looking { known: claim },
        ),
        ("following", State::Following { known: generation }),
        ("claiming", State::Claiming { generation }),
        ("listing", State::Listing),
        ("reading", State::Reading { generation }),
        ("judging", State::Judging { generation }),
        ("confirming", State::Confirming { generation }),
        ("withdrawing", State::Withdrawing { generation }),
        ("yielding", State::Yielding { generation }),
        ("publishing", publishing(claim, Complete)),
        (
            "publishing a truncated answer",
            publishing(claim, Truncated),
        ),
        ("publishing without a claim", publishing(None, Complete)),
        ("comparing", comparing(claim, Complete)),
        ("comparing a truncated answer", comparing(claim, Truncated)),
        ("comparing without a claim", comparing(None, Complete)),
        (
            "clearing",
            State::Clearing {
                claim: generation,
                end,
            },
        ),
        (
            "releasing",
            State::Releasing {
                claim: generation,
                end,
            },
        ),
    ]
}

const fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::ReadAnswer => "read the answer",
        Effect::ReadClaim(GENERATION) => "read the last claim",
        Effect::ReadClaim(_) => "read the generation after the known one",
        Effect::ListClaims => "list the claims of the request",
        Effect::CreateClaim(_) => "create a generation",
        Effect::Judge(_) => "list the heartbeats of the holder",
        Effect::CreateRelease(_) => "create a released generation",
        Effect::DeleteClaims(_) => "delete the claims",
        Effect::CreateAnswer => "create the answer",
        Effect::CompareAnswer => "read the answer and compare it",
        Effect::End(_) => "nothing",
    }
}

/// What can happen to an effect, with names. A failure ends most states as failed.
fn events(effect: Effect) -> Vec<(&'static str, Event)> {
    use Event::{AnswerRead, ClaimRead, Compared, Judged, Listed};
    let mut events = match effect {
        Effect::ReadAnswer => vec![
            ("complete", AnswerRead(Some(Ending::Complete))),
            (
                "truncated, and that suffices",
                AnswerRead(Some(Ending::Truncated)),
            ),
            ("none", AnswerRead(None)),
        ],
        Effect::ReadClaim(_) => vec![
            ("none", ClaimRead(ClaimSeen::Absent)),
            ("own", ClaimRead(ClaimSeen::Own)),
            ("own and lost", ClaimRead(ClaimSeen::OwnLost)),
            ("released", ClaimRead(ClaimSeen::Released)),
            ("of another holder", ClaimRead(ClaimSeen::Other)),
        ],
        Effect::ListClaims => {
            vec![
                ("last generation", Listed(Some(GENERATION))),
                ("no claim", Listed(None)),
            ]
        }
        Effect::Judge(_) => {
            vec![
                ("live", Judged(Liveness::Live)),
                ("dead", Judged(Liveness::Dead)),
            ]
        }
        Effect::CreateClaim(_) | Effect::CreateRelease(_) | Effect::CreateAnswer => {
            vec![("created", Event::Created), ("exists", Event::Exists)]
        }
        Effect::DeleteClaims(_) => vec![("deleted", Event::Deleted)],
        Effect::CompareAnswer => vec![
            ("same", Compared(Comparison::Same)),
            ("another one", Compared(Comparison::Other)),
            ("damaged", Compared(Comparison::Damaged)),
            ("none", Compared(Comparison::Absent)),
        ],
        Effect::End(_) => Vec::new(),
    };
    events.push(("failed", Event::Failed));
    events
}

fn next_name(from: State, next: Claimant, effect: Effect) -> String {
    if let Effect::End(end) = effect {
        return end_name(end).to_owned();
    }
    let name = match next.state {
        State::Looking { .. } => "looking",
        State::Following { .. } => "following",
        State::Claiming { generation: 1 } => "claiming generation 1",
        State::Claiming { .. } => "claiming the next generation",
        State::Listing => "listing",
        State::Reading { .. } => "reading",
        State::Judging { .. } => "judging",
        State::Confirming { .. } => "confirming",
        State::Withdrawing { .. } => "withdrawing",
        State::Yielding { .. } => "yielding",
        State::Publishing { .. } => "publishing",
        State::Comparing { .. } => "comparing",
        State::Clearing { .. } => "clearing",
        State::Releasing { .. } => "releasing",
        State::Ended => panic!("{from:?} ends without an end"),
    };
    name.to_owned()
}

const fn end_name(end: End) -> &'static str {
    match end {
        End::Answered => "end: answered",
        End::AnsweredUnsettled => "end: answered, and the own claim is given up later",
        End::Granted(_) => "end: granted",
        End::Held(_) => "end: held",
        End::Published => "end: published",
        End::Double => "end: paid twice",
        End::Damaged => "end: damaged",
        End::Released => "end: released",
        End::Failed => "end: failed",
        End::Inconsistent => "end: inconsistent",
    }
}

/// The rows of a state: events that lead to the same are one row.
fn rows(state: State) -> Vec<(Vec<&'static str>, String)> {
    let claimant = Claimant::new(state);
    let mut rows: Vec<(Vec<&str>, String)> = Vec::new();
    for (event, happened) in events(claimant.effect()) {
        let (next, effect) = claimant.step(happened);
        // `clearing` and `releasing` keep the end that they were entered for.
        let name = match (state, effect) {
            (State::Clearing { .. } | State::Releasing { .. }, Effect::End(End::Published)) => {
                "end: that of the state before, or released".to_owned()
            }
            _ => next_name(state, next, effect),
        };
        if happened == Event::Failed && effect == Effect::End(End::Failed) {
            continue;
        }
        match rows.iter_mut().find(|(_, other)| *other == name) {
            Some((events, _)) => events.push(event),
            None => rows.push((vec![event], name)),
        }
    }
    rows
}

fn table() -> String {
    let mut table = HEADER.to_owned();
    for (name, state) in states() {
        let effect = effect_name(Claimant::new(state).effect());
        let mut first = (name, effect);
        for (events, next) in rows(state) {
            let events = events.join("; ");
            let line = [first.0, first.1, &events, &next].map(|cell| format!("| {cell} "));
            writeln!(table, "{}|", line.concat().replace("|  ", "| ")).unwrap();
            first = ("", "");
        }
    }
    table
}

#[test]
fn the_document_has_the_table_of_the_machine() {
    let expected = table();
    assert!(
        DOCUMENT.contains(&expected),
        "docs/shared.md needs this table:\n{expected}"
    );
}
