//! The tools of the languages, and plugins that are made with them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::support::invocation::Run;

pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Returns the folder that `cargo xtask setup --languages` fills, or the one named in `SYNIX_TOOLS`.
pub(crate) fn tool_folder() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the tools are is the runner's choice"
    )]
    let named = std::env::var_os("SYNIX_TOOLS").map(PathBuf::from);
    named.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("languages/bin"))
}

/// Returns the path of a tool.
#[track_caller]
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = tool_folder().join(name);
    assert!(
        path.is_file(),
        "{} is not there: run `cargo xtask setup --languages`",
        path.display()
    );
    path
}

/// Runs a command that must succeed.
#[track_caller]
pub(crate) fn expect_success(command: &mut Command) -> Run {
    Run::of(command).expect_code(0)
}

/// `synix plugin` with the tools of the languages.
pub(crate) fn plugin_command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_synix"));
    command
        .arg("plugin")
        .args(arguments)
        .arg(folder)
        .env("SYNIX_TOOLS", tool_folder())
        .env(
            "XDG_CACHE_HOME",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/home/cache"),
        )
        .stdin(Stdio::null());
    command
}

/// Makes a plugin's folder with `synix plugin new`.
pub(crate) fn scaffold(language: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    expect_success(&mut plugin_command(
        &["new", "items", "--lang", language],
        folder.path(),
    ));
    folder
}

/// Builds a plugin with `synix plugin build` and returns the component.
pub(crate) fn build_component(folder: &Path) -> Vec<u8> {
    let file = expect_success(&mut plugin_command(&["build"], folder)).stdout;
    fs::read(file.trim()).unwrap()
}

/// An example that `synix plugin new` and `synix plugin build` made, without edits.
#[derive(Debug)]
pub(crate) struct BuiltExample {
    pub folder: PathBuf,
    pub file: PathBuf,
    pub component: Vec<u8>,
}

/// Returns the example in a language. It is built once for all tests, because most compilers take longer than the
/// tests.
pub(crate) fn built_example(language: &str) -> &'static BuiltExample {
    static EXAMPLES: [OnceLock<BuiltExample>; 6] = [const { OnceLock::new() }; 6];
    let at = languages().iter().position(|known| known == language);
    EXAMPLES[at.unwrap()].get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("examples/{language}"));
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        expect_success(&mut plugin_command(
            &["new", "items", "--lang", language],
            &folder,
        ));
        let component = build_component(&folder);
        let file = folder.join("items.wasm");
        BuiltExample {
            folder,
            file,
            component,
        }
    })
}

/// Returns every language that has a scaffold.
pub(crate) fn languages() -> Vec<String> {
    let scaffolds = fs::read_dir(format!("{ROOT}/plugins/scaffolds")).unwrap();
    let mut names: Vec<String> = scaffolds
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns the command in a language's README that runs the plugin's own test.
pub(crate) fn documented_test_command(language: &str) -> String {
    let readme = format!("{ROOT}/plugins/scaffolds/{language}/README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let line = readme.split("```sh\n").nth(1).unwrap().lines().next();
    let command = line.unwrap().split("  #").next().unwrap();
    command.split(" # ").next().unwrap().trim().to_owned()
}

/// Runs a command in a shell whose path begins with the tools of the languages.
#[track_caller]
pub(crate) fn run_in_shell(line: &str, folder: &Path) {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo, python3 and node stand where the caller's environment says"
    )]
    let inherited_path = std::env::var_os("PATH").unwrap_or_default();
    let mut path = OsString::from(tool_folder());
    path.push(":");
    path.push(inherited_path);
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .env("PATH", path)
        .env("GOTOOLCHAIN", "local")
        .env("GOPROXY", "off")
        .current_dir(folder);
    expect_success(&mut command);
}

/// Replaces a part of a source file, which must contain it.
#[track_caller]
pub(crate) fn replace_in_file(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}
