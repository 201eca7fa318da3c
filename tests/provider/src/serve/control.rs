//! The control calls, for tests in other languages and for the child process.

use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::call::Outcome;
use crate::ledger::{Duplicate, Ledger};
use crate::script::Script;
use crate::state::State;

/// The ledger with what can be read from it.
#[derive(Serialize)]
struct Stock {
    #[serde(flatten)]
    ledger: Ledger,
    duplicates: Vec<Duplicate>,
}

/// Answers a control call; `None` for any other path.
pub(super) fn answer(state: &State, method: &Method, path: &str, body: &Bytes) -> Option<Outcome> {
    Some(match (method.as_str(), path) {
        ("GET", "/__ledger") => {
            let ledger = state.ledger();
            Outcome::ok(&Stock {
                duplicates: ledger.duplicates(),
                ledger,
            })
        }
        ("GET", "/__calls") => Outcome::ok(
            &json!({"calls": state.recorder.calls(), "max_concurrency": state.recorder.max_concurrency()}),
        ),
        ("GET", "/__script") => Outcome::ok(&state.script_state().script),
        ("POST", "/__script") => match read_script(body) {
            Ok(script) => {
                state.follow(script);
                done()
            }
            Err(why) => Outcome::json(StatusCode::BAD_REQUEST, &json!({"error": why})),
        },
        ("POST", "/__finish") => {
            state.finish_batches();
            done()
        }
        ("POST", "/__reset") => {
            state.reset();
            done()
        }
        _ => return None,
    })
}

fn read_script(body: &Bytes) -> Result<Script, String> {
    let script: Script = serde_json::from_slice(body).map_err(|broken| broken.to_string())?;
    script.check().map_err(|misplaced| misplaced.to_string())?;
    Ok(script)
}

fn done() -> Outcome {
    Outcome::ok(&json!({"ok": true}))
}
