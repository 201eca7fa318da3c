//! What a client and a service exchange, as JSON: jobs, reports, questions and refusals. `docs/scale.md` has them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use synix_core::clock::Timestamp;
use synix_core::request::FailureKind;
use synix_engine::batch::LostCreatePolicy;
use synix_engine::build::WaitPolicy;
use synix_engine::view::ErrorView;
use synix_prices::Amount;
use synix_project::{Job, RunOptions};

/// The version of the documents.
pub(crate) const SCHEMA: u32 = 1;

/// A job: a build that a service opens, or one that it resumes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobDocument {
    pub(crate) schema: u32,
    /// The id.
    pub(crate) job: String,
    /// The name of the project at the service.
    pub(crate) project: String,
    /// The build to resume; `None`: a new one is opened.
    pub(crate) resume: Option<String>,
    pub(crate) options: JobOptions,
}

/// How a service runs a build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobOptions {
    /// Whether requests are sent in batches. A build that is resumed keeps its kind.
    pub batch: bool,
    /// Whether to build units without the inputs that failed.
    pub allow_partial: bool,
    /// Whether to continue a build although its pipeline has changed.
    pub allow_mismatch: bool,
    /// Whether to read every source file.
    pub rehash: bool,
    /// The maximum cost in US dollars. `None`: that of the pipeline file.
    pub budget_usd: Option<Amount>,
    /// The kinds of failure whose requests are sent and paid for again.
    pub retry_failed: Vec<String>,
    /// The seconds after which a batch is cancelled and the rest is sent as single requests.
    pub sync_after_s: Option<u64>,
    /// The seconds between two polls of the batches.
    pub poll_s: u64,
    /// The batch that was created although its reply was lost.
    pub adopt: Option<String>,
    /// Whether to create such a batch again.
    pub create_again: bool,
}

/// How often batches are polled by default.
const DEFAULT_POLL: Duration = Duration::from_secs(60);

impl Default for JobOptions {
    fn default() -> Self {
        Self {
            batch: false,
            allow_partial: false,
            allow_mismatch: false,
            rehash: false,
            budget_usd: None,
            retry_failed: Vec::new(),
            sync_after_s: None,
            poll_s: DEFAULT_POLL.as_secs(),
            adopt: None,
            create_again: false,
        }
    }
}

impl JobDocument {
    /// Reads a job. The message says why it is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let job: Self = read(text, "job")?;
        for kind in &job.options.retry_failed {
            retried_kind(kind)
                .ok_or_else(|| format!("the job retries {kind:?}, which is no kind of failure"))?;
        }
        Ok(job)
    }

    /// Returns the key of the job among those of all projects of a server.
    pub(crate) fn key(&self) -> String {
        key(&self.project, &self.job)
    }

    pub(crate) fn poll(&self) -> Duration {
        Duration::from_secs(self.options.poll_s.max(1))
    }

    /// Returns the options of a turn. What is sent and paid for again is sent once: in the turn that begins.
    pub(crate) fn run_options(&self, begins: bool, max_budget: Option<Amount>) -> RunOptions {
        let options = &self.options;
        let retried = options.retry_failed.iter();
        let lost_create = match &options.adopt {
            Some(batch) => LostCreatePolicy::Adopt(batch.clone()),
            None if options.create_again => LostCreatePolicy::CreateAgain,
            None => LostCreatePolicy::Ask,
        };
        RunOptions {
            allow_partial: options.allow_partial,
            allow_mismatch: begins && options.allow_mismatch,
            sync_after: options.sync_after_s.map(Duration::from_secs),
            budget: options.budget_usd,
            max_budget,
            retry_failed: if begins {
                retried.filter_map(|kind| retried_kind(kind)).collect()
            } else {
                Default::default()
            },
            lost_create: if begins {
                lost_create
            } else {
                LostCreatePolicy::Ask
            },
            job: Some(Job {
                id: self.job.clone(),
                begins,
            }),
            ..RunOptions::new(WaitPolicy::PollOnce)
        }
    }
}

/// Returns the key of a job among those of all projects of a server.
pub(crate) fn key(project: &str, job: &str) -> String {
    format!("{project}/{job}")
}

fn retried_kind(name: &str) -> Option<FailureKind> {
    let mut kinds = FailureKind::PAID.into_iter().chain([FailureKind::Guest]);
    kinds.find(|kind| kind.name() == name)
}

/// A question about the builds of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionDocument {
    pub(crate) schema: u32,
    pub(crate) project: String,
    pub(crate) question: Question,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Question {
    /// What is stale, runs, has failed, and costs.
    Overview {},
    /// The status of a build, or of the newest one.
    Status { build: Option<String> },
    /// A part of the log of a build, or of the newest one.
    Log {
        build: Option<String>,
        after: u64,
        limit: u64,
        /// Earlier events are left out.
        since: Option<Timestamp>,
    },
    /// Cancels a build.
    Cancel { build: String },
}

impl QuestionDocument {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        read(text, "question")
    }
}

/// Why a service refuses a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) error: ErrorView,
    /// What a command on the machine of the service would exit with.
    pub(crate) exit_code: u8,
}

/// A document that says its version first, so that another version is named as such.
fn read<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T, String> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    let broken = |error: serde_json::Error| format!("this is no {what} of synix: {error}");
    let version: Version = serde_json::from_str(text).map_err(broken)?;
    if version.schema != SCHEMA {
        return Err(format!(
            "the {what} has version {}, and this synix knows version {SCHEMA}; the client and the service must be of one version",
            version.schema
        ));
    }
    serde_json::from_str(text).map_err(broken)
}

/// Writes a document.
pub(crate) fn write<T: Serialize>(document: &T) -> String {
    // Maps with keys that are no texts would fail, and there are none.
    serde_json::to_string(document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(options: JobOptions) -> JobDocument {
        JobDocument {
            schema: SCHEMA,
            job: "job-0123456789ab".to_owned(),
            project: "notes".to_owned(),
            resume: None,
            options,
        }
    }

    #[test]
    fn a_job_is_read_as_it_was_written() {
        let options = JobOptions {
            batch: true,
            budget_usd: Amount::from_usd(2.5),
            retry_failed: vec!["schema".to_owned(), "guest".to_owned()],
            sync_after_s: Some(60),
            ..JobOptions::default()
        };
        let job = job(options);
        assert_eq!(JobDocument::parse(&write(&job)), Ok(job));
    }

    /// A service of another version would do something else.
    #[test]
    fn another_version_is_refused_by_its_number() {
        let text = r#"{"schema": 2, "what": "no service of today knows"}"#;
        let error = JobDocument::parse(text).unwrap_err();
        assert!(error.contains("version 2"), "{error}");
        let text = write(&job(JobOptions::default()));
        for (member, other) in [
            ("\"batch\":false", "\"batch\":false,\"trust\":true"),
            ("\"poll_s\":60", "\"poll_s\":-1"),
            ("\"retry_failed\":[]", "\"retry_failed\":[\"auth\"]"),
        ] {
            let changed = text.replace(member, other);
            assert_ne!(changed, text);
            assert!(JobDocument::parse(&changed).is_err(), "{changed}");
        }
        assert!(QuestionDocument::parse(&text).is_err());
    }

    /// A turn may be repeated, and the turns of a batch build are many.
    #[test]
    fn only_the_first_turn_pays_again_or_decides_what_a_user_decided_once() {
        let job = job(JobOptions {
            retry_failed: vec!["refused".to_owned()],
            adopt: Some("batch_1".to_owned()),
            allow_mismatch: true,
            allow_partial: true,
            ..JobOptions::default()
        });
        let first = job.run_options(true, None);
        assert_eq!(first.retry_failed, [FailureKind::Refused].into());
        assert_eq!(
            first.lost_create,
            LostCreatePolicy::Adopt("batch_1".to_owned())
        );
        let next = job.run_options(false, None);
        assert!(next.retry_failed.is_empty() && next.lost_create == LostCreatePolicy::Ask);
        assert!(first.allow_mismatch && !next.allow_mismatch && next.allow_partial);
    }

    #[test]
    fn a_question_may_leave_the_build_open() {
        let text = r#"{"schema":1,"project":"notes","question":{"status":{"build":null}}}"#;
        let asked = QuestionDocument::parse(text).unwrap();
        assert_eq!(asked.question, Question::Status { build: None });
        let text = r#"{"schema":1,"project":"notes","question":{"delete":{}}}"#;
        assert!(QuestionDocument::parse(text).is_err());
    }
}
