//! Providers that cannot be reached: unknown host names, untrusted certificates, servers without TLS. The build stops
//! early, reports what to do, and pays nothing.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use synix_scripted_provider::{Endpoint, Reply, Rule, Script, ScriptedProvider, StatusReply};

use crate::support::costs::{billed, picodollars, unclear_attempts};
use crate::support::invocation::Run;
use crate::support::test_project::TestProject;

/// A self-signed certificate for 127.0.0.1, valid for 100 years. It was made for this test and is not a secret.
const CERTIFICATE: &str = include_str!("../../provider/own.crt");
const KEY: &str = include_str!("../../provider/own.key");

/// Twenty notes with one request for each, to the provider at a URL.
fn project_with_provider_at(url: &str) -> TestProject {
    let project = TestProject::with_layers("");
    for number in 0..20 {
        project.write(&format!("notes/{number:02}.md"), &format!("Note {number}."));
    }
    project.write("synix.toml", &pipeline(url));
    project
}

fn pipeline(url: &str) -> String {
    format!(
        "[pipeline]\nname = \"far\"\n[providers.openai]\nbase_url = \"{url}\"\nbatch = true\nretries = 1\nbackoff = 0.01\n\
         [models.default]\nprovider = \"openai\"\nmodel = \"gpt-4o-mini\"\n[layers.notes]\nsource = \"notes/*.md\"\n\
         [layers.answers]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"Say: {{{{ content }}}}\"\n"
    )
}

/// Starts a server with a self-signed certificate and returns its URL.
fn server_with_self_signed_certificate() -> String {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    serve(move |mut stream| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        // The client closes the connection.
        while connection
            .complete_io(&mut stream)
            .is_ok_and(|(read, _)| read > 0)
        {}
    })
}

/// Starts a server that speaks HTTP without TLS and returns its URL.
fn server_without_tls() -> String {
    serve(|mut stream| {
        use std::io::Write as _;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    })
}

fn serve(answer: impl Fn(std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/v1", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    url
}

fn count_rows(project: &TestProject, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    project
        .database()
        .query_row(&query, [], |row| row.get(0))
        .unwrap()
}

/// Asserts that a build stops early with these messages and pays nothing, and that a reachable provider then gets every
/// request once.
#[track_caller]
fn assert_stops_early(url: &str, messages: &[&str]) {
    let project = project_with_provider_at(url);
    let run = project
        .run(&["build", "--trust", "--concurrency", "3"])
        .expect_code(3);
    for messages in messages
        .iter()
        .chain(&["cannot reach provider openai at https://", "help: "])
    {
        assert!(run.says(messages), "{messages}: {run:?}");
    }
    // Failures with one cause are one group.
    assert!(run.stdout.contains(" and 17 more"), "{run:?}");
    assert_eq!(count_rows(&project, "attempt"), 3, "{run:?}");
    assert_eq!(count_rows(&project, "answer"), 0);
    let status = project.json(&["batch-build", "status", "build-1"]);
    let failures = TestProject::failures(&status);
    assert_eq!(failures.len(), 20);
    assert!(
        failures.iter().all(|(_, kind)| kind == "provider"),
        "{status:#}"
    );
    assert_eq!(status["requests"]["unclear"], 0);
    assert_eq!(
        (&status["cost_usd"], &status["tokens"]["input"]),
        (&0.0.into(), &0.into())
    );

    project.write("synix.toml", &pipeline(&project.provider.openai_url()));
    project.ok(&["build"]);
    assert_eq!(project.sent(), 20);
}

#[test]
fn an_unknown_host_name_stops_the_build_early() {
    assert_stops_early(
        "https://models.invalid/v1",
        &["the name has no known address; check the name in `base_url`"],
    );
}

#[test]
fn an_untrusted_certificate_stops_the_build_early() {
    assert_stops_early(
        &server_with_self_signed_certificate(),
        &[
            "this machine does not trust the issuer of the server's certificate",
            "SSL_CERT_FILE",
        ],
    );
}

#[test]
fn a_server_without_tls_stops_the_build_early() {
    assert_stops_early(
        &server_without_tls(),
        &["the server does not speak TLS; check the port in `base_url`, and write `http://`"],
    );
}

/// The advice in the message for certificates helps.
#[test]
fn a_certificate_in_ssl_cert_file_is_trusted() {
    let url = server_with_self_signed_certificate();
    let project = project_with_provider_at(&url);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.crt");
    std::fs::write(&file, CERTIFICATE).unwrap();
    let mut command = project.command(&["build"]);
    let run = command.env("SSL_CERT_FILE", &file).run().expect_code(3);
    assert!(
        !run.says("this machine does not trust the issuer"),
        "{run:?}"
    );
}

/// A batch that was not sent is not unclear.
#[test]
fn a_batch_build_sends_nothing_to_an_unreachable_provider() {
    for (url, messages) in [
        (server_with_self_signed_certificate(), "SSL_CERT_FILE"),
        (server_without_tls(), "does not speak TLS"),
    ] {
        let project = project_with_provider_at(&url);
        let run = project.run(&["batch-build", "run"]);
        assert!(run.says(messages), "{run:?}");
        assert_eq!(count_rows(&project, "answer"), 0);
        let status = project.status();
        assert_eq!(status["requests"]["unclear"], 0, "{status:#}");
        project.write("synix.toml", &pipeline(&project.provider.openai_url()));
        let resumed = project.run(&[
            "batch-build",
            "resume",
            "--poll",
            "--poll-interval",
            "0",
            "--allow-pipeline-mismatch",
        ]);
        assert_eq!(resumed.code, 0, "{resumed:?}");
        assert_eq!(project.sent(), 20);
        assert_eq!(project.ledger().duplicates(), []);
    }
}

/// A team whose provider is at a port where no server listens, and that port.
fn team_with_unreachable_provider() -> (TestProject, u16) {
    let project = TestProject::team();
    for number in 0..20 {
        project.write(
            &format!("bios/{number:02}.md"),
            &format!("I am number {number}."),
        );
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let pipeline = pipeline
        .replace(
            &project.provider.openai_url(),
            &format!("http://127.0.0.1:{port}/v1"),
        )
        .replace("backoff = 0", "backoff = 0.02\nretries = 2");
    project.write("synix.toml", &pipeline);
    (project, port)
}

/// X8: after the first requests the provider is given up, and the waits are reported.
#[test]
fn an_unreachable_provider_stops_the_build_early() {
    let (project, port) = team_with_unreachable_provider();
    let run = project.run(&["build", "--concurrency", "3"]).expect_code(3);
    assert!(run.says("cannot reach provider openai"), "{run:?}");
    assert!(run.says("retrying in"), "{run:?}");
    let attempts: i64 = project
        .database()
        .query_row("SELECT count(*) FROM attempt", [], |row| row.get(0))
        .unwrap();
    assert_eq!(attempts, 3);
    assert_eq!(unclear_attempts(&project), 0);
    // The provider is used again as soon as it can be reached.
    let provider = ScriptedProvider::start_on(port, Script::new()).unwrap();
    project.ok(&["build"]);
    assert_eq!(provider.ledger().executed.len(), 23);
}

/// X8: the wait is reported once for all requests that wait.
#[test]
fn a_wait_that_the_provider_requests_is_reported() {
    let project = TestProject::team();
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write(
        "synix.toml",
        &pipeline.replace("backoff = 0", "backoff = 0.01"),
    );
    let busy = StatusReply::new(429).header("retry-after", "1");
    project.script(Script::new().rule(Rule::on("I am").times(1).reply(Reply::Status(busy))));
    let run: Run = project.ok(&["build"]);
    assert!(run.says("retrying in 1.0 s (attempt 2)"), "{run:?}");
    assert_eq!(project.ledger().calls(Endpoint::Chat), 4);
    let status = project.json(&["batch-build", "status", "build-1"]);
    assert_eq!(picodollars(&status["cost_usd"]), billed(&project.ledger()));
}
