//! A release folder, served without its project.

use serde_json::{Value, json};

use super::client::Client;
use crate::support::test_project::{TestProject, text};

const OUTPUTS: &str = r#"
[outputs.search]
layers = ["summary", "styles", "bios"]
format = "search"
path = "search.sqlite"

[outputs.memory]
layers = ["summary"]
format = "document"
path = "texts/memory.md"

[outputs.table]
layers = ["styles"]
format = "parquet"
path = "styles.parquet"
"#;

fn released() -> TestProject {
    let project = TestProject::team();
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("synix.toml", &format!("{pipeline}{OUTPUTS}"));
    project.ok(&["build"]);
    project.ok(&["release"]);
    project
}

#[test]
fn a_release_is_searched_read_listed_and_traced() {
    let project = released();
    let summary = project.json(&["show", "summary"]);
    // The state is not needed.
    std::fs::remove_dir_all(project.path(".synix")).unwrap();
    let mut client = Client::start(&project, &["--in", "release"]);

    let found = client.document(
        "search",
        &json!({ "query": "chitra write", "layer": "bios" }),
    );
    assert_eq!(found["results"][0]["label"], "chitra", "{found}");
    let shown = client.document("show", &json!({ "label": "summary" }));
    for field in ["layer", "label", "kind", "id", "content", "metadata"] {
        assert_eq!(shown[field], summary[field], "{field}");
    }
    assert_eq!(shown["sources"], json!(["amara", "bela", "chitra"]));
    let traced = client.document("lineage", &json!({ "label": "ws-bela" }));
    assert_eq!(
        (&traced["sources"], &traced["cut"]),
        (&json!(["bela"]), &json!(false))
    );
    let list = client.document("list", &json!({ "limit": 2 }));
    assert_eq!(
        list["layers"][0],
        json!({ "name": "summary", "artifacts": 1 })
    );
    assert_eq!(
        (&list["next_offset"], &list["artifacts"][1]["label"]),
        (&json!(2), &json!("ws-amara"))
    );

    for (tool, arguments, message) in [
        ("show", json!({ "label": "nobody" }), "no artifact"),
        ("list", json!({ "layer": "nothing" }), "no layer"),
        (
            "lineage",
            json!({ "label": "amara", "direction": "down" }),
            "ask the project",
        ),
        (
            "search",
            json!({ "query": "a", "mode": "smell" }),
            "no mode",
        ),
    ] {
        let result = client.call(tool, &arguments);
        assert_eq!(result["isError"], true, "{tool}");
        assert!(
            text(&result["content"][0]["text"]).contains(message),
            "{result}"
        );
    }
    assert_eq!(client.close(), Some(0));
}

/// The same outputs, whether a project or a release is served.
#[test]
fn outputs_that_are_texts_are_resources() {
    let project = released();
    let memory = std::fs::read_to_string(project.path("release/current/texts/memory.md")).unwrap();
    for arguments in [&[][..], &["--in", "release"]] {
        let mut client = Client::start(&project, arguments);
        let listed = client.request("resources/list", &json!({}));
        let resources = listed["result"]["resources"].as_array().unwrap();
        let uris: Vec<&Value> = resources.iter().map(|resource| &resource["uri"]).collect();
        assert_eq!(uris, ["synix://outputs/memory"], "{arguments:?}");
        let read = client.request("resources/read", &json!({ "uri": uris[0] }));
        let content = &read["result"]["contents"][0];
        assert_eq!(content["mimeType"], "text/markdown", "{arguments:?}");
        assert_eq!(text(&content["text"]), memory, "{arguments:?}");
        for uri in [
            "synix://outputs/table",
            "file:///etc/passwd",
            "synix://outputs/../x",
        ] {
            let refused = client.request("resources/read", &json!({ "uri": uri }));
            assert!(refused["error"]["message"].is_string(), "{uri}: {refused}");
        }
    }
}

#[test]
fn a_folder_without_a_search_file_is_refused_at_once() {
    let project = TestProject::team();
    let run = project.run(&["mcp", "--in", "bios"]).expect_code(1);
    assert!(run.says("format = \"search\""), "{run:?}");
}
