//! Who may read the page, and what browsers may do with it.

use std::net::SocketAddr;

use super::{PAGES, built};
use crate::support::http::{self, HttpReply};
use crate::support::test_project::TestProject;
use crate::support::web_server::WebServer;

const METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND",
];

fn call(server: SocketAddr, method: &str, headers: &[(&str, &str)]) -> HttpReply {
    http::call(server, method, "/", headers, b"").expect("a reply")
}

/// A page of another server could otherwise read everything by a name that leads to this machine.
#[test]
fn a_foreign_host_is_refused_on_every_method() {
    let (_project, server) = built();
    let port = server.address.port();
    let hosts = [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        format!("127.0.0.1.evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1:{}", port ^ 1),
        format!("localhost:{}", port ^ 1),
        "127.0.0.1".to_owned(),
        format!("user@127.0.0.1:{port}"),
        format!("10.0.0.1:{port}"),
        format!("0.0.0.0:{port}"),
        String::new(),
    ];
    for method in METHODS {
        for host in &hosts {
            let reply = call(server.address, method, &[("Host", host)]);
            assert_eq!(reply.status, 403, "{method} {host:?}");
            assert!(!reply.text().contains("amara"), "{method} {host:?}");
        }
        let own = server.address.to_string();
        let twice = [("Host", own.as_str()), ("Host", "evil.example")];
        let reply = call(server.address, method, &twice);
        assert!(
            matches!(reply.status, 400 | 403),
            "{method}: {}",
            reply.status
        );
    }
}

#[test]
fn a_foreign_origin_is_refused_on_every_method() {
    let (_project, server) = built();
    let own = server.address.to_string();
    let port = server.address.port();
    let origins = [
        "http://evil.example".to_owned(),
        "null".to_owned(),
        format!("https://{own}"),
        format!("http://localhost:{}", port ^ 1),
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://{own}.evil.example"),
        String::new(),
    ];
    for method in METHODS {
        for origin in &origins {
            let headers = [("Host", own.as_str()), ("Origin", origin)];
            let reply = call(server.address, method, &headers);
            assert_eq!(reply.status, 403, "{method} {origin:?}");
        }
    }
}

#[test]
fn nothing_of_the_page_is_part_of_a_page_of_another_server() {
    let (_project, server) = built();
    let own = server.address.to_string();
    for (mode, destination) in [
        ("no-cors", "script"),
        ("no-cors", "image"),
        ("navigate", "iframe"),
        ("cors", "empty"),
    ] {
        let headers = [
            ("Host", own.as_str()),
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Mode", mode),
            ("Sec-Fetch-Dest", destination),
        ];
        let reply = call(server.address, "GET", &headers);
        assert_eq!(reply.status, 403, "{mode} {destination}");
    }
}

/// The page only reads, whoever asks.
#[test]
fn a_method_that_changes_things_is_not_there() {
    let (_project, server) = built();
    let own = server.address.to_string();
    let origin = format!("http://{own}");
    for method in ["PUT", "DELETE", "PATCH", "PROPFIND"] {
        let headers = [("Host", own.as_str()), ("Origin", origin.as_str())];
        let reply = call(server.address, method, &headers);
        assert_eq!(reply.status, 405, "{method}");
    }
}

#[test]
fn every_page_forbids_frames_and_foreign_content() {
    let (_project, server) = built();
    for page in PAGES
        .into_iter()
        .chain(["/style.css", "/script.js", "/nothing"])
    {
        let reply = server.get(page);
        let policy = reply.header("content-security-policy").unwrap_or_default();
        for rule in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(rule), "{page}: {policy}");
        }
        for forbidden in ["unsafe-inline", "unsafe-eval", "http:", "https:", "*"] {
            assert!(!policy.contains(forbidden), "{page}: {policy}");
        }
        let header = |name: &str| reply.header(name).unwrap_or_default().to_owned();
        assert_eq!(header("x-content-type-options"), "nosniff", "{page}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{page}");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{page}");
    }
}

/// Another machine, or another user of it, can reach every address but those of the machine itself.
#[test]
fn an_address_that_others_can_reach_needs_the_token() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let server = WebServer::start_with(&project, &["--address", "0.0.0.0"]);
    let (_, token) = server
        .url
        .split_once("?token=")
        .expect("a token in the URL");
    let address = SocketAddr::from(([127, 0, 0, 1], server.address.port()));
    let get = |path: &str, cookie: Option<&str>| {
        let host = address.to_string();
        let mut headers = vec![("Host", host.as_str())];
        headers.extend(cookie.map(|cookie| ("Cookie", cookie)));
        http::call(address, "GET", path, &headers, b"").expect("a reply")
    };
    for page in PAGES
        .into_iter()
        .chain(["/style.css", "/script.js", "/nothing"])
    {
        let reply = get(page, None);
        assert_eq!(reply.status, 403, "{page}");
        assert!(!reply.text().contains(token), "{page}");
    }
    for wrong in ["", "0", &token[1..], &token.to_uppercase()] {
        assert_eq!(
            get(&format!("/?token={wrong}"), None).status,
            403,
            "{wrong}"
        );
    }
    let opened = get(&format!("/?token={token}"), None);
    assert!(
        matches!(opened.status, 200 | 302 | 303),
        "{}",
        opened.status
    );
    let cookie = opened.header("set-cookie").expect("a cookie");
    for rule in ["HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(rule), "{cookie}");
    }
    let (cookie, _) = cookie.split_once(';').expect("rules of the cookie");
    for page in PAGES {
        let reply = get(page, Some(cookie));
        assert_eq!(reply.status, 200, "{page}");
        assert!(!reply.text().contains(token), "{page}");
    }
}

#[test]
fn a_request_that_is_no_http_ends_its_connection_alone() {
    let (_project, server) = built();
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: {}\r\n\r\n",
        "a".repeat(1 << 20),
        server.address
    );
    for bytes in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        long.as_bytes(),
    ] {
        if let Ok(reply) = http::send(server.address, bytes, false) {
            assert!((400..500).contains(&reply.status), "{}", reply.status);
        }
        server.page("/");
    }
}
