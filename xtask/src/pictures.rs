//! Takes a picture of every kind of page of `synix view`, light and dark, wide and narrow.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::browser;
use crate::probe::{create_folder, target_folder};
use crate::provider::Provider;
use crate::shell::{self, Failure, root, say};
use crate::webdriver::{Appearance, Browser};

/// The template that is shown, which has a second state.
const TEMPLATE: &str = "chat-memory";
const THEMES: [&str; 2] = ["dark", "light"];
/// A desk and a phone.
const WIDTHS: [u32; 2] = [1280, 360];
/// The time in which the server finds out what it adds to pages later, such as a plan.
const PATIENCE: Duration = Duration::from_secs(3);

/// The first page, those with failures, and a comparison, which nothing links to. Of each other kind, the first page is shown that is linked somewhere.
const CHOSEN: [&str; 5] = [
    "/",
    "/diff?before=snapshot-1&after=snapshot-2",
    "/failures?build=build-3&layer=episodes",
    "/layer?name=episodes",
    "/build?id=build-3",
];
/// What the provider replies in the third build, as rules that precede those of the template's own script: an input that
/// is refused, some that fail for the same reason, and one whose answer is truncated.
const FAILURES: &str = r#""rules": [
    {"contains": "Title: Gerald after the move\n", "reply": {"refusal": "I would rather not speak about Gerald."}},
    {"contains": "Title: Module 1", "reply": {"status": {"code": 500}}},
    {"contains": "Title: Module 2", "reply": {"status": {"code": 500}}},
    {"contains": "Title: Module 3", "reply": {"status": {"code": 500}}},
    {"contains": "Title: Twelve kilos", "reply": {"finish": {"reason": "length"}}},
"#;

/// Takes the pictures of a template that is built three times, the last time with failures.
pub(crate) fn run(to: &str) -> Result<(), Failure> {
    println!("pictures");
    browser::run_setup()?;
    let to = std::path::absolute(to).map_err(|error| Failure(format!("{to}: {error}")))?;
    create_folder(&to)?;
    let program = build()?;
    let project = project(&program)?;
    let server = Server::start(&program, &project)?;
    let profile = target_folder("pictures/profile")?;
    let _ = fs::remove_dir_all(&profile);
    let browser = Browser::start(&profile)?;
    let pages = server.pages()?;
    std::thread::sleep(PATIENCE);
    for (name, page) in pages {
        let mut too_wide = Vec::new();
        for theme in THEMES {
            for width in WIDTHS {
                browser.show_as(Appearance { theme, width })?;
                browser.open(&format!("http://{}{page}", server.address))?;
                let file = to.join(format!("{name}-{theme}-{width}.png"));
                browser.take_picture(width, &file)?;
                if browser.is_too_wide()? && !too_wide.contains(&width) {
                    too_wide.push(width);
                }
            }
        }
        say(&format!("{name}: {page}"));
        for width in too_wide {
            say(&format!("{name} is wider than a window of {width} pixels"));
        }
    }
    Ok(())
}

/// Builds the command and returns its path.
fn build() -> Result<PathBuf, Failure> {
    // With the features of the whole workspace, as the tests build it.
    let words = "build --locked --workspace --bin synix --bin scripted-provider";
    shell::run(shell::cargo().args(words.split(' ')).current_dir(root()))?;
    let target = target_folder("pictures")?;
    Ok(target.with_file_name("debug").join("synix"))
}

/// Makes a project of the template, replays it, adds what comes later, replays it again, and builds it with a changed
/// prompt and failures.
fn project(program: &Path) -> Result<PathBuf, Failure> {
    let project = target_folder("pictures")?.join("project");
    let _ = fs::remove_dir_all(&project);
    create_folder(&project)?;
    let template = root().join("templates").join(TEMPLATE);
    copy(&template, &project)?;
    let replay = ["build", "--cassette-mode", "replay", "--quiet"];
    shell::read(Command::new(program).args(replay).current_dir(&project))?;
    copy(&template.join("later"), &project)?;
    shell::read(Command::new(program).args(replay).current_dir(&project))?;
    build_with_failures(program, &project)?;
    Ok(project)
}

fn build_with_failures(program: &Path, project: &Path) -> Result<(), Failure> {
    let prompt = project.join("prompts/episode.md");
    edit(&prompt, &prompt, |text| {
        text.replacen("60 words", "50 words", 1)
    })?;
    let script = root().join(format!("tests/provider/scripts/{TEMPLATE}.json"));
    let failing = project.with_file_name("script.json");
    edit(&script, &failing, |text| {
        text.replacen("\"rules\": [", FAILURES, 1)
    })?;
    let programs = program.parent().unwrap_or(program);
    let provider = Provider::start(programs, &failing)?;
    let mut command = Command::new(program);
    command.args([
        "batch-build",
        "run",
        "--poll",
        "--poll-interval",
        "0",
        "--quiet",
    ]);
    command
        .current_dir(project)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    provider.serve(&mut command);
    let failed = |error: std::io::Error| Failure(format!("cannot build: {error}"));
    match command.status().map_err(failed)?.code() {
        Some(3) => Ok(()),
        other => Err(Failure(format!("the build has no failed units: {other:?}"))),
    }
}

/// Writes a changed copy of a text.
fn edit(from: &Path, to: &Path, change: impl Fn(&str) -> String) -> Result<(), Failure> {
    let text = fs::read_to_string(from).and_then(|text| {
        let changed = change(&text);
        fs::File::create(to)?.write_all(changed.as_bytes())?;
        Ok(changed != text)
    });
    match text {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure(format!("{}: nothing was changed", from.display()))),
        Err(error) => Err(Failure(format!("{}: {error}", from.display()))),
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut command = Command::new("cp");
    command.arg("-r").arg(from.join(".")).arg(to);
    shell::read(&mut command).map(drop)
}

/// Returns the name of the kind of a page; `None` if it is not shown.
fn name(page: &str) -> Option<String> {
    let name = match page.split('?').next().unwrap_or_default() {
        "/" => "overview",
        path => path.trim_start_matches('/'),
    };
    (!name.contains('.') && name != "raw").then(|| name.to_owned())
}

/// `synix view`, which ends with this value.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(program: &Path, project: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure(format!("cannot start `synix view`: {error}"));
        let mut command = Command::new(program);
        command.args(["view", "--port", "0"]).current_dir(project);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output)
                .read_line(&mut line)
                .map_err(failed)?;
        }
        let address = line.trim().trim_start_matches("http://");
        Ok(Self {
            child,
            address: address.trim_end_matches('/').to_owned(),
        })
    }

    /// Follows the links from the chosen pages, and returns one page of each kind by its name.
    fn pages(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut open: Vec<String> = CHOSEN.map(str::to_owned).into();
        let mut pages: BTreeMap<String, String> = open
            .iter()
            .filter_map(|page| Some((name(page)?, page.clone())))
            .collect();
        while let Some(page) = open.pop() {
            let html = self.get(&page)?;
            let links = html.split(" href=\"").skip(1);
            let links = links.filter_map(|rest| rest.split('"').next());
            let links = links.map(|link| link.replace("&amp;", "&"));
            for link in links.filter(|link| link.starts_with('/')) {
                if let Some(name) = name(&link)
                    && !pages.contains_key(&name)
                {
                    pages.insert(name, link.clone());
                    open.push(link);
                }
            }
        }
        Ok(pages)
    }

    fn get(&self, page: &str) -> Result<String, Failure> {
        let address = &self.address;
        let get = || {
            let mut stream = TcpStream::connect(address)?;
            let head =
                format!("GET {page} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply)?;
            Ok(String::from_utf8_lossy(&reply).into_owned())
        };
        get().map_err(|error: std::io::Error| Failure(format!("{page}: {error}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
