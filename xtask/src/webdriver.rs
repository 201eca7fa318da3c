//! Takes pictures through `chromedriver`: Chromium itself makes no window as narrow as a phone, but shows a page as if it
//! had one.
//!
//! It speaks the few messages of WebDriver that this needs, because `xtask` is compiled before everything else and has
//! no libraries for JSON and HTTP.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::shell::Failure;

/// The height of the window. A picture has the whole page.
const HEIGHT: u32 = 900;

/// A browser with one page, which ends with this value.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

/// How a page is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Appearance {
    /// `light` or `dark`.
    pub(crate) theme: &'static str,
    /// The width of the window.
    pub(crate) width: u32,
}

impl Browser {
    pub(crate) fn start(profile: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure(format!("cannot start chromedriver: {error}"));
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let output = driver.stdout.take();
        let mut browser = Self {
            driver,
            port: 0,
            session: String::new(),
        };
        let mut lines = output
            .into_iter()
            .flat_map(|output| BufReader::new(output).lines());
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        browser.port = port.ok_or_else(|| Failure("chromedriver has no port".to_owned()))?;
        // A driver whose output is not read would stop.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = profile.display();
        let capabilities = format!(
            r#"{{"capabilities": {{"alwaysMatch": {{"goog:chromeOptions": {{"args": ["--headless=new", "--no-sandbox",
            "--disable-gpu", "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
            "--user-data-dir={profile}"]}}}}}}}}"#
        );
        let reply = browser.post("/session", &capabilities)?;
        let session = text_of(&reply, "sessionId");
        browser.session = session.ok_or_else(|| Failure(format!("no session: {reply}")))?;
        Ok(browser)
    }

    /// Sets how pages are shown from now on.
    pub(crate) fn show_as(&self, appearance: Appearance) -> Result<(), Failure> {
        let Appearance { theme, width } = appearance;
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &format!(r#"{{"width": {width}, "height": {HEIGHT}, "deviceScaleFactor": 1, "mobile": false}}"#),
        )?;
        self.devtools(
            "Emulation.setEmulatedMedia",
            &format!(r#"{{"features": [{{"name": "prefers-color-scheme", "value": "{theme}"}}]}}"#),
        )?;
        Ok(())
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) fn open(&self, url: &str) -> Result<(), Failure> {
        self.in_session("/url", &format!(r#"{{"url": "{url}"}}"#))?;
        Ok(())
    }

    /// Returns whether a person would have to move the page sideways.
    pub(crate) fn is_too_wide(&self) -> Result<bool, Failure> {
        let [needed, shown] =
            ["scrollWidth", "clientWidth"].map(|width| format!("document.documentElement.{width}"));
        Ok(self.script(&format!("{needed} > {shown}"))? == "true")
    }

    /// Returns a number or a truth value that a script finds.
    fn script(&self, expression: &str) -> Result<String, Failure> {
        let body = format!(r#"{{"script": "return {expression}", "args": []}}"#);
        let reply = self.in_session("/execute/sync", &body)?;
        let value = reply.split_once("\"value\":");
        let value = value.and_then(|(_, rest)| rest.split_once('}'));
        let value = value.ok_or_else(|| Failure(format!("no value: {reply}")))?;
        Ok(value.0.to_owned())
    }

    /// Writes a picture of the whole page.
    pub(crate) fn take_picture(&self, width: u32, file: &Path) -> Result<(), Failure> {
        let mut height = self.height()?;
        let data = loop {
            let data = self.picture(width, &height)?;
            // The browser may still lay the page out for the width that it had before.
            let after = self.height()?;
            if after == height {
                break data;
            }
            height = after;
        };
        let failed = |error: std::io::Error| Failure(format!("{}: {error}", file.display()));
        let output = std::fs::File::create(file).map_err(failed)?;
        let mut decoder = Command::new("base64")
            .arg("--decode")
            .stdin(Stdio::piped())
            .stdout(output)
            .spawn()
            .map_err(failed)?;
        if let Some(mut input) = decoder.stdin.take() {
            input.write_all(data.as_bytes()).map_err(failed)?;
        }
        if decoder.wait().map_err(failed)?.success() {
            Ok(())
        } else {
            Err(Failure(format!(
                "{}: the picture is damaged",
                file.display()
            )))
        }
    }

    fn height(&self) -> Result<String, Failure> {
        self.script("document.documentElement.scrollHeight")
    }

    /// Returns a picture of the page down to a height, in base64.
    fn picture(&self, width: u32, height: &str) -> Result<String, Failure> {
        let reply = self.devtools(
            "Page.captureScreenshot",
            &format!(
                r#"{{"format": "png", "captureBeyondViewport": true,
                "clip": {{"x": 0, "y": 0, "width": {width}, "height": {height}, "scale": 1}}}}"#
            ),
        )?;
        text_of(&reply, "data").ok_or_else(|| Failure(format!("no picture: {reply:.300}")))
    }

    /// Runs a command of the DevTools.
    fn devtools(&self, command: &str, parameters: &str) -> Result<String, Failure> {
        let body = format!(r#"{{"cmd": "{command}", "params": {parameters}}}"#);
        self.in_session("/goog/cdp/execute", &body)
    }

    fn in_session(&self, path: &str, body: &str) -> Result<String, Failure> {
        self.post(&format!("/session/{}{path}", self.session), body)
    }

    fn post(&self, path: &str, body: &str) -> Result<String, Failure> {
        self.send("POST", path, body)
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<String, Failure> {
        let call = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                self.port,
                body.len()
            )?;
            read_reply(BufReader::new(stream))
        };
        let reply = call().map_err(|error| Failure(format!("chromedriver: {error}")))?;
        if reply.starts_with("HTTP/1.1 200 ") {
            Ok(reply)
        } else {
            Err(Failure(format!(
                "chromedriver refused {path}: {reply:.500}"
            )))
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with the session. Both may have ended by themselves.
        let _ = self.send("DELETE", &format!("/session/{}", self.session), "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Reads the first line and the body of a reply. The driver does not close the connection, so its length counts.
fn read_reply(mut reply: impl BufRead) -> std::io::Result<String> {
    let mut head = String::new();
    let mut length = 0;
    while head.is_empty() || !head.ends_with("\r\n\r\n") {
        let start = head.len();
        if reply.read_line(&mut head)? == 0 {
            break;
        }
        let line = head[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = String::new();
    reply.take(length).read_to_string(&mut body)?;
    let (status, _) = head.split_once('\n').unwrap_or_default();
    Ok(format!("{status}\n{body}"))
}

/// Returns a text without escapes in a JSON document.
fn text_of(document: &str, member: &str) -> Option<String> {
    let (_, rest) = document.split_once(&format!("\"{member}\":\""))?;
    let (text, _) = rest.split_once('"')?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_where_its_length_says() {
        let reply = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nx: y\r\n\r\n{1}\nmore";
        let read = read_reply(reply.as_bytes()).unwrap();
        assert_eq!(read, "HTTP/1.1 200 OK\r\n{1}\n");
    }

    #[test]
    fn a_member_of_a_reply_is_found_by_its_name() {
        let reply = r#"{"value":{"sessionId":"abc","data":""}}"#;
        assert_eq!(text_of(reply, "sessionId").as_deref(), Some("abc"));
        assert_eq!(text_of(reply, "data").as_deref(), Some(""));
        assert_eq!(text_of(reply, "value"), None);
    }
}
