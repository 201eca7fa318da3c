//! Repeated runs over a file: again, with the same config in other bytes, and in parts of other sizes.

use super::baseline::Baseline;
use super::memory_file::MemoryFile;
use super::runner::ReaderRunner;
use crate::check::point::Point;
use crate::check::report::ReportBuilder;
use crate::check::runner::reformat_config;
use synix_core::json;

/// The number of runs to compare with the first one.
const REPEATS: usize = 2;
/// The most bytes of one part, each with the largest file that is read so. A reader may expect to see the first line or
/// the signature of a file at once.
const PARTS: [(usize, usize); 2] = [(61, 64 << 10), (4099, usize::MAX)];

/// Checks the points about repeated runs.
pub(super) fn check(runner: &ReaderRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    check_deterministic(runner, baseline, report);
    check_parts(runner, baseline, report);
}

fn check_deterministic(runner: &ReaderRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::Deterministic;
    for (file, first) in &baseline.files {
        let name = &file.name;
        for _ in 0..REPEATS {
            let repeated = runner.read(file, &baseline.config);
            if let Some(what) = first.difference(&repeated) {
                return report.fail(point, format!("{name}, read again: {what}"));
            }
            if repeated.log != first.log || repeated.fuel != first.fuel {
                let what = format!("its log or its fuel ({} and {})", first.fuel, repeated.fuel);
                return report.fail(point, format!("{name}, read again: {what} differs"));
            }
        }
        let moved = runner.read_with(
            MemoryFile::new(file.clone()),
            &reformat_config(&baseline.config),
        );
        if let Some(what) = first.difference(&moved) {
            let detail = format!(
                "{name} with the same config in other bytes: {what}; it depends on random numbers, addresses, the order of a hash map, or the formatting of its config"
            );
            return report.fail(point, detail);
        }
    }
    report.pass(
        point,
        format!(
            "{} runs over each file are equal, with their fuel",
            REPEATS + 1
        ),
    );
}

fn check_parts(runner: &ReaderRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let point = Point::ShortReads;
    if report.has_failed(Point::Deterministic) {
        return report.skip(point, "not checked: equal runs already differ");
    }
    let config = json::canonical_object(baseline.config.clone());
    let mut compared = 0_usize;
    for (file, first) in &baseline.files {
        for (bytes, largest) in PARTS {
            if file.bytes.len() > largest {
                continue;
            }
            compared += 1;
            let parted = MemoryFile::new(file.clone()).in_parts(bytes);
            let trial = runner.read_with(parted, &config);
            if let Some(what) = first.difference(&trial) {
                let detail = format!(
                    "{} in parts of at most {bytes} bytes: {what}; read on until you have what you need, or until a part is empty",
                    file.name
                );
                return report.fail(point, detail);
            }
        }
    }
    report.pass(point, format!("{compared} runs in parts of other sizes"));
}
