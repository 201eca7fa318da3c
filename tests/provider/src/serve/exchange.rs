//! One HTTP exchange: reads the call, applies the faults, and replies.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Request, Response, StatusCode};

use super::body::{HangUp, ReplyBody};
use super::control;
use crate::call::{Call, Delivery, Outcome};
use crate::endpoint::{Endpoint, Wire};
use crate::script::FaultKind;
use crate::script_state::ScriptState;
use crate::state::State;
use crate::{anthropic, openai};

/// Answers one request, or closes its connection.
pub(super) async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<ReplyBody>, HangUp> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let Some((endpoint, id)) = Endpoint::route(&head.method, path) else {
        let body = body.collect().await.map_err(|_| HangUp)?.to_bytes();
        let outcome =
            tokio::task::block_in_place(|| control::answer(&state, &head.method, path, &body));
        let outcome = outcome.unwrap_or_else(|| openai::unknown_url(head.method.as_str(), path));
        return send(&state, outcome, None);
    };
    let id = id.unwrap_or_default().to_owned();
    let query = head.uri.query().unwrap_or_default().to_owned();
    state.recorder.count_call(endpoint);
    let _open = endpoint.is_completion().then(|| state.recorder.open());
    let script_state = state.script_state();
    let call = Call {
        endpoint,
        method: head.method,
        id,
        query,
        body: body.collect().await.map_err(|_| HangUp)?.to_bytes(),
        headers: head.headers,
        faults: script_state.faults(endpoint),
    };

    wait_for(&call, Moment::Before).await;
    let mut outcome = match outcome_of_fault(&call, Moment::Before) {
        Some(outcome) => outcome,
        None if endpoint.is_completion() => handle(&state, &script_state, &call),
        // A poll may run thousands of rows, and other calls must be served at the same time.
        None => tokio::task::block_in_place(|| handle(&state, &script_state, &call)),
    };
    if let Some(outcome_of_fault) = outcome_of_fault(&call, Moment::After) {
        outcome = Outcome {
            wait: outcome.wait,
            ..outcome_of_fault
        };
    }
    for fault in &call.faults {
        if let FaultKind::Raw(raw) = fault {
            outcome = raw.reply(outcome, endpoint.wire(), &state.base, &call.id);
        }
    }
    if let (Delivery::Whole, Some(FaultKind::Truncate { drop, hidden })) =
        (outcome.delivery, find_truncate(&call))
    {
        outcome.delivery = Delivery::Cut {
            drop: *drop,
            hidden: *hidden,
        };
    }
    wait(outcome.wait.time).await;
    if outcome.wait.held {
        script_state.until_replaced().await;
    }
    wait_for(&call, Moment::After).await;
    send(&state, outcome, Some(endpoint.wire()))
}

/// Whether a fault occurs before or after the call takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

impl Moment {
    fn of(executed: bool) -> Self {
        if executed { Self::After } else { Self::Before }
    }
}

async fn wait_for(call: &Call, moment: Moment) {
    for fault in &call.faults {
        if let FaultKind::Delay { ms, executed } = fault
            && Moment::of(*executed) == moment
        {
            wait(Duration::from_millis(*ms)).await;
        }
    }
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Returns the outcome that a fault of the call causes instead of the usual one.
fn outcome_of_fault(call: &Call, moment: Moment) -> Option<Outcome> {
    call.faults.iter().find_map(|fault| match (fault, moment) {
        (FaultKind::Refuse, Moment::Before) | (FaultKind::LoseReply, Moment::After) => {
            Some(Outcome::hang_up())
        }
        (FaultKind::NotFound, Moment::Before) => Some(match call.endpoint.wire() {
            Wire::OpenAi => openai::not_found(call),
            Wire::Anthropic => anthropic::not_found(call),
        }),
        (FaultKind::Status(reply), _) if Moment::of(reply.executed) == moment => {
            Some(match call.endpoint.wire() {
                Wire::OpenAi => openai::of_status(reply),
                Wire::Anthropic => anthropic::of_status(reply),
            })
        }
        _ => None,
    })
}

fn find_truncate(call: &Call) -> Option<&FaultKind> {
    call.faults
        .iter()
        .find(|fault| matches!(fault, FaultKind::Truncate { .. }))
}

/// Handles a call, if its key is accepted.
fn handle(state: &State, script_state: &ScriptState, call: &Call) -> Outcome {
    let answer = || {
        openai::answer(state, script_state, call)
            .or_else(|| anthropic::answer(state, script_state, call))
    };
    let refused = match call.endpoint.wire() {
        Wire::OpenAi => openai::refuse(script_state, call),
        Wire::Anthropic => anthropic::refuse(script_state, call),
    };
    refused.or_else(answer).unwrap_or_else(Outcome::hang_up)
}

fn send(
    state: &Arc<State>,
    outcome: Outcome,
    wire: Option<Wire>,
) -> Result<Response<ReplyBody>, HangUp> {
    let body = match outcome.delivery {
        Delivery::Whole => ReplyBody::whole(
            outcome.body,
            outcome.receipt.map(|receipt| (receipt, Arc::clone(state))),
        ),
        Delivery::Cut { drop, hidden } => ReplyBody::cut(outcome.body, drop, hidden),
        Delivery::HangUp => return Err(HangUp),
    };
    let mut response = Response::new(body);
    *response.status_mut() = outcome.status;
    *response.headers_mut() = outcome.headers;
    let (name, prefix) = match wire {
        None => return Ok(response),
        Some(Wire::OpenAi) => ("x-request-id", "req_"),
        Some(Wire::Anthropic) => ("request-id", "req_01"),
    };
    if let Ok(value) = HeaderValue::try_from(format!("{prefix}{}", state.ids.next())) {
        response.headers_mut().insert(name, value);
    }
    if wire == Some(Wire::OpenAi) && outcome.status == StatusCode::OK {
        response
            .headers_mut()
            .insert("openai-processing-ms", HeaderValue::from_static("1"));
        response.headers_mut().insert(
            "openai-organization",
            HeaderValue::from_static("org-scripted"),
        );
    }
    Ok(response)
}
