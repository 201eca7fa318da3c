//! A server and a client that shows each byte of what the server does.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use synix_scripted_provider::{Script, ScriptedProvider};

/// A server with a client for it.
pub(crate) struct TestClient {
    pub(crate) provider: ScriptedProvider,
}

/// A reply as it came over the wire.
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        self.text()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Returns the status and the error's code or type.
    pub(crate) fn error(&self) -> (u16, String) {
        let error = &self.json()["error"];
        let code = if error["code"].is_string() {
            &error["code"]
        } else {
            &error["type"]
        };
        (self.status, code.as_str().unwrap().to_owned())
    }
}

impl TestClient {
    pub(crate) fn new(script: Script) -> Self {
        Self {
            provider: ScriptedProvider::start(script),
        }
    }

    /// Sends one request; `None` if the connection closes without a reply.
    pub(crate) fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> Option<Reply> {
        let mut stream = TcpStream::connect(self.provider.address()).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut reply = Vec::new();
        // A reset is one way to close.
        let _ = stream.read_to_end(&mut reply);
        let end = reply.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(reply[..end].to_vec()).unwrap();
        Some(Reply {
            status: head[9..12].parse().unwrap(),
            body: reply.split_off(end + 4),
            head,
        })
    }

    pub(crate) fn try_openai(&self, method: &str, path: &str, body: &Value) -> Option<Reply> {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        self.raw(
            method,
            path,
            "authorization: Bearer k\r\ncontent-type: application/json\r\n",
            &body,
        )
    }

    pub(crate) fn openai(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.try_openai(method, path, body).unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.openai("GET", path, &Value::Null)
    }

    pub(crate) fn chat(&self, text: &str) -> Option<Reply> {
        self.try_openai("POST", "/v1/chat/completions", &body(text))
    }

    pub(crate) fn try_anthropic(&self, method: &str, path: &str, body: &Value) -> Option<Reply> {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        self.raw(
            method,
            path,
            "x-api-key: k\r\nanthropic-version: 2023-06-01\r\n",
            &body,
        )
    }

    pub(crate) fn anthropic(&self, method: &str, path: &str, body: &Value) -> Reply {
        self.try_anthropic(method, path, body).unwrap()
    }

    pub(crate) fn upload_as(&self, filename: &str, content: &str) -> Reply {
        let form = format!(
            "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: form-data; \
             name=\"file\"; filename=\"{filename}\"\r\n\r\n{content}\r\n--b--\r\n"
        );
        let headers =
            "authorization: Bearer k\r\ncontent-type: multipart/form-data; boundary=b\r\n";
        self.raw("POST", "/v1/files", headers, form.as_bytes())
            .unwrap()
    }

    /// Uploads one row per text and returns the file's id.
    pub(crate) fn upload(&self, texts: &[&str]) -> String {
        let lines: Vec<String> = texts.iter().map(|text| line(text)).collect();
        id(&self.upload_as("in.jsonl", &format!("{}\n", lines.join("\n"))))
    }

    pub(crate) fn create(&self, file: &str) -> Option<Reply> {
        let metadata = json!({"token": "t-1"});
        let body = json!({"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h", "metadata": metadata});
        self.try_openai("POST", "/v1/batches", &body)
    }

    /// Uploads and creates a batch and returns its id.
    pub(crate) fn batch(&self, texts: &[&str]) -> String {
        id(&self.create(&self.upload(texts)).unwrap())
    }

    pub(crate) fn poll(&self, batch: &str) -> Value {
        self.get(&format!("/v1/batches/{batch}")).json()
    }

    /// Polls until the batch has ended.
    pub(crate) fn ended(&self, batch: &str) -> Value {
        self.provider.finish_batches();
        self.poll(batch)
    }

    pub(crate) fn content(&self, file: &Value) -> Reply {
        self.get(&format!("/v1/files/{}/content", file.as_str().unwrap()))
    }

    /// Creates a message batch with one row per text and returns its id.
    pub(crate) fn message_batch(&self, texts: &[&str]) -> String {
        let requests: Vec<Value> = texts
            .iter()
            .map(|text| json!({"custom_id": text, "params": message(text)}))
            .collect();
        id(&self.anthropic(
            "POST",
            "/v1/messages/batches",
            &json!({ "requests": requests }),
        ))
    }

    /// Ends a message batch and returns its result rows.
    pub(crate) fn message_rows(&self, batch: &str) -> Vec<Value> {
        self.provider.finish_batches();
        let path = format!("/v1/messages/batches/{batch}");
        self.anthropic("GET", &path, &Value::Null);
        self.anthropic("GET", &format!("{path}/results"), &Value::Null)
            .rows()
    }
}

pub(crate) fn id(reply: &Reply) -> String {
    reply.json()["id"].as_str().unwrap().to_owned()
}

pub(crate) fn body(text: &str) -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]})
}

pub(crate) fn message(text: &str) -> Value {
    json!({"model": "claude-haiku-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": text}]})
}

/// Returns the input line of a row that is named for its text.
pub(crate) fn line(text: &str) -> String {
    json!({"custom_id": text, "method": "POST", "url": "/v1/chat/completions", "body": body(text)})
        .to_string()
}

/// Returns the names of an object's members.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut members: Vec<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    members
}
