//! The names of the services in the server.

/// The service of the workers, and its only handler.
pub(crate) const UNITS: &str = "synix.Units";
pub(crate) const RUN: &str = "run";

/// The object of jobs.
pub(crate) const JOB: &str = "synix.Job";
pub(crate) const SUBMIT: &str = "submit";
pub(crate) const REPORT: &str = "report";
pub(crate) const ADVANCE: &str = "advance";

/// The service that answers questions about builds, and its only handler.
pub(crate) const BUILDS: &str = "synix.Builds";
pub(crate) const ASK: &str = "ask";
