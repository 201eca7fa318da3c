use super::*;

#[test]
fn every_address_leads_back_to_its_page() {
    let text = || "a/..//&=+ %2e\u{202e}#?é".to_owned();
    for target in [
        Target::Overview,
        Target::Builds { before: Some(7) },
        Target::Builds { before: None },
        Target::Build { id: text() },
        Target::Failures {
            build: text(),
            layer: text(),
            after: text(),
        },
        Target::Layer {
            name: text(),
            after: Some(text()),
        },
        Target::Artifact {
            layer: text(),
            label: "..".to_owned(),
        },
        Target::Raw {
            layer: text(),
            label: text(),
        },
        Target::Search {
            query: text(),
            mode: String::new(),
            layer: text(),
        },
        Target::Snapshots,
        Target::Diff {
            before: text(),
            after: String::new(),
            layer: String::new(),
        },
        Target::Costs,
        Target::Plugins,
        Target::Style,
        Target::Script,
    ] {
        let request = Request::parse(&target.address(Some("@-1")));
        assert_eq!(request.target, target);
        let expected = target.is_of_snapshot().then(|| "@-1".to_owned());
        assert_eq!(request.snapshot, expected);
    }
}

#[test]
fn an_unknown_address_is_no_page() {
    for address in ["", "//", "/index.html", "/artifact/", "http://a/", "/%00"] {
        assert_eq!(
            Request::parse(address).target,
            Target::Unknown,
            "{address:?}"
        );
    }
}
