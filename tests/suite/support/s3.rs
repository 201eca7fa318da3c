//! A server of S3 on this machine, for the tests of buckets.
//!
//! It is moto behind a lock: it handles one request at a time, checks signatures, and knows a key that may only read.
//! `cargo xtask test --scale` installs it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::test_project::text;

/// A server with one bucket, in memory. It ends with this process.
pub(crate) struct S3Server {
    pub(crate) port: u16,
    writer: [String; 2],
    reader: [String; 2],
    /// It ends when its input is closed.
    _server: Child,
}

impl S3Server {
    pub(crate) const BUCKET: &str = "team";

    /// Starts the server with the interpreter that has moto.
    pub(crate) fn start(python: &Path) -> Self {
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/suite/support/s3_server.py"
        );
        let mut server = Command::new(python)
            .args([script, Self::BUCKET])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).expect("a line of JSON from the server");
        let key = |name: &str| [text(&said[name][0]), text(&said[name][1])];
        Self {
            port: u16::try_from(said["port"].as_u64().unwrap()).unwrap(),
            writer: key("writer"),
            reader: key("reader"),
            _server: server,
        }
    }

    /// The environment of a user who may do everything in the bucket.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        self.variables_of(&self.writer)
    }

    /// The environment of a user who may only read.
    pub(crate) fn reader_variables(&self) -> BTreeMap<String, String> {
        self.variables_of(&self.reader)
    }

    fn variables_of(&self, key: &[String; 2]) -> BTreeMap<String, String> {
        let endpoint = format!("http://127.0.0.1:{}", self.port);
        let variables = [
            ("AWS_ACCESS_KEY_ID", key[0].as_str()),
            ("AWS_SECRET_ACCESS_KEY", &key[1]),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", &endpoint),
        ];
        let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.into()
    }
}
