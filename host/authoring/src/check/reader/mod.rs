//! The check of a reader: files in memory take the place of inputs, and there is no model.
//!
//! ```text
//! memory_file · runner          one run over a file in memory, and what it handed over
//! sample_files · baseline       ordinary files, and a config with which they give artifacts
//! repeated · odd_files          the checks, in groups
//! file_configs                  the ordinary files, for the checks on configs
//! ```

mod baseline;
mod file_configs;
mod memory_file;
mod odd_files;
mod repeated;
mod runner;
mod sample_files;

use std::sync::Arc;

use super::point::Point;
use super::progress::Progress;
use super::report::{CheckProgress, CheckReport, Deadline, ReportBuilder};
use super::{CheckOptions, config, description, schema};
use crate::PluginKind;
use synix_sandbox::{Descriptor, Sandbox, Shape};

use file_configs::FileConfigs;
use runner::ReaderRunner;

/// The maximum log of a run, less the maximum of one line.
const LOG_BYTES: usize = (1 << 20) - (16 << 10);

/// A file for the check of a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleFile {
    /// The path below the project folder that the reader sees.
    pub name: String,
    /// The content.
    pub bytes: Arc<[u8]>,
}

/// Checks the reader in `bytes`, as [`super::check`] does for every plugin.
pub(super) fn check(
    sandbox: &Sandbox,
    (name, bytes): (&str, &[u8]),
    options: &CheckOptions,
    deadline: Deadline,
    on_progress: &dyn Fn(CheckProgress),
) -> CheckReport {
    let mut report = ReportBuilder::new(PluginKind::Reader, deadline);
    let progress = Progress::start(on_progress);
    let reader = match sandbox.load_reader(name, bytes) {
        Ok(reader) => reader,
        Err(error) => {
            description::add_load_error(&error, &mut report);
            let reason = "not checked: the component cannot be loaded";
            return report.finish(name.to_owned(), None, reason);
        }
    };
    let descriptor = reader.descriptor();
    let (name, version) = (descriptor.name.clone(), Some(descriptor.version.clone()));
    report.pass(
        Point::Component,
        format!(
            "matches {}, can be called, and imports nothing but the file and the log",
            Sandbox::contract()
        ),
    );
    description::check(descriptor, &mut report);
    check_capabilities(descriptor, &mut report);
    schema::check(&descriptor.config_schema, &mut report);
    let runner = ReaderRunner {
        reader: &reader,
        interruption: sandbox.interrupt_handle(),
        limits: options.limits.clone(),
        deadline,
        progress,
    };
    runner.progress.start_stage("read ordinary files");
    let baseline = match baseline::find(&runner, options) {
        Ok(baseline) => baseline,
        Err((point, detail)) => {
            report.fail(point, detail);
            let reason = "not checked: no config and files were found";
            return report.finish(name, version, reason);
        }
    };
    if baseline.check(&mut report) {
        report.pass(Point::Descriptor, "its description follows the rules");
        report.pass(Point::Outputs, "every artifact follows the rules");
        runner
            .progress
            .start_stage("read files again and in other parts");
        repeated::check(&runner, &baseline, &mut report);
        runner.progress.start_stage("read odd files");
        odd_files::check(&runner, &baseline, &mut report);
        runner.progress.start_stage("try unusual configs");
        let configs = FileConfigs {
            runner: &runner,
            baseline: &baseline,
        };
        config::check(&configs, &mut report);
        if !report.has_failed(Point::Labels) {
            report.pass(Point::Labels, "unique in every file");
        }
        if !report.has_failed(Point::Limits) {
            report.pass(Point::Limits, "no run reached a limit");
        }
    }
    report.finish(name, version, "not checked: ordinary files are not read")
}

fn check_capabilities(descriptor: &Descriptor, report: &mut ReportBuilder) {
    if descriptor.shape != Shape::PerInput {
        report.fail(
            Point::Descriptor,
            "its shape is not `per-input`; each file is a unit of a reader",
        );
    }
    match descriptor.capabilities.first() {
        None => report.pass(Point::Capabilities, "declares nothing"),
        Some(name) => report.fail(
            Point::Capabilities,
            format!("it declares `{name}`, but a reader has no capabilities"),
        ),
    }
}
