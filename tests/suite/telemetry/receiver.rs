//! A receiver of OTLP over HTTP that keeps what it gets and replies as a test says.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How the receiver treats a message.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Replies with this status, these headers and this body.
    Reply(&'static str, &'static str, Vec<u8>),
    /// Closes the connection without a reply.
    Close,
    /// Never replies.
    Silence,
}

impl Behaviour {
    pub(crate) fn ok() -> Self {
        Self::Reply("200 OK", "content-type: application/x-protobuf", Vec::new())
    }

    pub(crate) fn status(status: &'static str) -> Self {
        Self::Reply(status, "x-nothing: 1", Vec::new())
    }
}

/// A message that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub path: String,
    /// The headers with names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    next: VecDeque<Behaviour>,
    always: Option<Behaviour>,
    /// Connections that are kept open without a reply.
    silent: Vec<TcpStream>,
}

/// A receiver on this machine.
pub(crate) struct Receiver {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let ours = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let ours = Arc::clone(&ours);
                std::thread::spawn(move || serve(&ours, stream));
            }
        });
        Self { url, state }
    }

    /// Behaves like this for the next messages, and well afterwards.
    pub(crate) fn next(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.state.lock().unwrap().next.extend(behaviours);
    }

    /// Behaves like this for every message.
    pub(crate) fn always(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().always = Some(behaviour);
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.state.lock().unwrap().messages.clone()
    }

    /// Returns the messages to this path.
    pub(crate) fn messages_to(&self, path: &str) -> Vec<Message> {
        let mut messages = self.messages();
        messages.retain(|message| message.path == path);
        messages
    }
}

fn serve(state: &Mutex<State>, stream: TcpStream) {
    let Ok(mut output) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Some(message) = read(&mut reader) {
        let behaviour = {
            let mut state = state.lock().unwrap();
            state.messages.push(message);
            let next = state.next.pop_front().or_else(|| state.always.clone());
            next.unwrap_or_else(Behaviour::ok)
        };
        match behaviour {
            Behaviour::Reply(status, header, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\n{header}\r\ncontent-length: {length}\r\n\r\n");
                let sent = output.write_all(head.as_bytes());
                if sent.and_then(|()| output.write_all(&body)).is_err() {
                    return;
                }
            }
            Behaviour::Close => return,
            Behaviour::Silence => {
                state.lock().unwrap().silent.push(output);
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Message> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut message = Message {
        path,
        headers,
        body: Vec::new(),
    };
    let length = message.header("content-length")?.parse().ok()?;
    message.body = vec![0; length];
    reader.read_exact(&mut message.body).ok()?;
    Some(message)
}
