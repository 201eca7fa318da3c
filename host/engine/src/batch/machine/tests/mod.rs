//! Every event in every state, and the table of `docs/batch.md`.

mod cases;

use std::collections::BTreeSet;

use super::*;
use crate::batch::LostCreatePolicy;
use crate::batch::tests::documented_steps;
use cases::{each_transition, facts, settings, submission, submissions};
use synix_providers::Phase;

/// M1: the table in the documentation matches the machine.
#[test]
fn the_documented_steps_are_those_of_the_machine() {
    let mut steps = BTreeSet::new();
    each_transition(|driven, transition| {
        let (from, to) = (driven.submission.state, transition.next.submission.state);
        if from != to {
            steps.insert((from.name(), to.name()));
        }
    });
    assert_eq!(steps, documented_steps());
}

/// M1: every change of state is written, and a create call starts only in the transition that records it.
#[test]
fn every_create_call_is_recorded_before_it_starts() {
    each_transition(|driven, transition| {
        let (from, to) = (driven.submission.state, transition.next.submission.state);
        let is_written = !matches!(transition.write, Write::Nothing);
        assert!(
            from == to || is_written,
            "{from:?} to {to:?} is not written"
        );
        if transition.call == Some(Call::Create) {
            assert_eq!(to, SubmissionState::Creating);
            assert_ne!(
                from,
                SubmissionState::Creating,
                "created twice for one claim"
            );
            assert!(is_written);
        }
    });
}

/// M2: no two create calls share a token: a return to a state before a create call renews it.
#[test]
fn a_new_create_call_has_a_new_token() {
    use SubmissionState as S;
    each_transition(|driven, transition| {
        let (from, to) = (driven.submission.state, transition.next.submission.state);
        let was_created = !matches!(from, S::Claimed | S::Uploading | S::Uploaded);
        if was_created && matches!(to, S::Claimed | S::Uploaded) {
            let renews = transition.preparations.contains(&Preparation::RenewToken);
            assert!(renews, "{from:?} to {to:?} keeps its token");
        }
    });
}

/// M6: a submission ends once, and it closes its requests when it ends.
#[test]
fn a_submission_ends_once_and_closes_its_requests() {
    each_transition(|driven, transition| {
        assert!(driven.submission.state.is_unsettled());
        let ends = !transition.next.submission.state.is_unsettled();
        assert_eq!(ends, matches!(transition.write, Write::Close(_)));
    });
}

/// M7: nothing of a cancelled build is sent.
#[test]
fn nothing_is_sent_of_a_cancelled_build() {
    let settings = settings(LostCreatePolicy::Ask, 0);
    for driven in submissions() {
        let facts = Facts {
            cancel_source: CancelSource::Build,
            ..facts(&settings)
        };
        if let Ok(transition) = step(&driven, Event::Due, &facts) {
            let sends = matches!(
                transition.call,
                Some(Call::Upload | Call::ReadNewest | Call::Create)
            );
            assert!(!sends, "{:?}", driven.submission.state);
        }
    }
}

/// The next poll waits for as long as the provider asks, but at least for the interval and at most for 15 minutes.
#[test]
fn the_next_poll_waits_for_what_the_provider_asks() {
    let settings = settings(LostCreatePolicy::Ask, 0);
    let live = DrivenSubmission {
        submission: submission(SubmissionState::Live, None),
        progress: Progress::default(),
    };
    let due = |hint: Option<Duration>| {
        let batch = BatchState {
            poll_after: hint,
            ..*cases::batch(Phase::Running)
        };
        let polled = Event::Polled(Ok(Box::new(batch)));
        step(&live, polled, &facts(&settings)).unwrap().due
    };
    let second = Duration::from_secs(1);
    assert_eq!(due(None), Some(second));
    assert_eq!(due(Some(second / 2)), Some(second));
    assert_eq!(due(Some(10 * second)), Some(10 * second));
    assert_eq!(due(Some(Duration::MAX)), Some(900 * second));
}

#[test]
fn an_impossible_event_is_an_error() {
    let settings = settings(LostCreatePolicy::Ask, 0);
    let settled = DrivenSubmission {
        submission: submission(SubmissionState::Settled, None),
        progress: Progress::default(),
    };
    let error = step(&settled, Event::Due, &facts(&settings)).unwrap_err();
    let message = "submission 1 is settled, in which a step is impossible; nothing was sent; please report this \
                 bug in synix";
    assert_eq!(error.to_string(), message);
}
