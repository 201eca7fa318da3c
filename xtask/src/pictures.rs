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
use crate::shell::{self, Failure, root, say};
use crate::webdriver::{Appearance, Browser};

/// The template that is shown, which has a second state.
const TEMPLATE: &str = "chat-memory";
const THEMES: [&str; 2] = ["dark", "light"];
/// A desk and a phone.
const WIDTHS: [u32; 2] = [1280, 360];
/// The time in which the server finds out what it adds to pages later, such as a plan.
const PATIENCE: Duration = Duration::from_secs(3);

/// Takes the pictures of a template that is built twice.
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
    let words = "build --locked --workspace --bin synix";
    shell::run(shell::cargo().args(words.split(' ')).current_dir(root()))?;
    let target = target_folder("pictures")?;
    Ok(target.with_file_name("debug").join("synix"))
}

/// Makes a project of the template, replays it, adds what comes later and replays it again.
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
    Ok(project)
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let mut command = Command::new("cp");
    command.arg("-r").arg(from.join(".")).arg(to);
    shell::read(&mut command).map(drop)
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

    /// Follows the links from the first page, and returns one page of each kind by its name.
    fn pages(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut pages = BTreeMap::new();
        let mut open = vec!["/".to_owned()];
        while let Some(page) = open.pop() {
            let name = match page.split('?').next().unwrap_or_default() {
                "/" => "overview",
                path => path.trim_start_matches('/'),
            };
            if name.contains('.') || name == "raw" || pages.contains_key(name) {
                continue;
            }
            pages.insert(name.to_owned(), page.clone());
            let html = self.get(&page)?;
            let links = html.split(" href=\"").skip(1);
            let links = links.filter_map(|rest| rest.split('"').next());
            let links = links.map(|link| link.replace("&amp;", "&"));
            open.extend(links.filter(|link| link.starts_with('/')));
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
