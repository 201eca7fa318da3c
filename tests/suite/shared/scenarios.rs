//! What shared answers promise over a store of any kind; `scale::s3` runs the same over a bucket.

use synix_scripted_provider::{Reply, Rule, Script};

use crate::support::pipelines::{BATCH_BUILD, RESUME, embedded_team, notes_pipeline};
use crate::support::processes::{send_signal, wait_for_output};
use crate::support::team::{MakeTeam, ok};
use crate::support::test_project::TestProject;

pub(crate) fn second_project_pays_nothing(make: MakeTeam<'_>) {
    for command in [&["build"][..], &BATCH_BUILD] {
        let team = make(embedded_team());
        ok(&team.in_first(command));
        let sent = team.first.sent();
        team.assert_nothing_claimed();
        let second = ok(&team.in_second(command));
        assert_eq!(team.first.sent(), sent, "{command:?}: {second:?}");
        assert!(
            second
                .stdout
                .contains("answers from shared answers, at no cost"),
            "{second:?}"
        );
        team.assert_equal_artifacts();
        team.assert_nothing_claimed();
    }
}

/// A batch answers a sync build, and the artifacts are the same.
pub(crate) fn sync_build_uses_answers_of_batch(make: MakeTeam<'_>) {
    let team = make(TestProject::team());
    ok(&team.in_first(&BATCH_BUILD));
    let sent = team.first.sent();
    ok(&team.in_second(&["build"]));
    assert_eq!(team.first.sent(), sent);
    team.assert_equal_artifacts();

    let shown = team.in_second(&["show", "ws-amara", "--json"]).run().json();
    let request = &shown["provenance"]["requests"][0];
    assert_eq!(request["shared"]["url"], team.store().url);
    assert_eq!(request["shared"]["provider"], "openai");
    assert!(request["shared"]["batch"].is_string(), "{request}");
    assert_eq!(request["cost_usd"].as_f64(), Some(0.0));
    let lineage = ok(&team.in_second(&["lineage", "ws-amara"]));
    assert!(
        lineage
            .stdout
            .contains(&format!("from shared answers in {}", team.store().url)),
        "{lineage:?}"
    );
}

/// Each of the two waits for what the other has claimed, and sends its own.
pub(crate) fn two_builds_at_once_pay_once(make: MakeTeam<'_>) {
    for command in [&["build"][..], &BATCH_BUILD] {
        let team = make(TestProject::team());
        let both = [team.in_first(command), team.in_second(command)];
        let both = both.map(|command| {
            command
                .process()
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        });
        for child in both {
            wait_for_output(child).expect_code(0);
        }
        assert_eq!(team.first.ledger().duplicates(), [], "{command:?}");
        team.assert_equal_artifacts();
        team.assert_nothing_claimed();
    }
}

pub(crate) fn refused_answer_is_not_shared(make: MakeTeam<'_>) {
    let team = make(TestProject::team());
    let refusal = Reply::Refusal("No.".to_owned());
    team.first
        .script(Script::new().rule(Rule::on("I am bela").reply(refusal)));
    assert_eq!(team.in_first(&["build"]).run().code, 3);
    assert_eq!(team.store().paths("answers").len(), 2);
    team.first.script(Script::new());
    // The claim is released, so the second project asks again without a wait.
    ok(&team.in_second(&["build"]));
}

#[cfg(unix)]
pub(crate) fn killed_holder_is_replaced(make: MakeTeam<'_>) {
    let project = TestProject::with_layers(concat!(
        notes_pipeline!(
            "[layers.facts]\ntransform = \"map\"\ninputs = [\"notes\"]\nconfig.prompt = \"What? {{ content }}\"\n"
        ),
        "[shared]\nlease = 4\n"
    ));
    project.write("notes/one.md", "One.");
    let team = make(project);
    let slow = Rule::any().held();
    team.first.script(Script::new().rule(slow));
    let mut holder = team.in_first(&["build"]).process().spawn().unwrap();
    let calls = |ledger: &synix_scripted_provider::Ledger| {
        ledger.calls(synix_scripted_provider::Endpoint::Chat) > 0
    };
    team.first.wait_for(&mut holder, calls);
    let waiting = team.in_second(&["build", "--no-wait"]).run();
    assert_eq!(waiting.code, 4, "{waiting:?}");
    let names_holder = format!("process-{}", holder.id());
    assert!(waiting.stderr.contains(&names_holder), "{waiting:?}");
    send_signal(&holder, "-KILL");
    holder.wait().unwrap();
    team.first.script(Script::new());
    ok(&team.in_second(&["build"]));
    // The owner gets the answer of the one that took over.
    let sent = team.first.sent();
    ok(&team.in_first(&["build"]));
    assert_eq!(team.first.sent(), sent);
    team.assert_equal_artifacts();
}

/// A batch goes on without a process: others wait for it, and its owner publishes the answers.
pub(crate) fn claims_of_batch_outlive_command(make: MakeTeam<'_>) {
    let team = make(TestProject::team());
    team.first.pause_batches();
    let left = team.in_first(&["batch-build", "run"]).run();
    assert!(left.code == 0 || left.code == 4, "{left:?}");
    let waiting = team.in_second(&["build", "--no-wait"]).run();
    assert_eq!(waiting.code, 4, "{waiting:?}");
    assert_eq!(team.first.sent(), 3);
    team.first.provider.finish_batches();
    team.first.script(Script::new());
    ok(&team.in_first(&RESUME));
    ok(&team.in_second(&BATCH_BUILD));
    assert_eq!(team.first.ledger().duplicates(), []);
    team.assert_nothing_claimed();
}

pub(crate) fn damaged_answer_is_not_used(make: MakeTeam<'_>) {
    let team = make(TestProject::team());
    ok(&team.in_first(&["build"]));
    let damaged = team.store().paths("answers").remove(0);
    let text = String::from_utf8(team.store().read(&damaged)).unwrap();
    let planted = text.replacen("\"text\":\"", "\"text\":\"planted ", 1);
    assert_ne!(planted, text);
    team.store().replace(&damaged, planted.as_bytes());
    let sent = team.first.sent();
    let second = ok(&team.in_second(&["build"]));
    assert!(
        second.stderr.contains("is damaged and is not used"),
        "{second:?}"
    );
    assert!(team.first.sent() > sent);
    let contents = team.in_second(&["export", "styles"]).run().stdout;
    assert!(!contents.contains("planted"), "{contents}");
    // It is never overwritten.
    assert_eq!(team.store().read(&damaged), planted.as_bytes());
}

pub(crate) fn read_only_build_writes_nothing(make: MakeTeam<'_>) {
    let team = make(TestProject::team());
    ok(&team.in_first(&["build"]));
    team.first.write("bios/dora.md", "I am dora.");
    let before = team.store().contents();
    let mut read_only = team.in_first(&["build"]);
    ok(read_only.env("SYNIX_SHARED_READ_ONLY", "1"));
    assert_eq!(team.store().contents(), before);
    let mut refused = team.in_first(&["shared", "gc"]);
    let refused = refused.env("SYNIX_SHARED_READ_ONLY", "1").run();
    assert_eq!(refused.code, 2, "{refused:?}");
}

pub(crate) fn status_names_holders(make: MakeTeam<'_>) {
    let team = make(TestProject::team());
    let none = team.first.json(&["shared", "status"]);
    assert!(none["url"].is_null() && none["leases"] == serde_json::json!([]));
    team.first.pause_batches();
    team.in_first(&["batch-build", "run"]).run();
    let status = team.in_second(&["shared", "status", "--json"]).run().json();
    assert_eq!(status["url"], team.store().url);
    assert_eq!(
        (&status["reachable"], &status["read_only"]),
        (&true.into(), &false.into())
    );
    let leases = status["leases"].as_array().unwrap();
    assert_eq!(leases.len(), 3);
    assert_eq!(leases[0]["mode"], "batch");
    assert!(leases[0]["holder"].is_string());
    let text = ok(&team.in_second(&["shared", "status"]));
    assert!(text.stdout.contains("claimed requests:"), "{text:?}");
    // A claim without an answer decides who may send.
    let deleted = team.in_second(&["shared", "gc", "--json"]).run().json();
    assert_eq!(
        (&deleted["claims"], &deleted["retained"]),
        (&0.into(), &3.into())
    );
}
