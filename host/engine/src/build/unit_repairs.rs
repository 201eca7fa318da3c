//! Asks again if an answer does not match the `response_format` of its request.
//!
//! What follows an answer is a function of the request and the answer, so every mode makes the same repairs: each is a
//! request of the unit like those of the guest, and known answers to it are used, whatever `repair` of the layer says.
//!
//! The repairs of a round come after its requests, and second repairs after all first ones, once every answer before
//! them is known. So the transcript of a unit only ever grows at its end.

use std::sync::Arc;

use super::known_answers::KnownAnswers;
use super::unit::RunEnd;
use super::unit_model::UnitModel;
use super::unit_question::{Question, machine_failure};
use synix_answers::{Fit, MAX_ANSWER_BYTES, Unfit, repair};
use synix_core::request::{Ending, Failure, FailureKind, Usage};

/// What follows from the answer to a question.
enum Step {
    /// The guest receives it.
    Done,
    /// This question repairs it.
    Repair(Box<Question>),
    /// The unit fails.
    Failed(Failure),
    /// The run is stopped.
    Stopped,
}

impl UnitModel {
    /// Follows the questions of a round until all answers fit; `false`: it waits for an answer, or is stopped.
    pub(super) fn settle(&mut self, known: &KnownAnswers, questions: &mut [Question]) -> bool {
        loop {
            if questions.iter().any(|question| question.answer.is_none()) {
                return false;
            }
            let mut repairs = Vec::new();
            let mut failure = None;
            for (position, question) in questions.iter_mut().enumerate() {
                match self.step(known, question) {
                    Step::Done => {}
                    Step::Repair(repair) => repairs.push((position, *repair)),
                    Step::Failed(failed) => {
                        failure.get_or_insert(failed);
                    }
                    Step::Stopped => return false,
                }
            }
            let failure = failure.or_else(|| self.check_limits(questions, &repairs));
            if let Some(failure) = failure {
                self.stopped = Some(RunEnd::Failed(failure));
                return false;
            }
            if repairs.is_empty() {
                return true;
            }
            for (position, mut repair) in repairs {
                if !self.look_up(known, &mut repair) {
                    return false;
                }
                questions[position] = repair;
            }
        }
    }

    fn step(&mut self, known: &KnownAnswers, question: &mut Question) -> Step {
        let Some(answer) = question.answer.as_mut().filter(|_| !question.is_done) else {
            return Step::Done;
        };
        question.tokens = question.tokens.saturating_add(answer.counted_tokens());
        // The layer accepts an answer that was cut off, and so the rest of it can be missing.
        let format = question.format.as_ref();
        let format = format.filter(|_| answer.ending == Ending::Complete);
        let fit = match format.map(|format| format.fit(&answer.text)).transpose() {
            Ok(None) => None,
            Ok(Some(Fit::Json(json))) => Some(json.to_owned()),
            Ok(Some(Fit::Unfit(unfit))) => return self.repair(known, question, &unfit),
            Err(limit) => return Step::Failed(machine_failure(&limit)),
        };
        if let Some(json) = fit {
            answer.text = json;
        }
        answer.usage += question.usage;
        question.is_done = true;
        Step::Done
    }

    /// Decides what follows an answer that does not fit.
    fn repair(&mut self, known: &KnownAnswers, question: &Question, unfit: &Unfit) -> Step {
        let failed = |reason: &str| Step::Failed(schema_failure(question, unfit, reason));
        let Some(answer) = &question.answer else {
            return Step::Done;
        };
        if answer.text.len() > MAX_ANSWER_BYTES {
            return failed("the answer is too long to be sent back");
        }
        let request = repair(&question.request, &answer.text, unfit);
        let Ok(key) = request.key() else {
            return failed("the request has no key");
        };
        let mut usage = question.usage;
        usage += answer.usage;
        let repair = Question {
            key,
            request: Arc::new(request),
            role: question.role.clone(),
            target: Arc::clone(&question.target),
            format: question.format.clone(),
            repairs: question.repairs + 1,
            answer: None,
            usage,
            ..*question
        };
        let is_known = match known.answer(key, self.transform.accept_truncated) {
            Ok(answer) => answer.is_some(),
            Err(error) => return self.stop_fatally(error),
        };
        if is_known {
            return Step::Repair(Box::new(repair));
        }
        let is_asked = if repair.repairs <= self.transform.repair {
            Ok(true)
        } else {
            known.repairs_further(key, question.key)
        };
        match is_asked {
            Err(error) => self.stop_fatally(error),
            Ok(_) if repair.check_window().is_err() => {
                failed("the question and the answer exceed the context window of the model")
            }
            Ok(true) => Step::Repair(Box::new(repair)),
            Ok(false) => {
                self.unasked.push(self.pending(&repair));
                Step::Failed(schema_failure(question, unfit, ""))
            }
        }
    }

    fn stop_fatally(&mut self, error: synix_store::StoreError) -> Step {
        self.stopped = Some(RunEnd::Fatal(Box::new(error.into())));
        Step::Stopped
    }

    /// Returns a failure if the unit may not ask for these repairs.
    fn check_limits(
        &self,
        questions: &[Question],
        repairs: &[(usize, Question)],
    ) -> Option<Failure> {
        let (_, first) = repairs.first()?;
        let kind = |message| Failure {
            kind: FailureKind::Schema,
            message,
            transient: false,
            usage: Usage::default(),
        };
        if self.count() + repairs.len() > self.request_limit() {
            return Some(kind(format!(
                "an answer does not match its `response_format`, and another request would exceed `limits.requests` ({}); request {}",
                self.request_limit(),
                first.key.0.short(),
            )));
        }
        let limit = self.transform.limits.tokens?;
        let used = questions.iter().map(|question| question.tokens);
        let wanted = repairs.iter().map(|(_, repair)| repair.max_tokens);
        let tokens = used.chain(wanted).fold(self.tokens, u64::saturating_add);
        (tokens > limit).then(|| {
            kind(format!(
                "an answer does not match its `response_format`, and another request could exceed `limits.tokens` ({limit}); request {}",
                first.key.0.short(),
            ))
        })
    }
}

fn schema_failure(question: &Question, unfit: &Unfit, reason: &str) -> Failure {
    let after = match question.repairs {
        0 => String::new(),
        1 => ", also after a repair".to_owned(),
        repairs => format!(", also after {repairs} repairs"),
    };
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!("; synix did not ask again, because {reason}")
    };
    Failure {
        kind: FailureKind::Schema,
        message: format!("the answer does not match its `response_format`{after}: {unfit}{reason}"),
        transient: false,
        usage: Usage::default(),
    }
}
