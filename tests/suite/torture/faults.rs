//! Random faults, unusual replies and scripts for a sequence.

use serde_json::json;
use synix_scripted_provider::{
    Coding, Endpoint, Fault, FaultKind, Mode as Only, Pace, RawReply, Reply, Rule, Script,
    StatusReply,
};

use crate::support::random::SeededRandom;

/// Returns a fault of a batch, for a bounded number of calls.
fn fault(random: &mut SeededRandom) -> Fault {
    use Endpoint as E;
    let calls = [
        E::Chat,
        E::Embeddings,
        E::Messages,
        E::FilesUpload,
        E::FilesContent,
        E::BatchesCreate,
        E::BatchesList,
        E::BatchesRetrieve,
        E::MessageBatchesCreate,
        E::MessageBatchesList,
        E::MessageBatchesRetrieve,
        E::MessageBatchesResults,
    ];
    let creates = [E::BatchesCreate, E::MessageBatchesCreate];
    let (endpoint, kind) = match random.below(12) {
        0 => (random.one_of(&calls), FaultKind::LoseReply),
        1 => (random.one_of(&creates), FaultKind::LoseReply),
        2 => (random.one_of(&calls), FaultKind::Refuse),
        3 => {
            let reply = StatusReply::new(random.one_of(&[429, 500, 503]));
            (random.one_of(&calls), FaultKind::Status(reply))
        }
        4 => {
            let reply = StatusReply::new(random.one_of(&[500, 503, 504]));
            (random.one_of(&calls), FaultKind::Status(reply.executed()))
        }
        5 => (
            random.one_of(&[E::FilesContent, E::MessageBatchesResults]),
            FaultKind::Truncate {
                drop: 20,
                hidden: random.below(2) == 0,
            },
        ),
        6 => (
            random.one_of(&[E::BatchesList, E::MessageBatchesList]),
            FaultKind::HideNewest { batches: 1 },
        ),
        7 => (
            random.one_of(&creates),
            FaultKind::ExpireAfter {
                rows: usize::try_from(random.below(3)).unwrap(),
            },
        ),
        8 => (
            random.one_of(&creates),
            FaultKind::CancelAfter {
                rows: usize::try_from(random.below(3)).unwrap(),
            },
        ),
        9 => (
            random.one_of(&creates),
            FaultKind::OutputLate {
                polls: random.below(3) + 1,
            },
        ),
        10 => (random.one_of(&creates), FaultKind::NoCounts),
        _ => (
            random.one_of(&[E::BatchesRetrieve, E::MessageBatchesRetrieve]),
            FaultKind::NotFound,
        ),
    };
    Fault::on(endpoint, kind).nth(random.below(3) + 1)
}

/// Completes a rule with a complete answer in an unusual form, or with a transient error that costs nothing.
fn unusual_reply(rule: Rule, random: &mut SeededRandom) -> Rule {
    let raw = match random.below(10) {
        0 => RawReply::body("<<x:EFBBBF>><<reply>>"),
        // A stream has many lines, but a row of a batch is one line.
        1 => {
            let events = Reply::Raw(RawReply::body("<<events>>"));
            return rule.only(Only::Sync).reply(events);
        }
        // Half of a surrogate pair, in a member beside the answer.
        2 => RawReply::body("{\"odd\": \"\\ud83d\", <<members>>}"),
        3 => RawReply::with("/usage", json!(null)),
        4 => RawReply::with(
            "/usage",
            json!({"prompt_tokens": "12", "completion_tokens": 3.0}),
        ),
        5 => RawReply::body("{\"deep\": <<deep>>, <<members>>}"),
        6 => RawReply::body("{\"odd\": -Infinity, <<members>>}"),
        7 => RawReply::coded(Coding::Gzip),
        8 => RawReply::body("<<reply>>\r\n\r\n"),
        _ => {
            let error = json!({"error": {"code": 429, "message": "slow down"}});
            return rule.reply(Reply::Status(StatusReply::new(200).body(error)));
        }
    };
    rule.reply(Reply::Raw(raw))
}

/// Returns an invalid list of batches, or an unusual encoding of rows.
fn unusual_transport(random: &mut SeededRandom) -> Fault {
    use Endpoint as E;
    let files = [E::FilesContent, E::MessageBatchesResults];
    let (endpoint, raw) = match random.below(4) {
        0 => (
            random.one_of(&[E::BatchesList, E::MessageBatchesList]),
            RawReply::body("{\"data\": [], \"has_more\": true}"),
        ),
        1 => (
            random.one_of(&[E::BatchesList, E::MessageBatchesList]),
            RawReply::body("<html>"),
        ),
        2 => (random.one_of(&files), RawReply::coded(Coding::Gzip)),
        _ => (
            random.one_of(&files),
            RawReply::body("<<x:EFBBBF>><<reply>>"),
        ),
    };
    Fault::on(endpoint, FaultKind::Raw(raw)).nth(random.below(3) + 1)
}

pub(crate) fn script(random: &mut SeededRandom) -> Script {
    let pace = Pace::in_progress(random.below(3));
    let mut script = Script::new().batches(pace).seed(random.draw());
    for _ in 0..random.below(4) {
        script = script.fault(fault(random));
    }
    if random.below(3) == 0 {
        script = script.fault(unusual_transport(random));
    }
    if random.below(3) == 0 {
        let name = random.one_of(&["amara", "bela", "chitra", "Sum up"]);
        let times = random.below(3) + 1;
        script = script.rule(unusual_reply(Rule::on(name).times(times), random));
    }
    // Now and then long enough that a command looks up another command's calls while its own are in flight.
    match random.below(8) {
        0 => script.latency_ms(150, 400),
        1..4 => script.latency_ms(0, 30),
        _ => script,
    }
}
