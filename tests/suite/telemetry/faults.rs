//! Receivers that are away, slow or confused: the build is the same, and one warning says what was lost.

use super::decoded::Decoded;
use super::receiver::{Behaviour, Receiver};
use super::reporting;
use crate::support::invocation::Run;
use crate::support::test_project::TestProject;

/// The number of spans of a sync build of the team: the build, 3 layers, 4 units, 4 requests.
const SPANS: u64 = 12;

/// Builds with a receiver, and returns what was printed besides the result.
#[track_caller]
fn build(receiver: &Receiver) -> (TestProject, Run) {
    let project = TestProject::team();
    let run = reporting(&project, receiver, &["build"])
        .env("OTEL_METRICS_EXPORTER", "none")
        .run()
        .expect_code(0);
    assert_eq!(project.artifact_names().len(), 7);
    (project, run)
}

#[track_caller]
fn expect_lost(run: &Run, lost: u64, reason: &str) {
    let warning = format!("telemetry: {lost} spans and data points were not delivered: ");
    let lines: Vec<&str> = run
        .stderr
        .lines()
        .filter(|line| line.contains("telemetry"))
        .collect();
    assert_eq!(lines.len(), 1, "{}", run.stderr);
    assert!(
        lines[0].contains(&warning) && lines[0].contains(reason),
        "{}",
        lines[0]
    );
}

#[test]
fn a_receiver_that_is_away_costs_its_spans_and_nothing_else() {
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let project = TestProject::team();
    let mut command = project.command(&["build"]);
    command.env(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        format!("{gone}/v1/traces?key=secret"),
    );
    let run = command.run().expect_code(0);
    expect_lost(&run, SPANS, "it cannot be reached");
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
}

#[test]
fn a_message_is_sent_again_if_the_receiver_asks_for_it() {
    for status in [
        "429 Too Many Requests",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        let receiver = Receiver::start();
        receiver.next([
            Behaviour::Reply(status, "retry-after: 0", Vec::new()),
            Behaviour::Close,
        ]);
        let (_project, run) = build(&receiver);
        assert_eq!(run.stderr.matches("telemetry").count(), 0, "{}", run.stderr);
        let messages = receiver.messages();
        assert_eq!(messages[0].body, messages[1].body, "{status}");
    }
}

#[test]
fn a_message_that_is_refused_is_not_sent_again() {
    let receiver = Receiver::start();
    receiver.always(Behaviour::status("400 Bad Request"));
    let (_project, run) = build(&receiver);
    expect_lost(&run, SPANS, "/v1/traces: it answered 400 Bad Request");
    let bodies: std::collections::BTreeSet<_> = receiver
        .messages()
        .into_iter()
        .map(|message| message.body)
        .collect();
    assert_eq!(bodies.len(), receiver.messages().len());
}

#[test]
fn a_receiver_that_asks_for_a_day_gets_nothing() {
    let receiver = Receiver::start();
    receiver.always(Behaviour::Reply(
        "503 Service Unavailable",
        "retry-after: 86400",
        Vec::new(),
    ));
    let (_project, run) = build(&receiver);
    expect_lost(&run, SPANS, "503");
    assert_eq!(receiver.messages().len(), 1);
}

#[test]
fn a_partial_success_is_counted_and_not_sent_again() {
    let receiver = Receiver::start();
    // `partial_success` with 2 rejected spans and the message "no\u{1b}".
    receiver.next([Behaviour::Reply(
        "200 OK",
        "content-type: application/x-protobuf",
        b"\x0a\x07\x08\x02\x12\x03no\x1b".to_vec(),
    )]);
    let (_project, run) = build(&receiver);
    expect_lost(&run, 2, "/v1/traces: no\\u{1b}");
    Decoded::of(&receiver).expect_one_trace();
}

#[test]
fn a_reply_that_makes_no_sense_is_an_accepted_message() {
    for body in [
        b"<html>hello</html>".to_vec(),
        vec![0xff; 100_000],
        b"{".to_vec(),
    ] {
        let receiver = Receiver::start();
        receiver.always(Behaviour::Reply("200 OK", "content-type: text/html", body));
        let (_project, run) = build(&receiver);
        assert_eq!(run.stderr.matches("telemetry").count(), 0, "{}", run.stderr);
        Decoded::of(&receiver).expect_one_trace();
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Receiver::start();
    let receiver = Receiver::start();
    let location: &'static str = Box::leak(format!("location: {}/v1/traces", other.url()).into());
    receiver.always(Behaviour::Reply(
        "307 Temporary Redirect",
        location,
        Vec::new(),
    ));
    let (_project, run) = build(&receiver);
    expect_lost(&run, SPANS, "307");
    assert_eq!(other.messages().len(), 0);
}

#[test]
fn a_receiver_that_never_answers_does_not_hold_the_build() {
    let receiver = Receiver::start();
    receiver.always(Behaviour::Silence);
    let project = TestProject::team();
    let run = reporting(&project, &receiver, &["build"])
        .env("OTEL_METRICS_EXPORTER", "none")
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "50")
        .env("OTEL_BSP_EXPORT_TIMEOUT", "200")
        .run()
        .expect_code(0);
    expect_lost(&run, SPANS, "it did not answer in time");
}
