//! What was made stays readable: after a failure, beside other pipelines, by id and by snapshot (U3, U4, U13).

use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use crate::transcript::assert_transcript;
use crate::workbench::{TEAM, Workbench, command_in, text};

/// Lets one person's request fail for good.
fn refusing(words: &str) -> Script {
    Script::new().rule(Rule::on(words).reply(Reply::Status(StatusReply::new(400))))
}

/// A good build, then one in which a changed note fails.
fn failed_since() -> Workbench {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench.write("bios/bela.md", "I am bela, and I changed.");
    bench.script(refusing("I am bela, and I changed"));
    bench.run(&["build"]).expect_code(3);
    bench
}

/// U3: a failed unit takes nothing away; what is shown says of which build it is, and why.
#[test]
fn the_last_good_report_is_shown_after_a_failed_build() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let good = bench.ok(&["show", "summary"]).stdout;
    bench.write("bios/bela.md", "I am bela, and I changed.");
    bench.script(refusing("I am bela, and I changed"));
    bench.run(&["build"]).expect_code(3);
    let run = bench.ok(&["show", "summary"]);
    assert_eq!(run.stdout, good);
    assert_transcript!(run);
    let shown = bench.json(&["show", "ws-bela"]);
    assert_eq!(shown["build"], "build-1");
    assert_eq!(shown["stale"]["newest"], "build-2");
    assert_eq!(shown["stale"]["kind"], "invalid");
    assert_eq!(
        bench.json(&["show", "ws-amara"])["stale"],
        serde_json::Value::Null
    );
    let lineage = bench.json(&["lineage", "summary"]);
    assert_eq!(lineage["stale"]["kind"], "held_back");
}

/// U3: `list` marks what stands as it was last made.
#[test]
fn a_list_marks_what_failed_since() {
    let bench = failed_since();
    let listed = bench.json(&["list"]);
    assert_eq!(listed["build"], "build-2");
    let artifacts = listed["artifacts"].as_array().unwrap();
    assert_eq!(artifacts.len(), 7, "{listed:#}");
    let stale: Vec<_> = artifacts
        .iter()
        .filter(|one| !one["stale"].is_null())
        .map(|one| (text(&one["label"]), text(&one["build"])))
        .collect();
    let of_first = |label: &str| (label.to_owned(), "build-1".to_owned());
    assert_eq!(stale, [of_first("ws-bela"), of_first("summary")]);
    let run = bench.ok(&["list", "summary"]);
    assert_transcript!(run);
    // Put right, nothing is stale.
    bench.script(Script::new());
    bench.write("bios/bela.md", "I am bela, and I work again.");
    bench.ok(&["build"]);
    let listed = bench.json(&["list"]);
    assert!(
        listed["artifacts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["stale"].is_null()),
        "{listed:#}"
    );
}

/// U3: an artifact that the pipeline no longer makes is no failure; it is shown, and not listed.
#[test]
fn what_was_removed_is_shown_by_name_and_not_listed() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench.remove("bios/bela.md");
    bench.ok(&["build"]);
    assert_eq!(bench.names().len(), 5);
    assert_eq!(bench.json(&["show", "ws-bela"])["stale"]["kind"], "removed");
}

/// U3: every snapshot can be read, and each artifact by the id that `list` prints.
#[test]
fn each_snapshot_and_each_id_can_be_read() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let before = bench.json(&["list"]);
    let old = bench.content("ws-bela");
    let id = before["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["label"] == "ws-bela")
        .map(|one| text(&one["id"]))
        .unwrap();
    bench.write("bios/bela.md", "I am bela, and I changed.");
    bench.script(Script::new().rule(Rule::on("I am bela, and I changed").text("Another style.")));
    bench.ok(&["build"]);
    assert_eq!(bench.content("ws-bela"), "Another style.");
    for snapshot in ["build-1", "@-1"] {
        let of = ["--snapshot", snapshot];
        let shown = bench.json(&[&["show", "ws-bela"][..], &of].concat());
        assert_eq!(text(&shown["content"]), old);
        let listed = bench.json(&[&["list"][..], &of].concat());
        assert_eq!(listed["artifacts"], before["artifacts"]);
        bench.ok(&[&["lineage", "summary"][..], &of].concat());
    }
    for name in [id.as_str(), &id[..12]] {
        let shown = bench.json(&["show", name]);
        assert_eq!(text(&shown["content"]), old);
        assert_eq!(shown["stale"]["kind"], "replaced");
    }
    assert_eq!(
        bench.ok(&["show", "ws-be"]).stdout.trim_end(),
        "Another style."
    );
    for bad in ["build-9", "@-2", "tuesday"] {
        let run = bench.run(&["list", "--snapshot", bad]).expect_code(2);
        assert!(
            run.says("there is no snapshot") && run.says("build-2, build-1"),
            "{run:?}"
        );
    }
}

/// A build that changed nothing stands on the snapshot before it.
#[test]
fn a_build_that_changed_nothing_can_be_read_by_its_name() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    bench.ok(&["build"]);
    let listed = bench.json(&["list", "--snapshot", "build-2"]);
    assert_eq!(listed["artifacts"].as_array().unwrap().len(), 7);
}

/// U4: the views read the pipeline at hand, not the one that was built last.
#[test]
fn each_pipeline_reads_its_own_snapshot() {
    let bench = Workbench::team();
    bench.pipeline(
        "second.toml",
        &TEAM.replace("label = \"summary\"", "label = \"other\""),
    );
    bench.ok(&["build"]);
    bench.ok(&["build", "second.toml"]);
    for (pipeline, label) in [("synix.toml", "summary"), ("second.toml", "other")] {
        let listed = bench.json(&["list", "summary", "--pipeline", pipeline]);
        assert_eq!(listed["artifacts"][0]["label"], label);
        assert_eq!(listed["pipeline"], pipeline);
        bench.ok(&["show", label, "--pipeline", pipeline]);
        bench.ok(&["lineage", label, "--pipeline", pipeline]);
        bench.ok(&["plan", "--pipeline", pipeline]);
    }
    assert_eq!(
        bench.json(&["list", "summary"])["artifacts"][0]["label"],
        "summary"
    );
    bench.run(&["show", "other"]).expect_code(2);
    // What it made is there although its file is gone.
    bench.remove("second.toml");
    bench.ok(&["show", "other", "--pipeline", "second.toml"]);
}

/// U4: with one pipeline there is nothing to choose, also without its file.
#[test]
fn the_only_pipeline_can_be_read_without_its_file() {
    let bench = Workbench::team();
    std::fs::rename(bench.path("synix.toml"), bench.path("only.toml")).unwrap();
    bench.ok(&["build", "only.toml"]);
    bench.remove("only.toml");
    assert_eq!(bench.names().len(), 7);
    bench.ok(&["show", "summary"]);
}

/// A pipeline that was never built says which were.
#[test]
fn a_pipeline_that_was_never_built_names_those_that_were() {
    let bench = Workbench::team();
    bench.pipeline("second.toml", TEAM);
    bench.ok(&["build"]);
    let run = bench
        .run(&["list", "--pipeline", "second.toml"])
        .expect_code(2);
    assert_transcript!(run);
}

/// U13: a layer that is not there is called a layer, and those that are there are named.
#[test]
fn a_layer_that_is_not_there_is_named_as_one() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let run = bench.run(&["list", "nolayer"]).expect_code(2);
    assert_transcript!(run);
    assert!(bench.run(&["list", "style"]).says("did you mean `styles`?"));
}

/// U3: before a build has come to its end, a list says so.
#[test]
fn a_list_before_the_first_end_says_why_it_is_empty() {
    let bench = Workbench::team();
    bench
        .run(&["build", "--budget", "0.0000001"])
        .expect_code(5);
    let run = bench.ok(&["list"]);
    assert_transcript!(run);
}

/// `-C` and `--pipeline` lead to a project from anywhere.
#[test]
fn a_project_can_be_named_from_elsewhere() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let project = bench.path("").display().to_string();
    let file = bench.path("synix.toml").display().to_string();
    for place in [
        ["-C", &project],
        ["--pipeline", &file],
        ["--pipeline", &project],
    ] {
        for command in [&["list"][..], &["show", "summary"], &["runs"], &["plan"]] {
            let arguments = [&place[..], command].concat();
            command_in(elsewhere.path(), &arguments)
                .run()
                .expect_code(0);
        }
    }
}

#[test]
fn a_lineage_goes_back_as_far_as_it_is_told_to_and_names_its_transforms() {
    let bench = Workbench::team();
    bench.ok(&["build"]);
    let run = bench.ok(&["lineage", "summary", "--depth", "1"]);
    assert!(
        run.stdout.contains("styles/ws-bela") && !run.stdout.contains("bios/bela"),
        "{run:?}"
    );
    assert_transcript!(run);
    let cut = bench.json(&["lineage", "summary", "--depth", "1"]);
    assert_eq!(cut["cut"], true);
    let whole = bench.json(&["lineage", "summary", "--depth", "2"]);
    assert_eq!(
        (&whole["cut"], &whole["nodes"]),
        (&false.into(), &bench.json(&["lineage", "summary"])["nodes"])
    );
}
