//! `synix view` in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::http::{self, HttpReply};
use crate::support::test_project::{TestProject, text};

/// How often a page is opened that does not have a text yet.
const MAX_LOOKS: u32 = 2000;

/// The server of a project's page, which ends with this value.
pub(crate) struct WebServer {
    child: Child,
    /// The URL that the command prints.
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
}

impl WebServer {
    #[track_caller]
    pub(crate) fn start(project: &TestProject) -> Self {
        Self::start_with(project, &[])
    }

    #[track_caller]
    pub(crate) fn start_with(project: &TestProject, arguments: &[&str]) -> Self {
        let arguments = [&["view", "--port", "0", "--json"], arguments].concat();
        Self::of(project.command(&arguments).process())
    }

    /// Starts the server that a command is.
    #[track_caller]
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a started command");
        let output = child.stdout.take().expect("the output of the command");
        let mut document = String::new();
        for line in BufReader::new(output).lines() {
            document.push_str(&line.expect("a line"));
            if let Ok(printed) = serde_json::from_str::<Value>(&document) {
                let url = text(&printed["url"]);
                return Self {
                    child,
                    address: address(&url),
                    url,
                };
            }
        }
        let status = child.wait().expect("an ended command");
        panic!("the command ended with {status} and printed {document:?}");
    }

    /// Gets a page as a browser on this machine does.
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> HttpReply {
        http::get(self.address, path)
    }

    /// Gets a page until it has a text: what takes long to compute is on it a little later.
    #[track_caller]
    pub(crate) fn page_with(&self, path: &str, text: &str) -> String {
        let mut page = String::new();
        for _ in 0..MAX_LOOKS {
            page = self.page(path);
            if page.contains(text) {
                return page;
            }
        }
        panic!("{path} never has {text:?}: {page}");
    }

    /// Gets a page that must be there, as text.
    #[track_caller]
    pub(crate) fn page(&self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the address in a URL, on this machine.
fn address(url: &str) -> SocketAddr {
    let rest = url.strip_prefix("http://").expect("a URL");
    let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
    host.parse().expect("an address in the URL")
}
