//! Traces and metrics of builds, as a receiver of OpenTelemetry gets them.

mod decoded;
#[cfg(unix)]
mod ends;
mod faults;
mod receiver;
mod traces;
mod variables;

use crate::support::invocation::Invocation;
use crate::support::test_project::TestProject;
use receiver::Receiver;

/// A command that reports to a receiver.
fn reporting(project: &TestProject, receiver: &Receiver, arguments: &[&str]) -> Invocation {
    let mut command = project.command(arguments);
    command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url())
        // No test fails because the machine is slow.
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")
        .env("OTEL_BSP_EXPORT_TIMEOUT", "600000")
        // Real times: those of a simulated clock would all be one.
        .env_remove("SYNIX_CLOCK");
    command
}
