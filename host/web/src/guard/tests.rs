use hyper::header::HeaderValue;

use super::*;

fn guard(address: &str, token: Option<Token>) -> Guard {
    Guard {
        address: address.parse().unwrap(),
        token,
    }
}

fn check(
    guard: &Guard,
    method: &Method,
    uri: &str,
    headers: &[(&'static str, &str)],
) -> Result<Access, Refusal> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    guard.check(&Asked {
        method,
        uri: &uri.parse().unwrap(),
        headers: &map,
    })
}

#[test]
fn only_an_address_of_this_server_is_its_host() {
    let guard = guard("127.0.0.1:7964", None);
    for own in [
        "127.0.0.1:7964",
        "localhost:7964",
        "LOCALHOST:7964",
        "[::1]:7964",
    ] {
        let checked = check(&guard, &Method::GET, "/", &[("host", own)]);
        assert_eq!(checked, Ok(Access::Granted), "{own}");
    }
    for foreign in [
        "example.com",
        "example.com:7964",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:07964x",
        "127.0.0.1:+7964",
        "localhost.example.com:7964",
        "a.localhost:7964",
        "127.0.0.1.example.com:7964",
        "10.0.0.1:7964",
        "0.0.0.0:7964",
        "2130706433:7964",
        "user@127.0.0.1:7964",
        ":7964",
        "",
    ] {
        let checked = check(&guard, &Method::GET, "/", &[("host", foreign)]);
        assert_eq!(checked, Err(Refusal::Host), "{foreign}");
    }
}

#[test]
fn a_request_names_its_host_once() {
    let guard = guard("127.0.0.1:7964", None);
    let own = ("host", "127.0.0.1:7964");
    assert_eq!(check(&guard, &Method::GET, "/", &[]), Err(Refusal::Host));
    assert_eq!(
        check(&guard, &Method::GET, "/", &[own, ("host", "example.com")]),
        Err(Refusal::Host)
    );
    let other = "http://example.com:7964/";
    assert_eq!(
        check(&guard, &Method::GET, other, &[own]),
        Err(Refusal::Host)
    );
}

#[test]
fn a_foreign_origin_is_refused_whatever_the_method() {
    let guard = guard("127.0.0.1:7964", None);
    let host = ("host", "127.0.0.1:7964");
    for method in [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::OPTIONS,
        Method::DELETE,
    ] {
        for origin in [
            "http://example.com",
            "null",
            "https://127.0.0.1:7964",
            "http://127.0.0.1:7965",
            "http://localhost:7964",
        ] {
            let checked = check(&guard, &method, "/", &[host, ("origin", origin)]);
            assert_eq!(checked, Err(Refusal::Origin), "{method} {origin}");
        }
        let own = ("origin", "http://127.0.0.1:7964");
        assert_eq!(
            check(&guard, &method, "/", &[host, own]),
            Ok(Access::Granted)
        );
    }
    assert_eq!(
        check(&guard, &Method::POST, "/", &[host]),
        Err(Refusal::Origin)
    );
}

#[test]
fn another_site_may_link_to_a_page_but_not_use_it() {
    let guard = guard("127.0.0.1:7964", None);
    let headers = |site, mode, dest| {
        [
            ("host", "127.0.0.1:7964"),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", mode),
            ("sec-fetch-dest", dest),
        ]
    };
    for (site, mode, dest, expected) in [
        ("cross-site", "navigate", "document", Ok(Access::Granted)),
        ("cross-site", "navigate", "iframe", Err(Refusal::Origin)),
        ("cross-site", "no-cors", "script", Err(Refusal::Origin)),
        ("same-site", "no-cors", "image", Err(Refusal::Origin)),
        ("same-origin", "cors", "empty", Ok(Access::Granted)),
        ("none", "navigate", "document", Ok(Access::Granted)),
    ] {
        let checked = check(&guard, &Method::GET, "/", &headers(site, mode, dest));
        assert_eq!(checked, expected, "{site} {mode} {dest}");
    }
}

#[test]
fn an_address_that_others_can_reach_needs_the_token() {
    let token = Token::new().unwrap();
    let text = token.text().to_owned();
    let guard = guard("0.0.0.0:7964", Some(token));
    let host = ("host", "192.168.1.5:7964");
    let get =
        |uri: &str, headers: &[(&'static str, &str)]| check(&guard, &Method::GET, uri, headers);
    assert_eq!(get("/", &[host]), Err(Refusal::Token));
    assert_eq!(get("/?token=wrong", &[host]), Err(Refusal::Token));
    assert_eq!(
        get(&format!("/?token={text}"), &[host]),
        Ok(Access::ByAddress)
    );
    let cookie = format!("a=b; synix-token-7964={text}");
    assert_eq!(get("/", &[host, ("cookie", &cookie)]), Ok(Access::Granted));
    let of_other_port = format!("synix-token-1={text}");
    assert_eq!(
        get("/", &[host, ("cookie", &of_other_port)]),
        Err(Refusal::Token)
    );
    let by_name = ("host", "machine.example:7964");
    assert_eq!(
        get("/", &[by_name, ("cookie", &cookie)]),
        Err(Refusal::Host)
    );
}
