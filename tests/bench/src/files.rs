//! Measures a build of many small source files in which nothing changed, beside a walk that asks for each file's stamp.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::child::ResourceUsage;
use crate::corpus::write;
use crate::readers::command;
use crate::report::{row, seconds};
use crate::words::Words;
use crate::{Options, Outcome};

const FILES: u32 = 100_000;
const FOLDERS: u32 = 100;
const FILE_BYTES: usize = 300;

/// The number of runs of each measurement, of which the median counts.
const RUNS: usize = 5;

const PIPELINE: &str = r#"[pipeline]
name = "files"
[layers.notes]
source = "notes/**/*.md"
"#;

pub(crate) fn run(options: &Options) -> Outcome<()> {
    let count = options.units.unwrap_or(FILES);
    let folder = crate::temporary_folder()?;
    let root = folder.path();
    write(&root.join("synix.toml"), PIPELINE)?;
    let mut words = Words::new(8);
    for number in 0..count {
        let parent = root.join("notes").join(format!("{:03}", number % FOLDERS));
        if number < FOLDERS {
            fs::create_dir_all(&parent)?;
        }
        let text = words.text(FILE_BYTES);
        write(&parent.join(format!("note-{number:06}.md")), &text)?;
    }
    let first = command(options, root, &["build"])?;
    // A file that was just written may change within the same tick of the clock, so its stamp is not trusted yet.
    command(options, root, &["build"])?;
    let mut walks = Vec::new();
    let mut again = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        let found = walk(&root.join("notes"))?;
        walks.push(start.elapsed());
        if found != count {
            return Err(format!("the walk found {found} files instead of {count}").into());
        }
        again.push(command(options, root, &["build"])?);
    }
    walks.sort();
    let floor = walks[RUNS / 2];
    let again = ResourceUsage::median(again);
    println!("{count} source files in {FOLDERS} folders, median of {RUNS}\n");
    row("walk and stamps alone", &seconds(floor), "the floor");
    row("first build", &seconds(first.wall), "");
    row(
        "build again, nothing changed",
        &seconds(again.wall),
        &format!(
            "{:.1} of the floor; goal 2 s for 100,000 files",
            again.wall.as_secs_f64() / floor.as_secs_f64()
        ),
    );
    row("  processor time", &seconds(again.processor), "");
    row("  peak memory", &again.memory(), "");
    Ok(())
}

/// Asks for size and time of each file below a folder, and returns the number of files.
fn walk(folder: &Path) -> Outcome<u32> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            count += walk(&entry.path())?;
        } else {
            let metadata = fs::metadata(entry.path())?;
            std::hint::black_box((metadata.len(), metadata.modified()?));
            count += 1;
        }
    }
    Ok(count)
}
