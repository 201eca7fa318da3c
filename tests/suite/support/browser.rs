//! Chromium without a window, driven through `chromedriver` in the WebDriver protocol.
//!
//! Each browser has an empty profile of its own. A test fails if neither is installed: `cargo xtask setup --browser`
//! installs both.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::http;

/// The key under which WebDriver returns an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// What ends the wait for a condition: as many looks, each of which takes a call to the browser.
const MAX_LOOKS: u32 = 2000;

/// Whether pages may run scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scripts {
    Enabled,
    Disabled,
}

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: TempDir,
}

impl Browser {
    #[track_caller]
    pub(crate) fn start(scripts: Scripts) -> Self {
        let spawned = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut driver = match spawned {
            Ok(driver) => driver,
            Err(error) => {
                panic!("chromedriver does not run ({error}): run `cargo xtask setup --browser`")
            }
        };
        let output = driver.stdout.take().expect("the output of the driver");
        let mut lines = BufReader::new(output).lines();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.expect("a port of the driver");
        // A driver whose output is not read would stop.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let capabilities = capabilities(&profile, scripts);
        let reply = command(address, "POST", "/session", &capabilities);
        let session = reply["sessionId"].as_str();
        let Some(session) = session.map(str::to_owned) else {
            let _ = driver.kill();
            panic!("Chromium does not start: run `cargo xtask setup --browser`: {reply:#}");
        };
        let browser = Self {
            driver,
            address,
            session,
            _profile: profile,
        };
        // The browser begins with a page of its own, which loads others.
        browser.open("about:blank");
        browser.requested();
        browser
    }

    /// Opens a page and waits until it is loaded.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    pub(crate) fn url(&self) -> String {
        self.string("/url")
    }

    /// Returns the text of the first element that a CSS selector finds, as a person sees it.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        let element = self.element("css selector", selector);
        self.string(&format!("/element/{element}/text"))
    }

    /// Returns the texts of all elements that a CSS selector finds.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let search = json!({ "using": "css selector", "value": selector });
        let found = self.post("/elements", &search);
        let elements = found.as_array().expect("elements").iter();
        elements
            .filter_map(|element| element[ELEMENT].as_str())
            .map(|element| self.string(&format!("/element/{element}/text")))
            .collect()
    }

    /// Clicks the link with this text and waits until the next page is loaded.
    #[track_caller]
    pub(crate) fn follow(&self, text: &str) {
        let element = self.element("link text", text);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into the first element that a CSS selector finds.
    #[track_caller]
    pub(crate) fn enter(&self, selector: &str, text: &str) {
        let element = self.element("css selector", selector);
        let keys = json!({ "text": text });
        self.post(&format!("/element/{element}/value"), &keys);
    }

    /// Runs a script in the page and returns its result.
    #[track_caller]
    pub(crate) fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Looks at the page until it shows something.
    #[track_caller]
    pub(crate) fn wait_until(&self, seen: impl Fn(&Self) -> bool) {
        for _ in 0..MAX_LOOKS {
            if seen(self) {
                return;
            }
        }
        panic!("the page never shows it: {}", self.text("body"));
    }

    /// Returns the messages that the browser has logged since the last call: mistakes of scripts, refused loads.
    pub(crate) fn messages(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().expect("a log").iter();
        let messages = entries.map(|entry| entry["message"].to_string());
        messages.collect()
    }

    /// Returns the addresses that the browser has asked for since the last call, without its own pages.
    pub(crate) fn requested(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({ "type": "performance" }));
        let entries = log.as_array().expect("a log").iter();
        let events = entries
            .filter_map(|entry| serde_json::from_str::<Value>(entry["message"].as_str()?).ok());
        events
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .filter_map(|event| {
                let url = &event["message"]["params"]["request"]["url"];
                url.as_str().map(str::to_owned)
            })
            .filter(|url| !url.starts_with("chrome") && !url.starts_with("data:"))
            .collect()
    }

    #[track_caller]
    fn element(&self, strategy: &str, value: &str) -> String {
        let search = json!({ "using": strategy, "value": value });
        let found = self.post("/element", &search);
        let element = found[ELEMENT].as_str();
        element.expect("an element").to_owned()
    }

    fn string(&self, path: &str) -> String {
        let path = format!("/session/{}{path}", self.session);
        let value = command(self.address, "GET", &path, &Value::Null);
        value.as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let value = command(self.address, "POST", &path, body);
        assert!(value.get("error").is_none(), "{path} {body}: {value:#}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        command(self.address, "DELETE", &path, &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn capabilities(profile: &TempDir, scripts: Scripts) -> Value {
    // Chromium in a container has neither a user namespace nor a display. It must ask nobody for anything but the page.
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1200,900",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(format!("--user-data-dir={}", profile.path().display()));
    // 2 is "block", as in the settings of the browser.
    let preferences = match scripts {
        Scripts::Enabled => json!({}),
        Scripts::Disabled => json!({ "profile.managed_default_content_settings.javascript": 2 }),
    };
    json!({ "capabilities": { "alwaysMatch": {
        "goog:chromeOptions": { "args": arguments, "prefs": preferences },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    } } })
}

/// Sends a command to the driver and returns its value, which describes the error if there is one.
fn command(driver: SocketAddr, method: &str, path: &str, body: &Value) -> Value {
    let body = match body {
        Value::Null => Vec::new(),
        body => body.to_string().into_bytes(),
    };
    let host = driver.to_string();
    let headers = [
        ("Host", host.as_str()),
        ("Content-Type", "application/json"),
    ];
    let reply = http::call(driver, method, path, &headers, &body).expect("a reply of the driver");
    let mut document: Value = serde_json::from_slice(&reply.body).expect("JSON of the driver");
    document["value"].take()
}
