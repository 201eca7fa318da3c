//! Updates the generated parts of the documents: the config tables of `docs/transforms.md` and `docs/sources.md`.

use std::fs;
use std::process::Command;

use crate::shell::{self, Failure, root};

const BEGIN: &str = "<!-- made by `cargo xtask docs`: ";
const END: &str = "<!-- end -->";

pub(crate) fn run() -> Result<(), Failure> {
    let build = ["build", "--locked", "--workspace"];
    shell::run(shell::cargo().args(build).current_dir(root()))?;
    for document in ["docs/transforms.md", "docs/sources.md"] {
        update(document)?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a half-written document can be generated again"
)]
fn update(document: &str) -> Result<(), Failure> {
    let path = root().join(document);
    let cannot = |error| Failure(format!("cannot update {}: {error}", path.display()));
    let text = fs::read_to_string(&path).map_err(cannot)?;
    let mut parts = text.split(BEGIN);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let broken = || {
            Failure(format!(
                "a generated part of {} has no end marker",
                path.display()
            ))
        };
        let (name, rest) = part.split_once(" -->").ok_or_else(broken)?;
        let (_, rest) = rest.split_once(END).ok_or_else(broken)?;
        let mut command = Command::new(root().join("target/debug/synix"));
        let table = shell::read(command.args(["plugin", "inspect", "--markdown", name]))?;
        made.push_str(&format!(
            "{BEGIN}{name} -->\n\n{}\n\n{END}{rest}",
            table.trim_end()
        ));
    }
    fs::write(&path, made).map_err(cannot)
}
