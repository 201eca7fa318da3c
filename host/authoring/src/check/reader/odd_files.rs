//! Files that no reader expects: empty, damaged, cut off, larger than the memory, or with another name.

use std::sync::Arc;

use super::SampleFile;
use super::baseline::Baseline;
use super::memory_file::MemoryFile;
use super::runner::{ReadTrial, ReaderRunner};
use crate::check::edge_case_fault;
use crate::check::failure::FailureCause;
use crate::check::point::Point;
use crate::check::report::ReportBuilder;
use synix_core::json;

/// The size of a file of noise.
const NOISE_BYTES: usize = 64 << 10;
/// The number of damaged versions of a file.
const DAMAGED: u64 = 4;
/// The number of places at which a file is cut off.
const CUTS: usize = 16;
/// The size that a file has which is larger than every memory.
const SPARSE_BYTES: u64 = 1 << 40;
/// How much of it is read, in MiB, beyond the memory of a run. A reader that holds all of it runs out of memory first.
const SPARE_BLOCKS: u64 = 32;
/// Names with no extension, another one, other characters, or a deep path.
const NAMES: [&str; 6] = [
    "noextension",
    "Upper Case (1).TXT",
    "ü/日本語.dat",
    ".hidden",
    "a/b/c/d/e/f/g/h.tar.gz",
    "trailing.",
];

/// A file under a name for people.
struct OddFile {
    what: String,
    file: MemoryFile,
    bytes: usize,
    /// Whether names that break a rule are the host's to refuse, because they come from the name of the file.
    may_break_names: bool,
}

impl OddFile {
    fn new(what: impl Into<String>, file: SampleFile) -> Self {
        Self {
            what: what.into(),
            bytes: file.bytes.len(),
            file: MemoryFile::new(file),
            may_break_names: false,
        }
    }

    fn sparse(what: &str, file: SampleFile, blocks: u64) -> Self {
        let mut odd = Self::new(what, file);
        odd.file = odd.file.sparse(SPARSE_BYTES, blocks);
        odd
    }
}

/// Checks the points about odd files.
pub(super) fn check(runner: &ReaderRunner<'_>, baseline: &Baseline, report: &mut ReportBuilder) {
    let Some((ordinary, _)) = baseline.files.first() else {
        return;
    };
    let blocks = (runner.limits.memory_bytes >> 20) as u64 + SPARE_BLOCKS;
    for (point, files) in [
        (
            Point::EmptyFile,
            vec![OddFile::new("an empty file", with(ordinary, Vec::new()))],
        ),
        (Point::NoiseFile, noise(ordinary)),
        (Point::CutFile, cut(ordinary)),
        (
            Point::SparseFile,
            vec![
                OddFile::sparse(
                    "a file of 1 TiB of zeros",
                    with(ordinary, Vec::new()),
                    blocks,
                ),
                OddFile::sparse("zeros up to 1 TiB after a file", ordinary.clone(), blocks),
            ],
        ),
        (Point::FileNames, names(ordinary)),
    ] {
        check_point(runner, baseline, report, point, files);
    }
}

fn check_point(
    runner: &ReaderRunner<'_>,
    baseline: &Baseline,
    report: &mut ReportBuilder,
    point: Point,
    files: Vec<OddFile>,
) {
    let config = json::canonical_object(baseline.config.clone());
    let count = files.len();
    for odd in files {
        let OddFile {
            what,
            file,
            bytes,
            may_break_names,
        } = odd;
        let trial = runner.read_with(file, &config);
        if let Some((label, first, second)) = trial.duplicate_label() {
            report.fail(
                Point::Labels,
                format!("{what} gives the label {label:?} twice, at {first:?} and {second:?}"),
            );
        }
        let Some((at, problem)) = fault(&trial, point, bytes, may_break_names) else {
            continue;
        };
        report.fail(at, format!("with {what}: {problem}"));
        return report.skip(point, format!("with {what}, `{}` failed", at.name()));
    }
    let detail = if point == Point::SparseFile {
        "a file of 1 TiB ends in an artifact, a skipped part or an error, or is read on".to_owned()
    } else if count == 1 {
        "ends in an artifact, a skipped part or an error".to_owned()
    } else {
        format!("{count} files end in an artifact, a skipped part or an error")
    };
    report.pass(point, detail);
}

/// Returns the point and the problem of a run that did not end as it should.
fn fault(
    trial: &ReadTrial,
    point: Point,
    bytes: usize,
    may_break_names: bool,
) -> Option<(Point, String)> {
    let failure = trial.failure.as_ref()?;
    if may_break_names && failure.cause == FailureCause::Output {
        return None;
    }
    // Only the size of the file made it reach the limit.
    if point == Point::SparseFile && failure.cause == FailureCause::Limit {
        let detail = format!(
            "{}; read the file in parts, and bound what you keep of it",
            failure.message
        );
        return Some((point, detail));
    }
    edge_case_fault(failure, point, bytes)
}

fn with(ordinary: &SampleFile, bytes: impl Into<Arc<[u8]>>) -> SampleFile {
    SampleFile {
        name: ordinary.name.clone(),
        bytes: bytes.into(),
    }
}

fn noise(ordinary: &SampleFile) -> Vec<OddFile> {
    let mut random = Random(1);
    let noise: Vec<u8> = (0..NOISE_BYTES).map(|_| random.byte()).collect();
    let mut text = noise.clone();
    for byte in &mut text {
        *byte = b"{}[]\",:\\<>/\n abc0-.\xff\xc3"[usize::from(*byte) % 20];
    }
    let mut files = vec![
        OddFile::new("a file of noise", with(ordinary, noise)),
        OddFile::new("a file of punctuation", with(ordinary, text)),
        OddFile::new("a file of zeros", with(ordinary, vec![0; NOISE_BYTES])),
        OddFile::new(
            "a file of one long line",
            with(ordinary, vec![b'x'; NOISE_BYTES]),
        ),
        OddFile::new(
            "a file of line ends",
            with(ordinary, vec![b'\n'; NOISE_BYTES]),
        ),
    ];
    for seed in 1..=DAMAGED {
        let mut random = Random(seed);
        let mut bytes = ordinary.bytes.to_vec();
        let changes = bytes.len() / 20 + 1;
        for _ in 0..changes {
            let at = random.below(bytes.len());
            let byte = random.byte();
            if let Some(target) = bytes.get_mut(at) {
                *target = byte;
            }
        }
        files.push(OddFile::new(
            format!("a damaged copy of {}", ordinary.name),
            with(ordinary, bytes),
        ));
    }
    files
}

fn cut(ordinary: &SampleFile) -> Vec<OddFile> {
    let length = ordinary.bytes.len();
    let step = (length / CUTS).max(1);
    let mut ends: Vec<usize> = (1..length).step_by(step).collect();
    ends.extend(length.checked_sub(1));
    ends.dedup();
    let cut = |end: usize| {
        let bytes = ordinary.bytes.get(..end).unwrap_or_default();
        OddFile::new(
            format!("the first {end} bytes of {}", ordinary.name),
            with(ordinary, bytes),
        )
    };
    ends.into_iter().map(cut).collect()
}

fn names(ordinary: &SampleFile) -> Vec<OddFile> {
    let long = format!("{}/{}.txt", "deep/".repeat(60), "x".repeat(240));
    let named = |name: &str| {
        let shown: String = name.chars().take(60).collect();
        let file = SampleFile {
            name: name.to_owned(),
            bytes: Arc::clone(&ordinary.bytes),
        };
        let mut odd = OddFile::new(format!("the name {shown:?}"), file);
        odd.may_break_names = true;
        odd
    };
    let all = NAMES.into_iter().chain([long.as_str()]);
    all.map(named).collect()
}

/// Bytes that look random and are the same on every run.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next()).map_or(0, |number| number % limit.max(1))
    }
}
