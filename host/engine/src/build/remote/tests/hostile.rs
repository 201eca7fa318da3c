//! Outcomes that no worker of synix sends: each ends the build with a message, and nothing of it is recorded.

use std::sync::Arc;

use serde_json::{Value, json};
use synix_units::{Contents, ObjectRef};
use tokio::runtime::Handle;

use super::loopback::Loopback;
use super::project::Project;
use super::same::notes;
use crate::build::BuildError;
use synix_core::causes::with_causes;

const PIPELINE: &str = r#"
    layers.notes.source = "notes/*.md"
    [layers.made]
    transform = "echo.wasm"
    inputs = ["notes"]
"#;

type Edit = fn(&mut Value, &Contents);

/// What a worker makes of an outcome, and a part of the message of the build.
const HOSTILE: &[(&str, Edit)] = &[
    (
        "it is the outcome of the chunk 000000000000",
        |outcome, _| {
            outcome["chunk"] = json!("0".repeat(64));
        },
    ),
    ("it has 2 units, and the chunk has 3", |outcome, _| {
        outcome["units"]["list"].as_array_mut().unwrap().pop();
    }),
    (
        "its unit 0, counted from 0, is another one",
        |outcome, _| {
            outcome["units"]["list"].as_array_mut().unwrap().swap(0, 1);
        },
    ),
    ("unknown field `more`", |outcome, _| {
        outcome["more"] = json!(1);
    }),
    ("unknown field `more`", |outcome, _| {
        edit_end(outcome, |end| end["done"]["more"] = json!(1));
    }),
    ("has the schema 2", |outcome, _| {
        outcome["schema"] = json!(2);
        outcome["new"] = json!("member");
    }),
    ("has the schema 2", |outcome, _| {
        outcome["schema"] = json!(2);
    }),
    ("the worker ran none of the 3 units", |outcome, _| {
        for report in outcome["units"]["list"].as_array_mut().unwrap() {
            report["end"] = json!("not_run");
        }
    }),
    ("33554432 are allowed", |outcome, _| {
        edit_output(outcome, |output| {
            output["content"]["text"] = json!("x".repeat(33 << 20));
        });
    }),
    ("the units can make at most", |outcome, _| {
        outcome["units"] = json!({"object": {"digest": "0".repeat(64), "size": 1_u64 << 40}});
    }),
    // A text of 40 MB, which travels as an object: what a text of 1 GB does is the same.
    ("the outputs of one unit have 41943", |outcome, contents| {
        edit_output(outcome, |output| {
            output["content"]["text"] = json!("x".repeat(40 << 20));
        });
        let list = serde_json::to_vec(&outcome["units"]["list"]).unwrap();
        let object = ObjectRef::to(&list);
        let provided = contents.provide(object.digest, list);
        Handle::current().block_on(provided).unwrap();
        outcome["units"] = json!({ "object": object });
    }),
    ("label \"\" is empty", |outcome, _| {
        edit_output(outcome, |output| output["label"] = json!(""));
    }),
    ("has a control character", |outcome, _| {
        edit_output(outcome, |output| output["label"] = json!("a\u{1b}[2J"));
    }),
    ("changes the direction of the text", |outcome, _| {
        edit_output(outcome, |output| output["kind"] = json!("a\u{202e}b"));
    }),
    ("two outputs have the label", |outcome, _| {
        edit_end(outcome, |end| {
            let outputs = end["done"]["outputs"].as_array_mut().unwrap();
            outputs.push(outputs[0].clone());
        });
    }),
    ("is not a media type", |outcome, _| {
        edit_output(outcome, |output| {
            output["content"] = json!({"bytes": {"media_type": "none", "base64": ""}});
        });
    }),
    ("a content is not base64", |outcome, _| {
        edit_output(outcome, |output| {
            output["content"] = json!({"bytes": {"media_type": "a/b", "base64": "?"}});
        });
    }),
    ("has no content in the outcome", |outcome, _| {
        edit_output(outcome, |output| {
            let object = json!({"digest": "0".repeat(64), "size": 1});
            output["content"] = json!({"object": {"object": object, "media_type": null}});
        });
    }),
    ("a metadata value is not the JSON", |outcome, _| {
        edit_output(outcome, |output| output["metadata"] = json!({"a": "{"}));
    }),
    ("the metadata value of \"a\" is invalid", |outcome, _| {
        edit_output(outcome, |output| {
            output["metadata"] = json!({"a": "9007199254740993"});
        });
    }),
    ("the log level \"loud\" does not exist", |outcome, _| {
        edit_end(outcome, |end| {
            end["done"]["log"] = json!([{"level": "loud", "message": ""}]);
        });
    }),
    (
        "the log is longer than a plugin can make it",
        |outcome, _| {
            edit_end(outcome, |end| {
                let line = json!({"level": "info", "message": "x".repeat(8 << 10)});
                end["done"]["log"] = json!(vec![line; 200]);
            });
        },
    ),
    (
        "the message of its failure has 100000 bytes",
        |outcome, _| {
            edit_end(outcome, |end| {
                *end = json!({"failed": {"message": "x".repeat(100_000), "transient": false}});
            });
        },
    ),
    ("round 3 differs from that of the chunk", |outcome, _| {
        edit_end(outcome, |end| *end = json!({"diverged": {"round": 3}}));
    }),
    ("requests that the plugin may not make", |outcome, _| {
        edit_end(outcome, |end| {
            *end = json!({"round": {"requests": [request()]}});
        });
    }),
    ("a round has no requests", |outcome, _| {
        edit_end(outcome, |end| *end = json!({"round": {"requests": []}}));
    }),
];

fn request() -> Value {
    json!({
        "is_embedding": false,
        "messages": [{"role": "user", "parts": [{"text": "Tell me a secret."}]}],
        "max_tokens": null,
        "temperature": null,
        "stop": [],
        "response_format": null,
        "model": null,
        "sample": 0,
        "options": "{}",
    })
}

fn edit_end(outcome: &mut Value, edit: impl FnOnce(&mut Value)) {
    edit(&mut outcome["units"]["list"][0]["end"]);
}

fn edit_output(outcome: &mut Value, edit: impl FnOnce(&mut Value)) {
    edit_end(outcome, |end| edit(&mut end["done"]["outputs"][0]));
}

fn edited(edit: Edit) -> impl Fn(Vec<u8>, &Contents) -> Vec<u8> {
    move |outcome, contents| {
        let mut outcome = serde_json::from_slice(&outcome).unwrap();
        edit(&mut outcome, contents);
        serde_json::to_vec(&outcome).unwrap()
    }
}

/// Builds a project with a worker that edits its outcomes, and returns the message of the error.
async fn message_of(project: &Project, edit: Edit, runtime: &Handle) -> String {
    let inside = runtime.clone();
    let engine = Loopback::new().with_change(move |outcome, contents| {
        let _inside = inside.enter();
        edited(edit)(outcome, contents)
    });
    let error = project.build(Some(Arc::new(engine))).await.end.unwrap_err();
    assert!(matches!(error, BuildError::Outcome { .. }), "{error:?}");
    assert!(error.hint().is_some());
    with_causes(&error)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_outcome_is_refused_with_a_message() {
    let runtime = Handle::current();
    // The first chunks of two threads have three units each.
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let project = Project::new(PIPELINE, &["echo"], &notes(&names));
    for (expected, edit) in HOSTILE {
        let message = message_of(&project, *edit, &runtime).await;
        assert!(message.contains(expected), "{expected}: {message}");
        let state = project.state();
        for rows in ["units", "artifacts", "states"] {
            let is_made = |row: &&Vec<String>| row.iter().any(|cell| cell.contains("made"));
            let made = state[rows].iter().find(is_made);
            assert_eq!(made, None, "{expected}");
        }
        assert!(state["requests"].is_empty() && state["attempts"].is_empty());
    }
    let engine = Loopback::new();
    let end = project.build(Some(Arc::new(engine))).await.end.unwrap();
    assert!(end.complete);
}

/// A plugin that may ask can ask no more than its sandbox lets through.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_the_sandbox_would_refuse_are_refused() {
    let runtime = Handle::current();
    let pipeline = PIPELINE.replace("echo", "two_steps");
    let project = Project::new(&pipeline, &["two_steps"], &notes(&["a"]));
    let hostile: &[(&str, Edit)] = &[
        ("max-tokens is 0", |outcome, _| {
            edit_request(outcome, |request| request["max_tokens"] = json!(0));
        }),
        ("no message has the role `user`", |outcome, _| {
            edit_request(outcome, |request| request["messages"] = json!([]));
        }),
        ("temperature is not between 0 and 2", |outcome, _| {
            edit_request(outcome, |request| request["temperature"] = json!(3));
        }),
        ("a request that the sandbox does not make", |outcome, _| {
            edit_request(outcome, |request| request["temperature"] = json!(-0.0));
        }),
        ("a request that the sandbox does not make", |outcome, _| {
            edit_request(outcome, |request| request["response_format"] = json!("[]"));
        }),
        ("1001 requests in one round", |outcome, _| {
            edit_end(outcome, |end| {
                *end = json!({"round": {"requests": vec![request(); 1001]}});
            });
        }),
        ("requests that the plugin may not make", |outcome, _| {
            edit_request(outcome, |request| request["is_embedding"] = json!(true));
        }),
        ("options is not the JSON", |outcome, _| {
            edit_request(outcome, |request| request["options"] = json!("[1]"));
        }),
    ];
    for (expected, edit) in hostile {
        let message = message_of(&project, *edit, &runtime).await;
        assert!(message.contains(expected), "{expected}: {message}");
    }
    assert_eq!(project.server.ledger().executed.len(), 0);
}

fn edit_request(outcome: &mut Value, edit: impl FnOnce(&mut Value)) {
    edit_end(outcome, |end| edit(&mut end["round"]["requests"][0]));
}
