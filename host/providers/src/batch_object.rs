//! Calls that return batch objects: what both wire formats share.

use reqwest::Method;
use serde_json::Value;

use super::batch_state::{BatchPage, BatchState};
use super::error::ProviderError;
use super::outcome::text_member;
use super::retry::NotFound;
use super::transport::{Call, Reply, Transport};

/// The number of batches per page.
pub(super) const PAGE_SIZE: &str = "100";

/// Makes a call whose reply is a batch; `parse` reads it.
pub(super) async fn request_batch(
    transport: &Transport,
    method: Method,
    path: &[&str],
    parse: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchState, ProviderError> {
    let call = Call {
        method,
        path,
        query: &[],
        body: None,
    };
    let mut retry = transport
        .retry_state()
        .treating_not_found_as(NotFound::Transient);
    let reply = transport.call(&call, &mut retry).await?;
    parse_batch(transport, &reply, parse)
}

/// Parses a reply that is a batch.
pub(super) fn parse_batch(
    transport: &Transport,
    reply: &Reply,
    parse: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchState, ProviderError> {
    let state = parse(&reply.value);
    let mut state =
        state.ok_or_else(|| transport.unreadable("a batch without an id".to_owned()))?;
    state.poll_after = reply.poll_after;
    Ok(state)
}

/// Makes a call whose reply is a page of the list of batches.
pub(super) async fn request_page(
    transport: &Transport,
    path: &[&str],
    query: &[(&str, &str)],
    parse: impl Fn(&Value) -> Result<BatchPage, PageError>,
) -> Result<BatchPage, ProviderError> {
    let call = Call {
        method: Method::GET,
        path,
        query,
        body: None,
    };
    let reply = transport.call(&call, &mut transport.retry_state()).await?;
    parse(&reply.value).map_err(|error| match error {
        PageError::NotAList => transport.unreadable(error.to_string()),
        PageError::Empty | PageError::NoCursor | PageError::NoId => ProviderError::EndlessList {
            provider: transport.provider().to_owned(),
            reason: error.to_string(),
        },
    })
}

/// Why a page of a list does not prove that a batch does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    #[error("the reply is not a list of batches")]
    NotAList,
    #[error("an empty page announces more batches")]
    Empty,
    #[error("a page announces more batches without a cursor")]
    NoCursor,
    /// The batch without an id may be the one that the caller searches for.
    #[error("it has a batch without an id")]
    NoId,
}

/// Parses a page.
///
/// If a full page does not say whether there are more, there is a next page: it then shows the end.
pub(super) fn parse_page(
    reply: &Value,
    parse: impl Fn(&Value) -> Option<BatchState>,
) -> Result<BatchPage, PageError> {
    // A server without pages may reply with a plain list.
    let listed = reply.get("data").unwrap_or(reply).as_array();
    let listed = listed.ok_or(PageError::NotAList)?;
    let is_full = PAGE_SIZE
        .parse()
        .is_ok_and(|size: usize| listed.len() >= size);
    let has_more = match reply.get("has_more") {
        Some(Value::Bool(more)) => *more,
        Some(Value::String(more)) if more.eq_ignore_ascii_case("true") => true,
        Some(Value::Number(more)) if more.as_f64() == Some(1.0) => true,
        _ => is_full,
    };
    let last = listed.last().and_then(read_id);
    let next = non_empty_text(reply, "last_id").or(last);
    if has_more && listed.is_empty() {
        return Err(PageError::Empty);
    }
    if has_more && next.is_none() {
        return Err(PageError::NoCursor);
    }
    Ok(BatchPage {
        batches: parse_batches(listed, parse)?,
        next: next.filter(|_| has_more),
    })
}

/// Parses the batches of a page. A null is skipped; a batch without an id invalidates the page.
pub(super) fn parse_batches(
    listed: &[Value],
    parse: impl Fn(&Value) -> Option<BatchState>,
) -> Result<Vec<BatchState>, PageError> {
    listed
        .iter()
        .filter(|batch| !batch.is_null())
        .map(|batch| parse(batch).ok_or(PageError::NoId))
        .collect()
}

/// Reads the id of a batch. Some servers write it as a number.
pub(super) fn read_id(batch: &Value) -> Option<String> {
    const MAX_ID_BYTES: usize = 512;
    let id = match batch.get("id")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (1..=MAX_ID_BYTES).contains(&id.len()).then_some(id)
}

/// Returns the string in a member, unless it is empty.
pub(super) fn non_empty_text(value: &Value, name: &str) -> Option<String> {
    Some(text_member(value, name)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openai::{self, Dialect};
    use synix_core::request::BatchApi;

    fn paged(reply: &Value) -> BatchPage {
        parse_page(reply, |batch| {
            openai::parse_batch(Dialect::of(BatchApi::OpenAi), batch)
        })
        .unwrap()
    }

    #[test]
    fn a_page_has_the_cursor_of_the_next_one() {
        let reply =
            json!({"data": [{"id": "b2"}, {"id": "b1"}], "last_id": "b1", "has_more": true});
        let page = paged(&reply);
        assert_eq!((page.batches.len(), page.next.as_deref()), (2, Some("b1")));
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        for reply in [
            json!({"data": [{"id": "b"}], "has_more": false}),
            json!({"data": [{"id": "b"}]}),
            json!({"data": [], "has_more": false}),
            json!([{"id": "b"}]),
        ] {
            assert_eq!(paged(&reply).next, None, "{reply}");
        }
    }

    fn error(reply: &Value) -> PageError {
        parse_page(reply, |batch| {
            openai::parse_batch(Dialect::of(BatchApi::OpenAi), batch)
        })
        .unwrap_err()
    }

    /// X1: such a page must not count as the last one.
    #[test]
    fn a_page_that_announces_more_without_a_cursor_is_an_error() {
        assert_eq!(
            error(&json!({"data": [], "has_more": true})),
            PageError::Empty
        );
        assert_eq!(
            error(&json!({"data": [], "has_more": "true"})),
            PageError::Empty
        );
        assert_eq!(
            error(&json!({"data": [null], "has_more": true})),
            PageError::NoCursor
        );
        assert_eq!(
            error(&json!({"data": [{"status": "completed"}]})),
            PageError::NoId
        );
        assert_eq!(error(&json!({"error": "no"})), PageError::NotAList);
    }

    /// X1: there may be more batches.
    #[test]
    fn a_full_page_without_has_more_has_a_next_page() {
        let listed: Vec<Value> = (0..100).map(|id| json!({"id": format!("b{id}")})).collect();
        let page = paged(&json!({ "data": listed }));
        assert_eq!(page.next.as_deref(), Some("b99"));
        assert_eq!(paged(&json!({"data": listed[1..]})).next, None);
    }

    #[test]
    fn a_null_in_a_list_is_skipped() {
        let reply = json!({"data": [null, {"id": "b"}, {"id": 7}]});
        let ids: Vec<String> = paged(&reply)
            .batches
            .into_iter()
            .map(|batch| batch.id)
            .collect();
        assert_eq!(ids, ["b", "7"]);
    }
}
