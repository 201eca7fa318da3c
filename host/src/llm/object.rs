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
    read: impl Fn(&Value) -> Option<BatchPage>,
) -> Result<BatchPage, ProviderError> {
    let call = Call {
        method: Method::GET,
        path,
        query,
        body: None,
    };
    let reply = transport.json(&call, &mut transport.patience()).await?;
    read(&reply.value).ok_or_else(|| transport.unreadable("no list of batches".to_owned()))
}

/// Reads a page; a batch that cannot be read is left out, so that it hides no other.
pub(super) fn page(
    reply: &Value,
    read: impl Fn(&Value) -> Option<BatchState>,
) -> Option<BatchPage> {
    let listed = reply.get("data")?.as_array()?;
    let last = listed.last().and_then(|batch| filled(batch, "id"));
    let more = reply.get("has_more").and_then(Value::as_bool);
    let next = filled(reply, "last_id").or(last);
    Some(BatchPage {
        batches: listed.iter().filter_map(read).collect(),
        next: next.filter(|_| more == Some(true) && !listed.is_empty()),
    })
}

/// Returns a text member; an empty one counts as absent.
pub(super) fn filled(value: &Value, name: &str) -> Option<String> {
    Some(text_of(value, name)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::llm::openai::{Dialect, read_batch};
    use crate::pipeline::BatchApi;

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
            json!({"data": [], "has_more": true}),
        ] {
            assert_eq!(paged(&reply).next, None);
        }
    }

    #[test]
    fn an_unreadable_batch_does_not_hide_the_others() {
        let reply = json!({"data": [null, {"id": "b"}]});
        assert_eq!(paged(&reply).batches.len(), 1);
    }
}
