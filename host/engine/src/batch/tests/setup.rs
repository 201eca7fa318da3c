//! The requests, settings and provider of a case.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::super::BatchSettings;
use super::command::{CommandStart, TestProject};
use super::provider_fault::question;
use crate::fixtures::new_build;
use synix_core::request::{BatchApi, FailureKind, Message, Part, Request, RequestKey, Role, Wire};
use synix_providers::{Endpoint, HttpSettings, Provider, Secret};
use synix_store::{BuildId, BuildKind, RetrySelection, Store};

pub(super) fn request(wire: Wire, number: usize) -> Request {
    // Two models, so that there are concurrent batches.
    let model = if number.is_multiple_of(2) {
        "small"
    } else {
        "large"
    };
    Request {
        kind: synix_core::request::RequestKind::Completion,
        wire,
        provider: "there".to_owned(),
        model: model.to_owned(),
        messages: vec![Message {
            role: Role::User,
            parts: vec![Part::Text(question(number))],
        }],
        max_tokens: Some(100),
        temperature: None,
        stop: Vec::new(),
        response_format: None,
        options: serde_json::Map::new(),
        sample: 0,
        revision: String::new(),
    }
}

pub(super) fn key(wire: Wire, number: usize) -> RequestKey {
    request(wire, number).key().unwrap()
}

pub(super) fn provider(project: &TestProject) -> Provider {
    Provider::open(Endpoint {
        name: "there".to_owned(),
        wire: project.wire,
        batch_api: BatchApi::OpenAi,
        base_url: project.base_url.clone(),
        key: Some(Secret::new("sk-for-tests")),
        http: HttpSettings {
            retries: 1,
            backoff: Duration::ZERO,
            timeout: Duration::from_secs(60),
        },
    })
    .unwrap()
}

pub(super) fn settings(project: &TestProject, start: CommandStart, store: &Store) -> BatchSettings {
    let kinds = if start.retry_failed {
        FailureKind::PAID.into()
    } else {
        BTreeSet::new()
    };
    BatchSettings {
        search_pauses: HashMap::from([("there".to_owned(), vec![Duration::ZERO; 2])]),
        attempts: 3,
        layers: vec!["notes".to_owned()],
        interval: Some(Duration::ZERO),
        batch_requests: HashMap::new(),
        enqueued_tokens: project
            .limit
            .map(|limit| ("there".to_owned(), limit))
            .into_iter()
            .collect(),
        sync_after: None,
        lost_create: start.lost_create,
        retry: RetrySelection::from_now(store, kinds).unwrap(),
    }
}

pub(super) fn open_build(store: &Store) -> BuildId {
    let new = new_build(BuildKind::Batch);
    store.write(|tx| tx.open_build(&new)).unwrap()
}
