//! Output at a terminal: the prompt of `synix trust`, lines that are redrawn, escaped content.
//!
//! `script` of util-linux provides the terminal.

#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use synix_scripted_provider::{Rule, Script};

use crate::support::test_project::TestProject;

/// The exit code of a command at a terminal, and everything that was drawn.
struct TerminalOutput {
    code: i32,
    drawn: String,
}

/// Runs a command at a terminal of 100 columns. `typed` is typed as soon as the terminal shows `prompt`.
fn run_and_type(
    project: &TestProject,
    arguments: &[&str],
    prompt: &str,
    typed: &str,
) -> TerminalOutput {
    let plain = project.command(arguments).process();
    let mut line = "stty cols 100 rows 30; exec".to_owned();
    for word in std::iter::once(plain.get_program()).chain(plain.get_args()) {
        let _ = write!(line, " '{}'", word.to_str().unwrap());
    }
    let mut script = Command::new("script");
    script
        .args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &line,
            "/dev/null",
        ])
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm"),
            ("SHELL", "/bin/sh"),
        ])
        .current_dir(plain.get_current_dir().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    // It stays open until the end, because `script` would type an end of file when it is closed.
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let (mut bytes, mut piece, mut has_typed) = (Vec::new(), [0; 4096], false);
    loop {
        let read = screen.read(&mut piece).unwrap();
        bytes.extend_from_slice(&piece[..read]);
        if read == 0 {
            break;
        }
        if !has_typed && !typed.is_empty() && String::from_utf8_lossy(&bytes).contains(prompt) {
            keyboard.write_all(typed.as_bytes()).unwrap();
            has_typed = true;
        }
    }
    drop(keyboard);
    let code = child.wait().unwrap().code().unwrap_or(-1);
    let drawn = String::from_utf8(bytes).unwrap();
    assert_eq!(
        has_typed,
        !typed.is_empty(),
        "{prompt} was not asked: {drawn}"
    );
    TerminalOutput { code, drawn }
}

fn run_at_terminal(project: &TestProject, arguments: &[&str]) -> TerminalOutput {
    run_and_type(project, arguments, "", "")
}

/// A project that needs permission for a command.
fn project_with_on_done() -> TestProject {
    let project = TestProject::team();
    let file = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let name = "name = \"suite\"";
    project.write(
        "synix.toml",
        &file.replacen(name, &format!("{name}\non_done = \"true\""), 1),
    );
    project
}

/// `y` or `yes` grants. Anything else refuses, including an empty line and the end of the input.
#[test]
fn trust_prompts_at_a_terminal() {
    let question = "Do you grant all of these permissions, now and in later builds? [y/N] ";
    for (typed, code, answer) in [
        ("n\n", 5, "nothing was granted"),
        ("\n", 5, "nothing was granted"),
        ("maybe\n", 5, "nothing was granted"),
        ("\u{4}", 5, "nothing was granted"),
        ("y\n", 0, "run `synix trust revoke` to revoke it"),
        ("YES\n", 0, "run `synix trust revoke` to revoke it"),
    ] {
        let project = project_with_on_done();
        let output = run_and_type(&project, &["trust"], question, typed);
        assert_eq!(output.code, code, "{typed:?}: {}", output.drawn);
        assert!(output.drawn.contains(answer), "{typed:?}: {}", output.drawn);
        // The permissions are listed before the prompt.
        let (permissions, _) = output.drawn.split_once(question).unwrap();
        assert!(
            permissions.contains("run this command with your rights when a build ends: true"),
            "{permissions}"
        );
        project.run(&["build"]).expect_code(code);
    }
}

/// There is no prompt if the answer is known, or if the output is a JSON document.
#[test]
fn trust_does_not_prompt_without_a_question() {
    let project = project_with_on_done();
    let document = run_at_terminal(&project, &["trust", "--json"]);
    assert_eq!(document.code, 5, "{}", document.drawn);
    assert!(!document.drawn.contains("[y/N]"), "{}", document.drawn);
    assert_eq!(run_at_terminal(&project, &["trust", "--yes"]).code, 0);
    let repeated = run_at_terminal(&project, &["trust"]);
    assert_eq!(repeated.code, 0, "{}", repeated.drawn);
    assert!(!repeated.drawn.contains("[y/N]"), "{}", repeated.drawn);
}

/// Moves the cursor up, which only a terminal needs.
const CURSOR_UP: &str = "\u{1b}[1A";

/// A terminal has one line for each layer and batch, which is redrawn when it changes. A pipe and `--quiet` have none.
#[test]
fn progress_is_drawn_only_at_a_terminal() {
    for command in [
        &["build"][..],
        &["batch-build", "run", "--poll", "--poll-interval", "0"],
    ] {
        let project = TestProject::team();
        let output = run_at_terminal(&project, command);
        assert_eq!(output.code, 0, "{}", output.drawn);
        assert!(output.drawn.contains(CURSOR_UP), "{:?}", output.drawn);
        for line in ["styles: 3 made", "summary: 1 made", "build-1 completed"] {
            assert!(output.drawn.contains(line), "{line}: {:?}", output.drawn);
        }
        assert_eq!(
            output.drawn.contains("batch batch"),
            command.len() > 1,
            "{:?}",
            output.drawn
        );
        let project = TestProject::team();
        let piped = project.ok(command);
        assert!(!piped.says("\u{1b}"), "{piped:?}");
    }
    let project = TestProject::team();
    let quiet = run_at_terminal(&project, &["build", "--quiet"]);
    assert!(
        // The result itself has colours.
        !quiet.drawn.contains(CURSOR_UP) && !quiet.drawn.contains("styles: "),
        "{:?}",
        quiet.drawn
    );
}

/// W16: `--raw` prints content without changes.
#[test]
fn content_is_escaped_at_a_terminal_without_raw() {
    let project = TestProject::team();
    let content = "first\u{1b}[2Jsecond\u{202e}third";
    project.script(Script::new().rule(Rule::any().text(content)));
    project.ok(&["build"]);
    let shown = run_at_terminal(&project, &["show", "summary"]);
    assert_eq!(shown.code, 0, "{}", shown.drawn);
    assert!(
        shown.drawn.contains("first\\u{1b}[2Jsecond\\u{202e}third"),
        "{:?}",
        shown.drawn
    );
    assert!(!shown.drawn.contains('\u{1b}'), "{:?}", shown.drawn);
    let raw = run_at_terminal(&project, &["show", "summary", "--raw"]);
    assert!(raw.drawn.contains(content), "{:?}", raw.drawn);
}
