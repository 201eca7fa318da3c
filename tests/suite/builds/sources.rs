//! Source files: which are read, and how errors in them are reported.

use std::fs;

use synix_scripted_provider::{Rule, Script};

use crate::support::costly_components::with_schema;
use crate::support::pipelines::guest_layers;
use crate::support::test_project::TestProject;
use crate::support::transcript::assert_transcript;

const MAP: &str = r#"
[models.default]
provider = "openai"
model = "gpt-4o-mini"
max_tokens = 30
[layers.notes]
source = "notes/**/*.md"
[layers.answers]
transform = "map"
inputs = ["notes"]
[layers.answers.config]
prompt_file = "p.md"
"#;

fn project_with_note() -> TestProject {
    let project = TestProject::with_layers(MAP);
    project.write("p.md", "Say: {{ content }}");
    project.write("notes/good.md", "Good.");
    project
}

/// X12: a user does not have to run a command for each wrong note.
#[test]
fn all_unusable_files_are_named_in_one_error() {
    let more = "\n[layers.mails]\nsource = \"mails/*\"\n[layers.none]\nsource = \"none/*\"\n";
    let project = TestProject::with_layers(&format!("{MAP}{more}"));
    project.write("p.md", "Say: {{ content }}");
    for number in 0..20 {
        project.write(
            &format!("notes/{number:02}.md"),
            "---\ndate: 1\ntitle: Re: x\n---\nText.",
        );
    }
    project.write("notes/good.md", "Good.");
    project.write("mails/a.txt", "one");
    project.write("mails/a.md", "two");
    fs::write(project.path("mails/b.txt"), b"\xff").unwrap();
    for command in ["plan", "build"] {
        let run = project.run(&[command]).expect_code(1);
        for number in 0..20 {
            let message =
                format!("layer `notes`: notes/{number:02}.md:3: the front matter cannot be read");
            assert!(run.says(&message), "{message}: {run:?}");
        }
        for message in [
            "put the value in quotes: title: 'Re: x'",
            "layer `mails`: mails/a.md and mails/a.txt would both have the label `a`",
            "layer `mails`: mails/b.txt: is not UTF-8 text: byte 0 is invalid",
            "layer `none`: the glob `none/*` matches no file",
            "23 files cannot be used",
        ] {
            assert!(run.says(message), "{message}: {run:?}");
        }
    }
    assert_eq!(project.sent(), 0);
}

#[test]
fn all_missing_prompt_files_are_named_in_one_error() {
    let other = MAP
        .split_once("[layers.answers]")
        .unwrap()
        .1
        .replace("p.md", "q.md");
    let other = other.replace("[layers.answers.config]", "[layers.more.config]");
    let project = TestProject::with_layers(&format!("{MAP}\n[layers.more]{other}"));
    project.write("notes/good.md", "Good.");
    let run = project.run(&["plan"]).expect_code(2);
    for message in [
        "layer `answers`: p.md: there is no such file",
        "layer `more`: q.md: there is no such file",
    ] {
        assert!(run.says(message), "{run:?}");
    }
}

/// U14: a horizontal rule is Markdown, not front matter.
#[test]
fn a_note_may_begin_with_a_horizontal_rule() {
    let project = project_with_note();
    let text = "---\n\nOne.\n\n---\n\nTwo.\n";
    project.write("notes/rule.md", text);
    project.ok(&["build"]);
    let shown = project.json(&["show", "notes/rule"]);
    assert_eq!(shown["content"], text);
    assert_eq!(shown["metadata"], serde_json::json!({}));
}

/// X16: some editors write a byte order mark.
#[test]
fn a_byte_order_mark_in_a_prompt_or_note_changes_no_request() {
    let project = project_with_note();
    project.ok(&["build"]);
    assert_eq!(project.sent(), 1);
    project.write("p.md", "\u{feff}Say: {{ content }}");
    project.write("notes/good.md", "\u{feff}Good.");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 1);
    // Line ends belong to the author's text.
    project.script(Script::new().rule(Rule::on("Say:\r\nGood.").text("As it was.")));
    project.write("p.md", "Say:\r\n{{ content }}");
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2);
    assert_eq!(project.content("answers/good"), "As it was.");
}

/// X17: the user must be able to find the folder.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_name_that_is_not_utf_8_is_shown_with_its_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let project = project_with_note();
    let folder = project
        .path("notes")
        .join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    project.ok(&["plan"]);
    fs::write(folder.join("a.md"), "x").unwrap();
    let run = project.run(&["plan"]).expect_code(1);
    assert_transcript!(run);
}

/// W20: files with secrets are neither sources nor prompts by default. If a layer allows them, the plan shows it.
#[test]
fn hidden_files_are_read_only_where_the_layer_allows_it() {
    let token = "[http]\n\textraheader = AUTHORIZATION: basic c2VjcmV0";
    for (from, to) in [
        ("source = \"notes/**/*.md\"", "source = \".git/config\""),
        ("source = \"notes/**/*.md\"", "source = \".GIT/*\""),
        ("source = \"notes/**/*.md\"", "source = \"notes/**/.git/*\""),
        ("source = \"notes/**/*.md\"", "source = \".e*\""),
        ("source = \"notes/**/*.md\"", "source = \"plain/*\""),
        ("source = \"notes/**/*.md\"", "source = \"links/*\""),
        ("prompt_file = \"p.md\"", "prompt_file = \".env\""),
        (
            "prompt_file = \"p.md\"",
            "prompt_file = \".ssh/id_ed25519\"",
        ),
        (
            "prompt_file = \"p.md\"",
            "prompt_file = \"./notes/../.git/config\"",
        ),
        (
            "prompt_file = \"p.md\"",
            "prompt_file = \".synix/state.sqlite3\"",
        ),
        ("prompt_file = \"p.md\"", "prompt_file = \"links/env.md\""),
    ] {
        let project = project_with_note();
        for file in [
            ".git/config",
            ".GIT/config",
            "notes/.git/config",
            ".env",
            ".ssh/id_ed25519",
        ] {
            project.write(file, token);
        }
        #[cfg(unix)]
        {
            fs::create_dir(project.path("links")).unwrap();
            std::os::unix::fs::symlink("../.env", project.path("links/env.md")).unwrap();
            std::os::unix::fs::symlink(".git", project.path("plain")).unwrap();
        }
        project.pipeline("synix.toml", &MAP.replace(from, to));
        for command in ["plan", "build"] {
            let run = project.run(&[command]);
            assert!(matches!(run.code, 1 | 2), "{to}: {run:?}");
            assert!(
                run.says("is hidden") && run.says("allow_hidden = true"),
                "{to}: {run:?}"
            );
            assert!(!run.says("c2VjcmV0"), "{run:?}");
        }
        assert_eq!(project.sent(), 0);
    }
}

#[test]
fn a_plan_shows_which_layers_may_read_hidden_files() {
    let project = project_with_note();
    project.write(".notes/a.md", "Hidden.");
    let layers = MAP.replace(
        "source = \"notes/**/*.md\"",
        "source = \".notes/*.md\"\nallow_hidden = true",
    );
    project.pipeline("synix.toml", &layers);
    let run = project.ok(&["plan"]);
    assert_transcript!(run);
    let plan = project.json(&["plan"]);
    let layers = plan["layers"].as_array().unwrap();
    assert_eq!(layers[0]["allow_hidden"], true);
    assert!(layers[1]["allow_hidden"].is_null(), "{plan}");
    project.ok(&["build"]);
    assert!(project.artifact_names().contains(&"notes/a".to_owned()));
}

/// W18: a plan reads a note again when a unit needs it.
#[test]
fn a_plan_counts_the_requests_that_a_build_sends() {
    let project = project_with_note();
    project.write("notes/more.md", "---\nname: more\n---\nMore.");
    let plan = project.json(&["plan"]);
    assert_eq!(plan["layers"][1]["requests"], 2);
    project.ok(&["build"]);
    assert_eq!(project.sent(), 2);
    let plan = project.json(&["plan"]);
    assert_eq!(plan["layers"][1]["requests"], 0);
}

/// A config can name one file many times, so the limit applies to the sum.
#[test]
fn the_files_of_a_config_have_a_total_size_limit() {
    let schema = r#"{"type": "object", "properties": {"files": {"type": "array", "items": {"type": "string", "format": "file"}}}}"#;
    let project_naming = |times: usize| {
        let files = vec!["\"large.md\""; times].join(", ");
        let layers = guest_layers("own");
        let project = TestProject::with_layers(&format!("{layers}config.files = [{files}]\n"));
        project.write("texts/one.md", "One.");
        project.write("large.md", &"x".repeat(22 << 20));
        project.write("plugins/.gitkeep", "");
        fs::write(project.path("plugins/own.wasm"), with_schema(schema)).unwrap();
        project
    };
    // This guest makes no outputs, but its files are read.
    project_naming(2).ok(&["plan"]);
    for command in [&["plan"][..], &["build"]] {
        let project = project_naming(3);
        let run = project.run(command).expect_code(2);
        let message = "large.md: this file makes the files of this config larger than 64 MiB";
        assert!(run.says(message) && run.says("layer `made`"), "{run:?}");
        assert!(!project.path(".synix").exists());
    }
}

/// C5: it would otherwise be an empty build.
#[test]
fn a_glob_that_matches_nothing_is_an_error() {
    let project = TestProject::team();
    for name in ["amara", "bela", "chitra"] {
        project.remove(&format!("bios/{name}.md"));
    }
    let run = project.run(&["build"]);
    assert_transcript!(run);
}

/// C5
#[test]
fn a_source_with_broken_front_matter_is_named() {
    let project = TestProject::team();
    project.write("bios/bela.md", "---\nname: [unclosed\n---\nI am bela.");
    let run = project.run(&["build"]);
    assert_transcript!(run);
    assert_eq!(project.sent(), 0);
}
