//! Batch objects as they come over the wire: what the formats share.

use reqwest::Method;
use serde_json::Value;

use super::error::ProviderError;
use super::outcome::text_of;
use super::patience::NotFound;
use super::state::{BatchPage, BatchState};
use super::transport::{Call, Reply, Transport};

/// Batches of one page.
pub(super) const PAGE: &str = "100";

/// Makes a call whose reply is a batch.
pub(super) async fn ask(
    transport: &Transport,
    method: Method,
    path: &[&str],
    read: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchState, ProviderError> {
    let call = Call {
        method,
        path,
        query: &[],
        body: None,
    };
    let mut patience = transport.patience().on_not_found(NotFound::MayPass);
    let reply = transport.json(&call, &mut patience).await?;
    state(transport, &reply, read)
}

/// Reads a reply that is a batch.
pub(super) fn state(
    transport: &Transport,
    reply: &Reply,
    read: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchState, ProviderError> {
    let state = read(&reply.value);
    let mut state = state.ok_or_else(|| transport.unreadable("a batch without id".to_owned()))?;
    state.poll_after = reply.poll_after;
    Ok(state)
}

/// Makes a call whose reply is a list of batches.
pub(super) async fn list(
    transport: &Transport,
    path: &[&str],
    query: &[(&str, &str)],
    read: impl Fn(&Value) -> Result<BatchPage, Doubt>,
) -> Result<BatchPage, ProviderError> {
    let call = Call {
        method: Method::GET,
        path,
        query,
        body: None,
    };
    let reply = transport.json(&call, &mut transport.patience()).await?;
    read(&reply.value).map_err(|doubt| match doubt {
        Doubt::NoList => transport.unreadable(doubt.to_string()),
        Doubt::Empty | Doubt::NoCursor | Doubt::NoId => ProviderError::EndlessList {
            provider: transport.provider().to_owned(),
            reason: doubt.to_string(),
        },
    })
}

/// Why a page of a list proves nothing about what is not on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Doubt {
    /// It is something else.
    #[error("no list of batches")]
    NoList,
    /// It says that there is more, and there is no way on.
    #[error("an empty page says that there is more")]
    Empty,
    /// The same, with batches.
    #[error("a page says that there is more, and not where")]
    NoCursor,
    /// One of its batches may be the one that is looked for.
    #[error("it has a batch without id")]
    NoId,
}

/// Reads a page.
///
/// Where it does not say whether there is more, a page as long as was asked for has more: its
/// successor then shows the end.
pub(super) fn page(
    reply: &Value,
    read: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchPage, Doubt> {
    // A server without pages may reply with the list alone.
    let listed = reply.get("data").unwrap_or(reply).as_array();
    let listed = listed.ok_or(Doubt::NoList)?;
    let full = PAGE.parse().is_ok_and(|most: usize| listed.len() >= most);
    let more = match reply.get("has_more") {
        Some(Value::Bool(more)) => *more,
        Some(Value::String(more)) if more.eq_ignore_ascii_case("true") => true,
        Some(Value::Number(more)) if more.as_f64() == Some(1.0) => true,
        _ => full,
    };
    let last = listed.last().and_then(id_of);
    let next = filled(reply, "last_id").or(last);
    if more && listed.is_empty() {
        return Err(Doubt::Empty);
    }
    if more && next.is_none() {
        return Err(Doubt::NoCursor);
    }
    Ok(BatchPage {
        batches: batches(listed, read)?,
        next: next.filter(|_| more),
    })
}

/// Reads the batches of a page. What is nothing at all is left out; one that cannot be told from
/// others makes the page worthless.
pub(super) fn batches(
    listed: &[Value],
    read: impl Fn(&Value) -> Option<BatchState>,
) -> Result<Vec<BatchState>, Doubt> {
    listed
        .iter()
        .filter(|batch| !batch.is_null())
        .map(|batch| read(batch).ok_or(Doubt::NoId))
        .collect()
}

/// Returns the id of a batch, which some servers write as a number.
pub(super) fn id_of(batch: &Value) -> Option<String> {
    /// Longer ones are no ids.
    const LONGEST: usize = 512;
    let id = match batch.get("id")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (1..=LONGEST).contains(&id.len()).then_some(id)
}

/// Returns a text member; an empty one counts as absent.
pub(super) fn filled(value: &Value, name: &str) -> Option<String> {
    Some(text_of(value, name)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openai::{Dialect, read_batch};
    use synix_core::request::BatchApi;

    fn paged(reply: &Value) -> BatchPage {
        page(reply, |batch| {
            read_batch(Dialect::of(BatchApi::OpenAi), batch)
        })
        .unwrap()
    }

    #[test]
    fn a_page_leads_to_the_next_one() {
        let reply =
            json!({"data": [{"id": "b2"}, {"id": "b1"}], "last_id": "b1", "has_more": true});
        let page = paged(&reply);
        assert_eq!((page.batches.len(), page.next.as_deref()), (2, Some("b1")));
    }

    #[test]
    fn the_last_page_leads_nowhere() {
        for reply in [
            json!({"data": [{"id": "b"}], "has_more": false}),
            json!({"data": [{"id": "b"}]}),
            json!({"data": [], "has_more": false}),
            json!([{"id": "b"}]),
        ] {
            assert_eq!(paged(&reply).next, None, "{reply}");
        }
    }

    fn doubt(reply: &Value) -> Doubt {
        page(reply, |batch| {
            read_batch(Dialect::of(BatchApi::OpenAi), batch)
        })
        .unwrap_err()
    }

    /// X1: a page that proves nothing is not taken for the last one.
    #[test]
    fn a_page_that_leads_nowhere_and_has_more_is_doubted() {
        assert_eq!(doubt(&json!({"data": [], "has_more": true})), Doubt::Empty);
        assert_eq!(
            doubt(&json!({"data": [], "has_more": "true"})),
            Doubt::Empty
        );
        assert_eq!(
            doubt(&json!({"data": [null], "has_more": true})),
            Doubt::NoCursor
        );
        assert_eq!(
            doubt(&json!({"data": [{"status": "completed"}]})),
            Doubt::NoId
        );
        assert_eq!(doubt(&json!({"error": "no"})), Doubt::NoList);
    }

    /// X1: the server forgot to say; it may have more.
    #[test]
    fn a_full_page_that_does_not_say_leads_on() {
        let listed: Vec<Value> = (0..100).map(|id| json!({"id": format!("b{id}")})).collect();
        let page = paged(&json!({ "data": listed }));
        assert_eq!(page.next.as_deref(), Some("b99"));
        assert_eq!(paged(&json!({"data": listed[1..]})).next, None);
    }

    #[test]
    fn nothing_in_a_list_does_not_hide_the_others() {
        let reply = json!({"data": [null, {"id": "b"}, {"id": 7}]});
        let ids: Vec<String> = paged(&reply)
            .batches
            .into_iter()
            .map(|batch| batch.id)
            .collect();
        assert_eq!(ids, ["b", "7"]);
    }
}
