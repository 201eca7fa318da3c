//! The web page of `synix view`: who may read it, what it shows, and that it changes nothing.

mod access;
mod browser;
mod export;
mod hostile_text;
mod states;

use std::path::PathBuf;

use crate::support::test_project::TestProject;
use crate::support::web_server::WebServer;

/// Every kind of page of a project that was built from [`TestProject::team`] as `build-1`.
const PAGES: [&str; 16] = [
    "/",
    "/builds",
    "/build?id=build-1",
    "/failures?build=build-1&layer=bios",
    "/layer?name=bios",
    "/layer?name=bios&after=amara",
    "/artifact?layer=bios&label=amara",
    "/artifact?layer=summary&label=summary",
    "/raw?layer=bios&label=amara",
    "/search",
    "/search?q=things",
    "/snapshots",
    "/diff?before=%40&after=%40",
    "/costs",
    "/plugins",
    "/?snapshot=build-1",
];

/// A project with one build, and its page.
fn built() -> (TestProject, WebServer) {
    let project = TestProject::team();
    project.ok(&["build"]);
    let server = WebServer::start(&project);
    (project, server)
}

/// Exports the pages of a project and returns their folder.
fn exported(project: &TestProject) -> PathBuf {
    project.ok(&["view", "--export", "pages"]);
    project.path("pages")
}
