//! Submissions, facts and events that cover every transition.

use std::collections::HashMap;

use super::super::*;
use crate::batch::LostCreatePolicy;
use synix_providers::{CreateError, ErrorReply, FileId, Phase, ProviderError, ValidationError};
use synix_store::{BuildId, RetrySelection, SubmissionId};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) fn submission(state: SubmissionState, file: Option<&str>) -> Submission {
    Submission {
        id: SubmissionId(1),
        token: "synix-1".to_owned(),
        build: BuildId(1),
        layers: "notes".to_owned(),
        provider: "there".to_owned(),
        model: "small".to_owned(),
        attempt: 1,
        requests: 2,
        state,
        status: state.name().to_owned(),
        file: file.map(str::to_owned),
        batch: Some("batch-1".to_owned()),
        provisional: state == SubmissionState::Adopted,
        newest: None,
        rejected: Vec::new(),
        divided: 0,
        tokens: 10,
        late: 0,
        note: None,
        opened: Timestamp(0),
        changed: Timestamp(0),
        recorded_version: None,
    }
}

/// Submissions with every property that affects a transition.
pub(super) fn submissions() -> Vec<DrivenSubmission> {
    let mut all = Vec::new();
    for state in SubmissionState::ALL {
        for file in [None, Some("file-1")] {
            for creates in [0, 3, 6] {
                for cancellation in [Cancellation::NotWanted, Cancellation::Sent] {
                    all.push(DrivenSubmission {
                        submission: submission(state, file),
                        progress: Progress {
                            creates,
                            cancellation,
                            ..Progress::default()
                        },
                    });
                }
            }
        }
    }
    all
}

pub(super) fn settings(lost_create: LostCreatePolicy, pauses: usize) -> BatchSettings {
    BatchSettings {
        search_pauses: HashMap::from([("there".to_owned(), vec![Duration::ZERO; pauses])]),
        attempts: 3,
        layers: vec!["notes".to_owned()],
        interval: Some(Duration::from_secs(1)),
        batch_requests: HashMap::new(),
        enqueued_tokens: HashMap::new(),
        sync_after: None,
        lost_create,
        retry: RetrySelection::default(),
    }
}

fn all_settings() -> Vec<BatchSettings> {
    let policies = [
        LostCreatePolicy::Ask,
        LostCreatePolicy::Adopt("batch-2".to_owned()),
        LostCreatePolicy::CreateAgain,
    ];
    let with = |policy: &LostCreatePolicy| [0, 1].map(|pauses| settings(policy.clone(), pauses));
    policies.iter().flat_map(with).collect()
}

pub(super) fn facts(settings: &BatchSettings) -> Facts<'_> {
    Facts {
        now: Timestamp(0),
        settings,
        traits: traits(true, true),
        ownership: Ownership::ThisBuild,
        cancel_source: CancelSource::None,
        capacity: Capacity::Available,
        validation_failures: 1,
    }
}

const fn traits(uploads: bool, labelled: bool) -> BatchTraits {
    BatchTraits {
        max_requests: 10,
        max_bytes: 1000,
        max_creations_per_hour: None,
        uploads,
        carries_token: labelled,
        single_model: true,
    }
}

fn all_facts(settings: &BatchSettings) -> Vec<Facts<'_>> {
    let mut all = Vec::new();
    for (uploads, labelled) in [(true, true), (true, false), (false, false)] {
        for cancel_source in [
            CancelSource::None,
            CancelSource::Build,
            CancelSource::Command,
        ] {
            for now in [Timestamp(0), Timestamp(3 * DAY_MS)] {
                let retry_after = None;
                for capacity in [Capacity::Available, Capacity::Full { retry_after }] {
                    all.push(Facts {
                        now,
                        traits: traits(uploads, labelled),
                        cancel_source,
                        capacity,
                        ..facts(settings)
                    });
                }
            }
        }
    }
    all
}

fn replied(status: u16) -> ProviderError {
    ProviderError::Replied {
        provider: "there".to_owned(),
        reply: Box::new(ErrorReply {
            status,
            code: None,
            message: "no".to_owned(),
            request_id: None,
            wait: None,
            should_retry: None,
        }),
    }
}

fn short() -> ProviderError {
    ProviderError::Truncated {
        provider: "there".to_owned(),
        file: "file-2".to_owned(),
        expected: 2,
        received: 1,
    }
}

fn endless() -> ProviderError {
    ProviderError::EndlessList {
        provider: "there".to_owned(),
        reason: "it leads in a circle".to_owned(),
    }
}

pub(super) fn batch(phase: Phase) -> Box<BatchState> {
    Box::new(BatchState {
        phase,
        output_file: Some(FileId("file-2".to_owned())),
        ..BatchState::from_id("batch-2".to_owned())
    })
}

fn invalid(code: &str, message: &str, line: Option<u64>) -> Box<BatchState> {
    let mut failed = batch(Phase::Failed);
    failed.errors.push(ValidationError {
        code: code.to_owned(),
        message: message.to_owned(),
        param: None,
        line,
    });
    failed
}

fn findings(candidates: usize, adopted_by_others: usize) -> Event {
    Event::SearchEnded(Ok(SearchResult {
        candidates: vec![*batch(Phase::Running); candidates],
        adopted_by_others,
    }))
}

/// Every kind of event, in every variant that affects a transition.
fn events() -> Vec<Event> {
    let polled = |batch| Event::Polled(Ok(batch));
    let taken = |unreadable| {
        Event::RowsRead(RowsRead::Taken {
            tally: RowTally {
                unreadable,
                ..RowTally::default()
            },
            route: Route::NextBatch,
        })
    };
    let unclear = |error| Event::CreateEnded(Err(CreateError::Unclear(error)));
    vec![
        Event::Due,
        Event::UploadEnded(Ok(FileId("file-1".to_owned()))),
        Event::UploadEnded(Err(replied(500))),
        Event::NewestRead(Ok(None)),
        Event::NewestRead(Err(replied(500))),
        Event::CreateEnded(Ok(batch(Phase::Waiting))),
        Event::CreateEnded(Err(CreateError::Refused(replied(400)))),
        Event::CreateEnded(Err(CreateError::NotSent(replied(401)))),
        unclear(replied(500)),
        findings(0, 0),
        findings(0, 1),
        findings(1, 0),
        findings(2, 0),
        Event::SearchEnded(Err(replied(500))),
        Event::SearchEnded(Err(endless())),
        polled(batch(Phase::Waiting)),
        polled(batch(Phase::Running)),
        polled(batch(Phase::Completed)),
        polled(batch(Phase::Expired)),
        polled(batch(Phase::Cancelled)),
        polled(batch(Phase::Failed)),
        polled(invalid("token_limit_exceeded", "Limit: 5", None)),
        polled(invalid("invalid_request", "Cannot find file", None)),
        polled(invalid("invalid_json_line", "no JSON", None)),
        polled(invalid("invalid_json_line", "no JSON", Some(1))),
        polled(invalid("unheard_of", "no", None)),
        Event::Polled(Err(replied(401))),
        Event::Polled(Err(replied(404))),
        Event::Polled(Err(replied(500))),
        Event::DownloadEnded(batch(Phase::Completed), Ok(())),
        Event::DownloadEnded(batch(Phase::Completed), Err(short())),
        Event::DownloadEnded(batch(Phase::Completed), Err(replied(404))),
        Event::RowsRead(RowsRead::FilesGone),
        Event::RowsRead(RowsRead::NotOurs),
        taken(0),
        taken(1),
        Event::CancelEnded(Ok(batch(Phase::Cancelling))),
        Event::CancelEnded(Err(replied(500))),
        Event::CallPanicked,
    ]
}

/// Calls `check` with every possible transition.
pub(super) fn each_transition(mut check: impl FnMut(&DrivenSubmission, &Transition)) {
    let all_settings = all_settings();
    for driven in submissions() {
        for facts in all_settings.iter().flat_map(all_facts) {
            for event in events() {
                if let Ok(transition) = step(&driven, event, &facts) {
                    check(&driven, &transition);
                }
            }
        }
    }
}
