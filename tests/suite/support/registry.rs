//! A server of plugins on this machine: files by path, and an OCI registry that can send wrong replies.
//!
//! It writes its replies byte by byte, because the tests need replies that are truncated or announce a wrong length.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use synix_core::digest::Digest;

/// Media types of a component as a layer.
pub(crate) const WASM: &str = "application/wasm";
pub(crate) const OLD_WASM: &str = "application/vnd.wasm.content.layer.v1+wasm";

/// The reply to calls of one path.
#[derive(Clone)]
pub(crate) struct HttpReply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The announced length. `None` announces none: the end of the connection ends the body.
    pub content_length: Option<u64>,
    /// The number of zero bytes after the body.
    pub trailing_zeros: u64,
}

impl HttpReply {
    pub(crate) fn of(body: &[u8]) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.to_vec(),
            content_length: Some(body.len() as u64),
            trailing_zeros: 0,
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::of(b"{}")
        }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self {
            headers: vec![("location", to.to_owned())],
            ..Self::status(307)
        }
    }
}

#[derive(Default)]
struct RegistryState {
    replies: BTreeMap<String, HttpReply>,
    calls: Vec<Call>,
    /// The token that all paths below `/v2/` require.
    token: Option<String>,
    /// The `authorization` that the path of the token requires.
    login: Option<String>,
}

/// A received call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub path: String,
    pub authorization: Option<String>,
}

/// A server that lives as long as the test process.
pub(crate) struct Registry {
    pub host: String,
    state: Arc<Mutex<RegistryState>>,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(RegistryState::default()));
        let (ours, name) = (Arc::clone(&state), host.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, host) = (Arc::clone(&ours), name.clone());
                // In some tests the client disconnects early.
                thread::spawn(move || serve(&stream, &state, &host).ok());
            }
        });
        Self { host, state }
    }

    /// Publishes a file and returns its reference.
    pub(crate) fn publish_file(&self, path: &str, bytes: &[u8]) -> String {
        self.set_reply(path, HttpReply::of(bytes));
        format!("{}#sha256={}", self.url(path), Digest::of(bytes))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    pub(crate) fn set_reply(&self, path: &str, reply: HttpReply) {
        let mut state = self.state.lock().unwrap();
        state.replies.insert(path.to_owned(), reply);
    }

    /// Pushes a component under a tag and returns its reference.
    pub(crate) fn push(&self, name: &str, tag: &str, bytes: &[u8]) -> String {
        self.push_layers(name, tag, &[(WASM, bytes)])
    }

    /// Pushes an image and returns its reference by tag.
    pub(crate) fn push_layers(&self, name: &str, tag: &str, layers: &[(&str, &[u8])]) -> String {
        let layers: Vec<Value> = layers
            .iter()
            .map(|(media_type, bytes)| {
                self.blob(name, bytes);
                descriptor(media_type, bytes)
            })
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("application/vnd.wasm.config.v0+json", b"{}"),
            "layers": layers,
        });
        self.push_manifest(name, tag, &manifest);
        self.reference(name, tag)
    }

    pub(crate) fn reference(&self, name: &str, tag: &str) -> String {
        format!("oci://{}/{name}:{tag}", self.host)
    }

    /// Publishes a manifest under its tag and its digest, and returns the digest.
    pub(crate) fn push_manifest(&self, name: &str, tag: &str, manifest: &Value) -> Digest {
        let text = manifest.to_string();
        let digest = Digest::of(text.as_bytes());
        let mut reply = HttpReply::of(text.as_bytes());
        let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
        reply.headers.push(("content-type", media_type));
        for version in [tag.to_owned(), format!("sha256:{digest}")] {
            self.set_reply(&format!("/v2/{name}/manifests/{version}"), reply.clone());
        }
        digest
    }

    pub(crate) fn blob(&self, name: &str, bytes: &[u8]) -> String {
        let path = format!("/v2/{name}/blobs/sha256:{}", Digest::of(bytes));
        self.set_reply(&path, HttpReply::of(bytes));
        path
    }

    /// From now on images require a token, and the path of the token requires `login` as its `authorization`, if given.
    pub(crate) fn require_token(&self, token: &str, login: Option<&str>) {
        let mut state = self.state.lock().unwrap();
        state.token = Some(token.to_owned());
        state.login = login.map(str::to_owned);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({
        "mediaType": media_type,
        "digest": format!("sha256:{}", Digest::of(bytes)),
        "size": bytes.len(),
    })
}

fn serve(stream: &TcpStream, state: &Mutex<RegistryState>, host: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut authorization = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            authorization = Some(value.trim().to_owned());
        }
    }
    let reply = state
        .lock()
        .unwrap()
        .reply_to(&path, authorization.as_deref(), host);
    write(stream, &reply)
}

impl RegistryState {
    fn reply_to(&mut self, path: &str, authorization: Option<&str>, host: &str) -> HttpReply {
        self.calls.push(Call {
            path: path.to_owned(),
            authorization: authorization.map(str::to_owned),
        });
        if path.starts_with("/token?") {
            let token = json!({"token": self.token}).to_string();
            let known = self.login.is_none() || self.login.as_deref() == authorization;
            return if known {
                HttpReply::of(token.as_bytes())
            } else {
                HttpReply::status(401)
            };
        }
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        if path.starts_with("/v2/") && bearer.is_some() && bearer.as_deref() != authorization {
            let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"plugins\"");
            return HttpReply {
                headers: vec![("www-authenticate", challenge)],
                ..HttpReply::status(401)
            };
        }
        match self.replies.get(path) {
            Some(reply) => reply.clone(),
            None if path == "/v2/" => HttpReply::of(b"{}"),
            None => HttpReply::status(404),
        }
    }
}

fn write(mut stream: &TcpStream, reply: &HttpReply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Status\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = reply.content_length {
        head.push_str(&format!("content-length: {length}\r\n"));
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    stream.write_all(&reply.body)?;
    std::io::copy(
        &mut std::io::repeat(0).take(reply.trailing_zeros),
        &mut stream,
    )?;
    Ok(())
}
