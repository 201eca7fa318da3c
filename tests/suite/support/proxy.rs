//! A proxy that shows whether a command connects to other machines.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::support::invocation::{Invocation, Run};

/// A proxy that records where each connection should go and closes it.
pub(crate) struct RecordingProxy {
    pub url: String,
    connections: Arc<Mutex<Vec<String>>>,
}

impl RecordingProxy {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut line = String::new();
                let mut reader = BufReader::new(stream);
                reader.read_line(&mut line).unwrap_or(0);
                // Recorded before the connection ends, because the command ends with it.
                ours.lock().unwrap().push(line.trim_end().to_owned());
            }
        });
        Self { url, connections }
    }

    /// Runs a command whose connections to other machines go through this proxy.
    pub(crate) fn run_through(&self, command: &mut Invocation) -> Run {
        for name in ["HTTPS_PROXY", "HTTP_PROXY"] {
            command.env(name, &self.url);
        }
        command.run()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the first line of each connection.
    pub(crate) fn connections(&self) -> Vec<String> {
        self.connections.lock().unwrap().clone()
    }
}
