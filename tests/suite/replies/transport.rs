//! How replies and rows arrive: redirects, compression and certificates.

use synix_scripted_provider::{Coding, Endpoint, Fault, FaultKind, RawReply, Script};

use crate::replies::{TWO_LAYERS, project_with_notes};
use crate::support::pipelines::{BATCH_BUILD, RESUME, pipeline_file_at};
use crate::support::test_project::TestProject;

/// X11: the key is not sent to the other server.
#[test]
fn rows_behind_a_redirect_are_read() {
    let project = TestProject::team();
    let redirect = RawReply::redirect("<<base>>/elsewhere/<<id>>");
    let fault = Fault::on(Endpoint::FilesContent, FaultKind::Raw(redirect));
    project.script(Script::new().fault(fault));
    project.ok(&BATCH_BUILD);
    assert_eq!(project.ledger().calls(Endpoint::Elsewhere), 1);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// X11
#[test]
fn compressed_rows_are_read() {
    for coding in [Coding::Gzip, Coding::Utf16Le] {
        let project = TestProject::team();
        let raw = FaultKind::Raw(RawReply::coded(coding));
        project.script(Script::new().fault(Fault::on(Endpoint::FilesContent, raw)));
        project.ok(&BATCH_BUILD);
        assert_eq!(
            (project.sent(), project.ledger().duplicates().len()),
            (4, 0)
        );
    }
}

/// X11: such an error is not transient. It is reported once, and `resume` continues later.
#[test]
fn rows_behind_a_refused_redirect_fail_the_command() {
    let project = TestProject::team();
    let redirect = RawReply::redirect("http://10.0.0.1/rows");
    let fault = Fault::on(Endpoint::FilesContent, FaultKind::Raw(redirect));
    project.script(Script::new().fault(fault));
    let run = project.run(&BATCH_BUILD).expect_code(1);
    assert_eq!(
        run.stderr.matches("cannot download the rows").count(),
        1,
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("http://10.0.0.1/rows"),
        "{}",
        run.stderr
    );
    assert_eq!(project.ledger().calls(Endpoint::FilesContent), 1);
    project.script(Script::new());
    project.ok(&RESUME);
    assert_eq!(
        (project.sent(), project.ledger().duplicates().len()),
        (4, 0)
    );
}

/// X6: without certificates, HTTP works, and HTTPS reports what is missing.
#[test]
fn only_https_needs_certificates() {
    let build_without_certificates = |project: &TestProject| {
        let mut command = project.command(&["build"]);
        command
            .env("SSL_CERT_FILE", "/none/at/all")
            .env("SSL_CERT_DIR", "/none/at/all");
        command.run()
    };
    let project = project_with_notes(&["bela"]);
    build_without_certificates(&project).expect_code(0);
    let project = project_with_notes(&["bela"]);
    let https_pipeline =
        pipeline_file_at("https://127.0.0.1:9/v1", "https://127.0.0.1:9", TWO_LAYERS);
    project.write("synix.toml", &https_pipeline);
    let run = build_without_certificates(&project);
    assert_ne!(run.code, 0);
    assert!(run.says("SSL_CERT_FILE"), "{run:?}");
    assert!(run.says("ca-certificates"), "{run:?}");
}
