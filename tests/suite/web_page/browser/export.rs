//! The exported pages in a browser, from a folder.

use std::path::Path;

use super::super::{built, exported};
use super::ENTER;
use crate::support::browser::{Browser, Scripts};

fn url(folder: &Path, file: &str) -> String {
    format!("file://{}/{file}", folder.display())
}

#[test]
fn exported_pages_lead_from_a_search_to_an_artifact_and_its_source() {
    let (project, _server) = built();
    let folder = exported(&project);
    let browser = Browser::start(Scripts::Enabled);
    browser.open(&url(&folder, "index.html"));
    browser.follow("Search");
    browser.enter("#q", "bios AMARA");
    browser.wait_until(|browser| browser.text("#count") == "1 artifact");
    browser.enter("#q", ENTER);
    browser.follow("amara");
    let shown = browser.text("main");
    assert!(
        shown.contains("I am amara and I write things down."),
        "{shown}"
    );
    browser.open(&url(&folder, "index.html"));
    browser.follow("styles");
    browser.follow("ws-bela");
    assert!(browser.text("main").contains("ws-bela"));
    assert_eq!(browser.messages(), [""; 0]);
    for address in browser.requested() {
        assert!(address.starts_with(&url(&folder, "")), "{address}");
    }
}

#[test]
fn exported_pages_work_without_scripts() {
    let (project, _server) = built();
    let folder = exported(&project);
    let browser = Browser::start(Scripts::Disabled);
    browser.open(&url(&folder, "index.html"));
    for (link, seen) in [
        ("Builds", "build-1"),
        ("build-1", "completed"),
        ("styles", "ws-amara"),
        ("ws-amara", "ws-amara"),
        ("Costs", "gpt-4o-mini"),
        ("Snapshots", "snapshot-1"),
        ("Search", "needs scripts"),
    ] {
        browser.follow(link);
        let shown = browser.text("main");
        assert!(shown.contains(seen), "{link}: {shown}");
    }
}
