//! Records the cassettes of the templates again, with the real record mode and the scripted provider.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::provider::Provider;
use crate::shell::{self, Failure, root};

pub(crate) fn run() -> Result<(), Failure> {
    shell::run(
        shell::cargo()
            .args(["build", "--locked", "--workspace"])
            .current_dir(root()),
    )?;
    let programs = root().join("target/debug");
    for template in templates()? {
        record(&programs, &template)?;
        shell::run(
            Command::new(programs.join("synix"))
                .args(["test", "--update"])
                .arg(root().join("templates").join(&template)),
        )?;
    }
    Ok(())
}

/// Returns the names of the templates. Each has a script of the same name with its answers.
fn templates() -> Result<Vec<String>, Failure> {
    let folder = root().join("templates");
    let cannot =
        |error: std::io::Error| Failure(format!("cannot list {}: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        // Beside the templates is the crate that holds them.
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn record(programs: &Path, template: &str) -> Result<(), Failure> {
    let folder = root().join("templates").join(template);
    let script = root().join(format!("tests/provider/scripts/{template}.json"));
    let provider = Provider::start(programs, &script)?;
    let cassette = format!("cassettes/{template}.json");
    // A copy, because the second build has files that the project gets later.
    let copy = root().join("target/record").join(template);
    // It does not exist before the first run.
    let _ = fs::remove_dir_all(&copy);
    add(&folder, &copy)?;
    // The cassette must only contain the requests of the runs below.
    let _ = fs::remove_file(copy.join(&cassette));
    let build = || {
        let mut command = Command::new(programs.join("synix"));
        command
            .args(["batch-build", "run", "--poll", "--poll-interval", "0.1"])
            .arg(copy.join("synix.toml"))
            .env("SYNIX_CASSETTE_MODE", "record");
        provider.serve(&mut command);
        shell::run(&mut command)
    };
    build()?;
    let later = copy.join("later");
    if later.is_dir() {
        add(&later, &copy)?;
        build()?;
    }
    drop(provider);
    add(&copy.join("cassettes"), &folder.join("cassettes"))?;
    write_note(&folder.join(&cassette))
}

/// Copies the files of a folder into another one, without the state of a build.
fn add(from: &Path, to: &Path) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| {
        Failure(format!(
            "cannot copy {} to {}: {error}",
            from.display(),
            to.display()
        ))
    };
    fs::create_dir_all(to).map_err(cannot)?;
    for entry in fs::read_dir(from).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_name() == ".synix" || path.extension().is_some_and(|end| end == "lock") {
            continue;
        }
        if path.is_dir() {
            add(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(cannot)?;
        }
    }
    Ok(())
}

/// Writes the origin of the answers into the header of the cassette.
fn write_note(cassette: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(cassette)
        .map_err(|error| Failure(format!("cannot read {}: {error}", cassette.display())))?;
    let said = text
        .lines()
        .map(|line| {
            if line.starts_with("  \"note\": ") {
                "  \"note\": \"Recorded through `synix batch-build run` in record mode against the scripted provider in tests/provider: no API was reachable. The answers are ours.\","
            } else {
                line
            }
        })
        .collect::<Vec<_>>()
        .join("\n");
    fs::File::create(cassette)
        .and_then(|mut file| writeln!(file, "{said}"))
        .map_err(|error| Failure(format!("cannot write {}: {error}", cassette.display())))
}
