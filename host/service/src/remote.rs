//! The client: hands builds to a service, and asks about them.

use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use synix_engine::view::{BuildLog, Overview, Status};
use synix_project::{Options, ProjectError, endpoint_url, engine_url};
use synix_restate::ServiceClient;
use synix_restate::ServiceError as CallError;
use synix_store::LogPage;

use crate::ServiceError;
use crate::documents::{JobDocument, JobOptions, Question, QuestionDocument, SCHEMA, key, write};
use crate::names::{check_name, new_job};
use crate::report::JobReport;

/// The builds of a project at a service.
#[derive(Debug)]
pub struct RemoteBuilds {
    client: ServiceClient,
    project: String,
    runtime: Runtime,
}

/// A job that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedJob {
    /// Its id.
    pub job: String,
    /// Whether a service has accepted it. If not, the server hands it over as soon as there is one.
    pub is_accepted: bool,
}

impl RemoteBuilds {
    /// Finds the server and the name of the project: that of the pipeline at hand unless one is given.
    pub fn open(options: &Options, project: Option<&str>) -> Result<Self, ServiceError> {
        let project = match project {
            Some(name) => name.to_owned(),
            None => match synix_project::pipeline_name(options) {
                Ok(name) => name,
                Err(ProjectError::NoPipeline { .. }) => return Err(ServiceError::NoProject),
                Err(error) => return Err(error.into()),
            },
        };
        check_name(&project)?;
        let url = match engine_url(options) {
            Ok(url) => url,
            // The folder has no project, so it names no server.
            Err(ProjectError::NoPipeline { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let url = url.ok_or(ServiceError::NoServer)?;
        let url = endpoint_url("--engine", &url)?;
        let client = ServiceClient::new(&url).map_err(|error| ServiceError::Start {
            source: error.into(),
        })?;
        Ok(Self {
            client,
            project,
            runtime: synix_project::runtime()?,
        })
    }

    /// Returns the name of the project at the service.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Hands over a build: a new one, or one that the service has and is to resume.
    pub fn submit(
        &self,
        resume: Option<&str>,
        options: &JobOptions,
    ) -> Result<SubmittedJob, ServiceError> {
        let job = new_job().map_err(|error| ServiceError::Start {
            source: error.to_string().into(),
        })?;
        let document = JobDocument {
            schema: SCHEMA,
            job: job.clone(),
            project: self.project.clone(),
            resume: resume.map(str::to_owned),
            options: options.clone(),
        };
        let submitted = self
            .runtime
            .block_on(self.client.submit(&document.key(), &write(&document)));
        let is_accepted = match submitted {
            Ok(()) => true,
            Err(CallError::Waiting) => false,
            Err(error) => return Err(self.error(error, &job)),
        };
        Ok(SubmittedJob { job, is_accepted })
    }

    /// Returns what became of a job.
    pub fn job(&self, job: &str) -> Result<JobReport, ServiceError> {
        let key = key(&self.project, job);
        let report = self.runtime.block_on(self.client.report(&key));
        match report.map_err(|error| self.error(error, job))? {
            Some(report) => parse(&report),
            None => Ok(JobReport::begun(job, &self.project)),
        }
    }

    /// Returns the overview of the project at the service.
    pub fn overview(&self) -> Result<Overview, ServiceError> {
        self.ask(Question::Overview {})
    }

    /// Returns the status of a build, or of the newest one. The id of its job names it, too.
    pub fn status(&self, build: Option<&str>) -> Result<Status, ServiceError> {
        let build = build.map(str::to_owned);
        self.ask(Question::Status { build })
    }

    /// Returns a part of the log of a build, or of the newest one. The service limits its size.
    pub fn log(&self, build: Option<&str>, page: LogPage) -> Result<BuildLog, ServiceError> {
        self.ask(Question::Log {
            build: build.map(str::to_owned),
            after: page.after,
            limit: page.limit,
            since: page.since,
        })
    }

    /// Cancels a build, and its batches at the providers.
    pub fn cancel(&self, build: &str) -> Result<Status, ServiceError> {
        let build = build.to_owned();
        self.ask(Question::Cancel { build })
    }

    fn ask<T: DeserializeOwned>(&self, question: Question) -> Result<T, ServiceError> {
        let document = QuestionDocument {
            schema: SCHEMA,
            project: self.project.clone(),
            question,
        };
        let answer = self.runtime.block_on(self.client.ask(&write(&document)));
        parse(&answer.map_err(|error| self.error(error, ""))?)
    }

    fn error(&self, error: CallError, job: &str) -> ServiceError {
        match error {
            CallError::Unavailable { server, reason } => {
                ServiceError::Unavailable { server, reason }
            }
            CallError::Waiting => ServiceError::Waiting {
                server: self.client.server().to_owned(),
            },
            CallError::Unknown { server } => ServiceError::UnknownJob {
                server,
                project: self.project.clone(),
                job: job.to_owned(),
            },
            CallError::Refused(text) => ServiceError::refused(text),
        }
    }
}

impl SubmittedJob {
    /// Returns the report of the job before the service has ended a turn of it.
    pub fn report(&self, project: &str) -> JobReport {
        JobReport::begun(&self.job, project)
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ServiceError> {
    serde_json::from_str(text).map_err(ServiceError::Reply)
}
