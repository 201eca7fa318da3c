//! Measures commands on a project of a million artifacts in which nothing changed, beside reading its state file once.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::child::ResourceUsage;
use crate::corpus::write;
use crate::readers::command;
use crate::report::{row, seconds};
use crate::{Options, Outcome};

const ARTIFACTS: u32 = 1_000_000;

/// The number of runs of each measurement, of which the median counts.
const RUNS: usize = 5;

/// Each row is an artifact, and `chunk` makes another one of it.
const PIPELINE: &str = r#"[pipeline]
name = "million"
[layers.tickets]
source = "tickets.jsonl"
read = "rows"
[layers.tickets.config]
content = "text"
label = "id"
[layers.parts]
transform = "chunk"
inputs = ["tickets"]
"#;

const COMMANDS: [(&[&str], &str); 7] = [
    (&["build"], "goal 5 s"),
    (&["plan"], "goal 1 s"),
    (&["status"], "goal 1 s"),
    (&["list", "parts", "--limit", "1000"], "goal 1 s"),
    (&["list"], ""),
    (&["builds", "show", "build-1", "--log"], ""),
    (
        &["builds", "show", "build-1", "--log", "--after", "400000"],
        "",
    ),
];

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let count = options.units.unwrap_or(ARTIFACTS);
    let folder = crate::temporary_folder()?;
    let root = folder.path();
    write(&root.join("synix.toml"), PIPELINE)?;
    let mut rows = BufWriter::new(File::create(root.join("tickets.jsonl"))?);
    for number in 0..count / 2 {
        let text = format!(
            "Ticket {number}: the printer on floor {} is silent.",
            number % 40
        );
        let ticket = json!({ "id": format!("t{number:07}"), "text": text });
        writeln!(rows, "{ticket}")?;
    }
    rows.flush()?;
    let first = command(options, root, &["build"])?;
    // The file was written in the same tick of the clock as it was read, so its stamp is not trusted yet.
    command(options, root, &["build"])?;
    let floor = read_once(&root.join(".synix/state.sqlite3"))?;

    println!("{count} artifacts, half of them rows of one file, median of {RUNS}\n");
    row("first build", &seconds(first.wall), &first.memory());
    row("reading the state file", &seconds(floor), "the floor");
    for (arguments, goal) in COMMANDS {
        let runs = (0..RUNS)
            .map(|_| command(options, root, arguments))
            .collect::<Outcome<Vec<_>>>()?;
        let usage = ResourceUsage::median(runs);
        let ratio = usage.wall.as_secs_f64() / floor.as_secs_f64();
        let beside = format!("{ratio:.1} of the floor; {goal}");
        row(&arguments.join(" "), &seconds(usage.wall), &beside);
        row("  peak memory", &usage.memory(), "");
    }
    Ok(())
}

fn read_once(path: &Path) -> Outcome<Duration> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        io::copy(&mut File::open(path)?, &mut Discard(0))?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times[RUNS / 2])
}

/// Takes bytes from `io::copy`, which would let the kernel skip them for `io::sink`.
struct Discard(u64);

impl io::Write for Discard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(std::hint::black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
