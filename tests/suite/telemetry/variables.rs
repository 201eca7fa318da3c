//! The variables that turn telemetry on and off, and what they must not do.

use super::decoded::Decoded;
use super::receiver::Receiver;
use super::reporting;
use crate::support::invocation::KEY;
use crate::support::test_project::TestProject;

#[test]
fn nothing_is_sent_unless_the_users_environment_says_so() {
    let receiver = Receiver::start();
    let project = TestProject::team();
    let endpoint = format!("OTEL_EXPORTER_OTLP_ENDPOINT={}", receiver.url());
    project.write(".env", &endpoint);
    project.run(&["build"]).expect_code(0);
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
    ] {
        std::fs::remove_dir_all(project.path(".synix")).unwrap();
        let mut command = reporting(&project, &receiver, &["build"]);
        command.env(name, value).run().expect_code(0);
    }
    assert_eq!(receiver.messages().len(), 0);
}

#[test]
fn a_signal_can_be_off_and_a_sampler_can_refuse() {
    let receiver = Receiver::start();
    let project = TestProject::team();
    reporting(&project, &receiver, &["build"])
        .env("OTEL_TRACES_SAMPLER", "always_off")
        .run()
        .expect_code(0);
    assert_eq!(receiver.messages_to("/v1/traces").len(), 0);
    assert_eq!(receiver.messages_to("/v1/metrics").len(), 1);
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    reporting(&project, &receiver, &["build"])
        .env("OTEL_METRICS_EXPORTER", "none")
        .run()
        .expect_code(0);
    assert_eq!(receiver.messages_to("/v1/metrics").len(), 1);
    assert!(!receiver.messages_to("/v1/traces").is_empty());
}

#[test]
fn headers_and_the_resource_are_those_of_the_user() {
    let receiver = Receiver::start();
    let project = TestProject::team();
    let run = reporting(&project, &receiver, &["build", "-vv"])
        .env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20secret")
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env("OTEL_RESOURCE_ATTRIBUTES", "team=data")
        .env("OTEL_SERVICE_NAME", "notes")
        .run()
        .expect_code(0);
    assert!(!run.stderr.contains("a secret"), "{}", run.stderr);
    for message in receiver.messages() {
        assert_eq!(message.header("api-key"), Some("a secret"));
        assert_eq!(
            message.header("content-type"),
            Some("application/x-protobuf")
        );
        assert!(message.header("user-agent").unwrap().starts_with("synix/"));
        assert!(
            !message
                .body
                .windows(KEY.len())
                .any(|part| part == KEY.as_bytes())
        );
    }
    let found = Decoded::of(&receiver);
    found.expect_one_trace();
    for resource in &found.resources {
        assert_eq!(resource["service.name"], "notes");
        assert_eq!(resource["team"], "data");
        assert_eq!(resource["telemetry.sdk.name"], "synix");
    }
}

#[test]
fn json_means_the_same() {
    let receiver = Receiver::start();
    let project = TestProject::team();
    let status = reporting(&project, &receiver, &["build", "--json"])
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .env("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
        .run()
        .expect_code(0);
    let found = Decoded::of(&receiver);
    found.expect_one_trace();
    assert_eq!(found.spans.len(), 12);
    let cost = status.json()["cost_usd"].as_f64().unwrap();
    assert!((found.metric("synix.cost", &[]) - cost).abs() < 1e-9);
    assert!(found.metrics.iter().all(|point| point["temporality"] == 1));
}

#[test]
fn a_variable_that_cannot_be_used_is_a_warning() {
    let receiver = Receiver::start();
    let project = TestProject::team();
    let run = reporting(&project, &receiver, &["build"])
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .run()
        .expect_code(0);
    assert_eq!(receiver.messages().len(), 0);
    let warning = "warning: telemetry: OTEL_EXPORTER_OTLP_PROTOCOL \"grpc\" is not supported";
    assert_eq!(run.stderr.matches(warning).count(), 1, "{}", run.stderr);
}
