//! Labels and contents of strangers are text on every page.

use crate::support::test_project::TestProject;
use crate::support::web_server::WebServer;

const LAYERS: &str = "[layers.bios]\nsource = \"bios/*.md\"\n";

const SCRIPT: &str = "<script>alert(1)</script>";

/// A label that would end an attribute, an element and a query.
const LABEL: &str = "a\"'><img src=x onerror=alert(2)>&amp;%2e%2e?#";

fn project(label: &str, content: &str) -> TestProject {
    let project = TestProject::with_layers(LAYERS);
    project.write(&format!("bios/{label}.md"), content);
    project.ok(&["build"]);
    project
}

/// Returns a text as a value in a query.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Returns the pages that show the artifact.
fn pages(label: &str) -> [String; 6] {
    let label = escaped(label);
    [
        "/".to_owned(),
        "/layer?name=bios".to_owned(),
        format!("/layer?name=bios&after={label}"),
        format!("/artifact?layer=bios&label={label}"),
        format!("/search?q={label}"),
        "/search?q=alert".to_owned(),
    ]
}

/// Fails if a page has an element or an attribute that no page of synix has.
#[track_caller]
fn check(page: &str, html: &str) {
    let lower = html.to_lowercase();
    for forbidden in [
        "<img",
        "<iframe",
        "<object",
        "<embed",
        "<base",
        "<script>",
        "<svg onload",
        "<style",
    ] {
        assert!(!lower.contains(forbidden), "{page} has {forbidden}: {html}");
    }
    let addresses = [
        "href=\"javascript",
        "src=\"javascript",
        "href=\"data",
        "src=\"http",
    ];
    for tag in lower.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or((tag, ""));
        for address in addresses {
            assert!(!tag.contains(address), "{page} has {address}: <{tag}>");
        }
        // What is between quotes is a value.
        let names: String = tag.split('"').step_by(2).collect();
        assert!(
            !names.contains(" on"),
            "{page} has an event handler: <{tag}>"
        );
        assert!(!names.contains(" style="), "{page} has a style: <{tag}>");
    }
}

#[test]
fn a_label_is_text_on_every_page() {
    let project = project(LABEL, "Some words.");
    let server = WebServer::start(&project);
    for page in pages(LABEL) {
        check(&page, &server.page(&page));
    }
    let shown = server.page(&pages(LABEL)[3]);
    assert!(
        shown.contains("&lt;img src=x onerror=alert(2)&gt;"),
        "{shown}"
    );
}

#[test]
fn a_content_is_text_on_every_page() {
    let content = format!(
        "# {SCRIPT}\n\n{SCRIPT} </pre></main></body><iframe src=//evil.example></iframe>\n\n[x](javascript:alert(3)) ![y](http://evil.example/y.png)\n\n<svg onload=alert(4)>"
    );
    let project = project("note", &content);
    let server = WebServer::start(&project);
    for page in pages("note") {
        check(&page, &server.page(&page));
    }
    let shown = server.page(&pages("note")[3]);
    assert!(
        shown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{shown}"
    );
    // Not even the content itself is a page.
    let raw = server.get("/raw?layer=bios&label=note");
    assert_eq!(raw.text(), content);
    let kind = raw.header("content-type").expect("a type");
    assert!(kind.starts_with("text/plain"), "{kind}");
    assert_eq!(raw.header("x-content-type-options"), Some("nosniff"));
}

/// A page could otherwise show another text than the one that is there, or end a terminal that prints it.
#[test]
fn escapes_and_directions_of_text_are_visible() {
    let project = project(
        "note",
        "left \u{202e}thgir\u{202c} \u{1b}[31mred\u{7} \u{200b}end",
    );
    let server = WebServer::start(&project);
    for page in pages("note") {
        let shown = server.page(&page);
        for hidden in ['\u{202e}', '\u{202c}', '\u{1b}', '\u{7}'] {
            assert!(!shown.contains(hidden), "{page}: {hidden:?}");
        }
    }
    let shown = server.page("/artifact?layer=bios&label=note");
    assert!(shown.contains("202e") && shown.contains("thgir"), "{shown}");
}

#[test]
fn a_content_of_ten_megabytes_is_shown_in_part_and_given_whole() {
    let content = format!("{SCRIPT} \u{e9}\n").repeat(10_000_000 / 28);
    let project = project("note", &content);
    let server = WebServer::start(&project);
    let shown = server.page("/artifact?layer=bios&label=note");
    check("/artifact", &shown);
    assert!(shown.len() < 2_000_000, "{} bytes", shown.len());
    let raw = server.get("/raw?layer=bios&label=note");
    assert!(raw.body == content.as_bytes(), "{} bytes", raw.body.len());
}

#[test]
fn a_name_that_is_not_there_is_named_and_nothing_else() {
    let project = project("note", "Some words.");
    let server = WebServer::start(&project);
    let name = escaped(LABEL);
    for page in [
        format!("/artifact?layer=bios&label={name}"),
        format!("/artifact?layer={name}&label=note"),
        format!("/layer?name={name}"),
        format!("/build?id={name}"),
        format!("/?snapshot={name}"),
        format!("/diff?before={name}"),
        format!("/raw?layer=bios&label={name}"),
        format!("/{name}"),
        "/../../../etc/passwd".to_owned(),
        "/artifact?layer=bios&label=%FF%00".to_owned(),
        format!("/layer?name=bios&limit=-1&after={}", "a".repeat(10_000)),
    ] {
        let reply = server.get(&page);
        assert!(
            matches!(reply.status, 200 | 400 | 404),
            "{page}: {}",
            reply.status
        );
        check(&page, &reply.text());
    }
}
