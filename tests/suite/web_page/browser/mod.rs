//! The page in a browser, with and without scripts.

mod export;

use serde_json::Value;

use super::{PAGES, built};
use crate::support::browser::{Browser, Scripts};
use crate::support::pipelines::RESUME;
use crate::support::test_project::{TestProject, text};
use crate::support::web_server::WebServer;

/// The key that sends a form.
const ENTER: &str = "\u{e007}";

/// Returns the address of a page.
fn address(server: &WebServer, page: &str) -> String {
    format!("{}{}", server.url.trim_end_matches('/'), page)
}

/// Opens a page until it has a text: what takes long to compute is on it a little later.
#[track_caller]
fn open(browser: &Browser, server: &WebServer, page: &str, text: &str) {
    browser.wait_until(|browser| {
        browser.open(&address(server, page));
        browser.text("main").contains(text)
    });
}

/// Returns the cells of the row of a table whose first cell begins with a name.
#[track_caller]
fn row(browser: &Browser, name: &str) -> Vec<String> {
    let rows = browser.texts("main tr");
    let row = rows.iter().find(|row| row.starts_with(name));
    let row = row.unwrap_or_else(|| panic!("no row of {name} in {rows:?}"));
    row.split_whitespace().map(str::to_owned).collect()
}

fn as_cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The page of a running build is never opened again, and shows what `--json` says when the build ends.
#[test]
fn a_batch_build_is_seen_to_finish_without_a_reload() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let server = WebServer::start(&project);
    let browser = Browser::start(Scripts::Enabled);
    open(&browser, &server, "/build?id=build-1", "submitted");
    browser.script("window.opened = 'once'");
    project.provider.finish_batches();
    project.ok(&RESUME);
    browser.wait_until(|browser| browser.text("main").contains("completed"));
    assert_eq!(browser.script("return window.opened"), "once");
    let status = project.status();
    for layer in status["layers"].as_array().expect("layers") {
        let cells = row(&browser, &text(&layer["name"]));
        for field in ["units", "done", "failed", "waiting"] {
            assert!(
                cells.contains(&as_cell(&layer[field])),
                "{field}: {cells:?}"
            );
        }
    }
    let main = browser.text("main");
    let batch = &status["batches"][0];
    assert!(main.contains(&text(&batch["id"])[..12]), "{main}");
    for number in [&status["tokens"]["input"], &status["tokens"]["output"]] {
        assert!(main.contains(&as_cell(number)), "{number}: {main}");
    }
    for step in batch["steps"].as_array().expect("steps") {
        assert!(main.contains(&text(&step["state"])), "{step}: {main}");
    }
    assert_eq!(browser.messages(), [""; 0]);
}

/// From a word to the artifact that has it, and to the file that the artifact was made from.
fn search_and_follow(browser: &Browser, server: &WebServer) {
    browser.open(&address(server, "/"));
    browser.follow("Search");
    browser.enter("main input[name=q]", &format!("write{ENTER}"));
    browser.wait_until(|browser| browser.url().contains("q=write"));
    // Without scripts, a page does not show by itself what is found later.
    let page = browser.url();
    browser.wait_until(|browser| {
        browser.open(&page);
        browser.text("main").contains("chitra")
    });
    let found = browser.text("main");
    for label in ["amara", "bela", "chitra"] {
        assert!(found.contains(label), "{found}");
    }
    browser.open(&address(server, "/layer?name=styles"));
    browser.follow("ws-amara");
    let shown = browser.text("main");
    assert!(shown.contains("ws-amara"), "{shown}");
    browser.follow("amara");
    assert!(browser.url().contains("label=amara"), "{}", browser.url());
    let shown = browser.text("main");
    assert!(
        shown.contains("I am amara and I write things down."),
        "{shown}"
    );
    assert!(shown.contains("bios/amara.md"), "{shown}");
}

#[test]
fn a_search_leads_to_an_artifact_and_to_its_source_file() {
    let (_project, server) = built();
    let browser = Browser::start(Scripts::Enabled);
    search_and_follow(&browser, &server);
    assert_eq!(browser.messages(), [""; 0]);
}

#[test]
fn the_pages_work_without_scripts() {
    let (project, server) = built();
    let browser = Browser::start(Scripts::Disabled);
    search_and_follow(&browser, &server);
    for page in PAGES.into_iter().filter(|page| !page.starts_with("/raw")) {
        browser.open(&address(&server, page));
        assert_ne!(browser.text("main h1"), "", "{page}");
    }
    // A build that is open is shown as it is now.
    project.pause_batches();
    project.write("bios/bela.md", "I am bela and I draw.");
    project.ok(&["batch-build", "run"]);
    open(&browser, &server, "/build?id=build-2", "submitted");
    project.provider.finish_batches();
    project.ok(&RESUME);
    open(&browser, &server, "/build?id=build-2", "completed");
}

#[test]
fn two_snapshots_are_compared_as_by_diff() {
    let (project, server) = built();
    project.write("bios/bela.md", "I am bela and I draw.");
    project.write("bios/dora.md", "I am dora and I sing.");
    project.remove("bios/chitra.md");
    project.ok(&["build"]);
    let diff = project.json(&["diff"]);
    let browser = Browser::start(Scripts::Enabled);
    browser.open(&address(&server, "/"));
    browser.follow("Snapshots");
    let snapshots = browser.text("main");
    assert!(
        snapshots.contains("snapshot-1") && snapshots.contains("snapshot-2"),
        "{snapshots}"
    );
    open(&browser, &server, "/diff", "draw");
    let shown = browser.text("main");
    for change in ["added", "removed", "changed"] {
        for artifact in diff[change].as_array().expect("changes") {
            let label = text(&artifact["label"]);
            assert!(shown.contains(&label), "{label}: {shown}");
        }
    }
    for layer in diff["layers"].as_array().expect("layers") {
        let cells = row(&browser, &text(&layer["name"]));
        for change in ["added", "removed", "changed"] {
            assert!(
                cells.contains(&as_cell(&layer[change])),
                "{change}: {cells:?}"
            );
        }
    }
}

/// A refused script, style or image is a message of the browser, and a load from elsewhere is an address.
#[test]
fn no_page_loads_or_does_what_its_policy_forbids() {
    let (_project, server) = built();
    let browser = Browser::start(Scripts::Enabled);
    for page in PAGES.into_iter().chain(["/nothing", "/build?id=build-9"]) {
        browser.open(&address(&server, page));
        let is_missing = |message: &String| message.contains("404 (Not Found)");
        let mut messages = browser.messages();
        messages.retain(|message| !is_missing(message));
        assert_eq!(messages, [""; 0], "{page}");
    }
    let requested = browser.requested();
    assert!(requested.len() > PAGES.len(), "{requested:?}");
    for url in requested {
        assert!(url.starts_with(&server.url), "{url}");
    }
}

#[test]
fn the_numbers_of_a_page_are_those_of_the_command() {
    let (project, server) = built();
    let browser = Browser::start(Scripts::Enabled);
    let costs = project.json(&["costs"]);
    let day = &costs["costs"][0];
    open(&browser, &server, "/costs", &text(&day["day"]));
    let shown = browser.text("main");
    for number in [
        &day["day"],
        &day["requests"]["sync"],
        &day["tokens"]["input"],
    ] {
        assert!(shown.contains(&as_cell(number)), "{number}: {shown}");
    }
    open(&browser, &server, "/", "summary");
    let status = project.json(&["status"]);
    for layer in status["layers"].as_array().expect("layers") {
        let cells = row(&browser, &text(&layer["name"]));
        for field in ["artifacts", "failed"] {
            assert!(
                cells.contains(&as_cell(&layer[field])),
                "{field}: {cells:?}"
            );
        }
    }
    browser.open(&address(&server, "/layer?name=bios"));
    let page = project.json(&["list", "bios", "--limit", "100"]);
    let listed = browser.text("main");
    for artifact in page["artifacts"].as_array().expect("artifacts") {
        assert!(listed.contains(&text(&artifact["label"])), "{listed}");
    }
    assert!(listed.contains(&page["total"].to_string()), "{listed}");
}
