//! Exceptions in Python plugins.

use std::fs;
use std::path::Path;

use crate::plugin_languages::errors::{line_of, run_plugin};
use crate::support::plugin_tools::{expect_success, plugin_command, scaffold};

/// U8: the check sends answers of every form to the JSON reader of the standard library.
#[test]
fn a_python_plugin_that_uses_json_loads_passes_the_check() {
    let folder = scaffold("python");
    let path = folder.path().join("plugin.py");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "    items = ask(LIST",
        "    import json\n\n    json.loads(ask(\"Answer in JSON.\" + given.text()))\n    items = ask(LIST",
    );
    let text = text.replace(
        "complete(Request.user(text, max_tokens=300, temperature=0.0))",
        "complete(Request.user(text, max_tokens=300, temperature=0.0, response_format=FORMAT if \"JSON\" in text and \"PLAIN\" not in text else None))",
    );
    let text = text.replace("ORDER =", "FORMAT = {\"type\": \"object\"}\nORDER =");
    fs::write(&path, &text).unwrap();
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    expect_success(&mut plugin_command(&["check"], Path::new(built.trim())));
    let deep = format!("{}{}", "[".repeat(4000), "]".repeat(4000));
    for (reply, message) in [
        (
            "Sure!",
            "invalid-answer: the answer is not the JSON that was asked for: Expecting value",
        ),
        (
            deep.as_str(),
            "invalid-answer: the answer is not the JSON that was asked for: More than 500 lists",
        ),
    ] {
        // A reply to a request with a response format would not reach the plugin.
        let run = run_plugin(folder.path(), built.trim(), "PLAIN", reply).expect_code(1);
        assert!(run.says(message), "{run:?}");
        let line = line_of(&text, "json.loads(");
        assert!(run.says(&format!("plugin.py:{line} in extract")), "{run:?}");
    }
}

#[test]
fn a_python_exception_names_the_authors_file_once() {
    let folder = scaffold("python");
    let path = folder.path().join("plugin.py");
    let text = fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "    limit = config",
        "    pass\n        if \"RAISE\" in inputs[0].text():\n            raise KeyError(\"on purpose\")\n        limit = config",
    );
    fs::write(&path, &text).unwrap();
    let built = expect_success(&mut plugin_command(&["build"], folder.path())).stdout;
    let run = run_plugin(folder.path(), built.trim(), "RAISE", "x").expect_code(1);
    let printed = format!("{}{}", run.stdout, run.stderr);
    assert_eq!(
        printed.matches("KeyError: 'on purpose'").count(),
        1,
        "{printed}"
    );
    let line = line_of(&text, "raise KeyError");
    assert!(
        printed.contains(&format!("at plugin.py:{line} in execute")),
        "{printed}"
    );
}
