//! What a service reports while it runs.

use std::net::SocketAddr;
use std::num::NonZero;

use synix_project::Registration;

use crate::report::JobReport;

/// What a service reports while it runs.
#[derive(Debug, Clone)]
pub enum ServiceEvent {
    /// It can be called.
    Listening {
        /// The address with the port that the system chose.
        address: SocketAddr,
        /// The names of its projects.
        projects: Vec<String>,
        /// How many builds run at the same time.
        jobs: NonZero<usize>,
    },
    /// The server was told where the service is.
    Registration(Registration),
    /// A turn of a job has ended.
    Turn(JobReport),
    /// A build warns of something.
    Warning {
        /// The name of the project.
        project: String,
        /// What the user should know.
        message: String,
    },
}
