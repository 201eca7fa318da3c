//! What clients see: tools, documents, pages and errors.

use serde_json::{Value, json};

use super::client::Client;
use crate::support::test_project::{TestProject, text};

#[test]
fn every_tool_is_read_only_and_described() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let mut client = Client::start(&project, &[]);
    let reply = client.request("tools/list", &json!({}));
    let tools = reply["result"]["tools"].as_array().unwrap();
    let names: Vec<&Value> = tools.iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["search", "show", "lineage", "list"]);
    for tool in tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert!(text(&tool["description"]).len() > 40, "{tool}");
    }
    assert_eq!(client.close(), Some(0));
}

/// An agent and a person are shown the same.
#[test]
fn a_document_is_that_of_the_command() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let mut client = Client::start(&project, &[]);

    let mut shown = client.document("show", &json!({ "label": "summary" }));
    assert_eq!(shown["next_offset"], Value::Null);
    shown.as_object_mut().unwrap().remove("next_offset");
    let mut expected = project.json(&["show", "summary"]);
    expected.as_object_mut().unwrap().remove("schema");
    assert_eq!(shown, expected);

    let roots = json!({ "label": "summary", "layer": "summary", "direction": "roots" });
    let mut expected = project.json(&["lineage", "summary", "--roots"]);
    expected.as_object_mut().unwrap().remove("schema");
    assert_eq!(client.document("lineage", &roots), expected);

    let down = json!({ "label": "amara", "direction": "down", "depth": 5 });
    let lineage = client.document("lineage", &down);
    let nodes = lineage["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3, "{lineage}");

    let list = client.document("list", &json!({ "limit": 3 }));
    let counts: Vec<&Value> = list["layers"].as_array().unwrap().iter().collect();
    assert_eq!(counts.len(), 3);
    assert_eq!(list["artifacts"].as_array().unwrap().len(), 3);
    assert_eq!(list["next_offset"], 3);
    let rest = client.document("list", &json!({ "offset": 3 }));
    assert_eq!(rest["artifacts"].as_array().unwrap().len(), 4);
    assert_eq!(rest["next_offset"], Value::Null);
}

/// The server goes on after an error, and the agent can read what is wrong.
#[test]
fn an_error_is_a_result_that_the_agent_can_read() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let mut client = Client::start(&project, &[]);
    let unknown = client.call("show", &json!({ "label": "sumary" }));
    assert_eq!(unknown["isError"], true);
    assert!(text(&unknown["content"][0]["text"]).contains("did you mean `summary`?"));
    assert_eq!(
        unknown["structuredContent"]["error"]["kind"],
        "unknown_artifact"
    );
    let wrong = client.call("show", &json!({ "name": "summary" }));
    assert_eq!(wrong["isError"], true);
    assert!(text(&wrong["content"][0]["text"]).contains("unknown field `name`"));
    let reply = client.request("tools/call", &json!({ "name": "delete", "arguments": {} }));
    assert!(
        text(&reply["error"]["message"]).contains("no tool"),
        "{reply}"
    );
    client.document("show", &json!({ "label": "summary" }));
    assert_eq!(client.close(), Some(0));
}

#[test]
fn a_session_sees_what_a_build_makes_in_the_meantime() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let mut newest = Client::start(&project, &[]);
    let mut pinned = Client::start(&project, &["--snapshot", "snapshot-1"]);
    project.write("bios/dora.md", "I am dora.");
    project.ok(&["build"]);
    let dora = json!({ "label": "dora" });
    let shown = newest.document("show", &dora);
    assert_eq!(shown["content"], "I am dora.");
    let of_newest = newest.document("list", &json!({}));
    let of_first = pinned.document("list", &json!({}));
    assert_eq!(of_newest["artifacts"].as_array().unwrap().len(), 9);
    assert_eq!(of_first["artifacts"].as_array().unwrap().len(), 7);
}

#[test]
fn a_project_without_a_snapshot_is_refused_at_once() {
    let project = TestProject::team();
    let run = project.run(&["mcp"]).expect_code(1);
    assert!(run.says("run `synix build` first"), "{run:?}");
    assert_eq!(run.stdout, "");
}
