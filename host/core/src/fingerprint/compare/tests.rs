use super::*;
use crate::fingerprint::tests::parts;

fn reasons(change: impl FnOnce(&mut StoredParts)) -> Vec<String> {
    let old = parts();
    let mut new = parts();
    change(&mut new);
    let reasons = stale_reasons(&old, &new);
    reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn equal_units_have_no_reason() {
    assert_eq!(reasons(|_| {}), Vec::<String>::new());
}

/// A complete config would not help a reader: the names of the changed settings do.
#[test]
fn a_changed_config_is_reported_by_its_changed_keys() {
    let reported = reasons(|parts| {
        parts.layer.config = r#"{"prompt_file":"","tags":{"enum":["a"]}}"#.to_owned();
    });
    assert_eq!(reported, ["label removed, tags added"]);
}

/// A setting that names a file is reported once.
#[test]
fn a_changed_file_is_reported_by_its_path_or_by_its_setting() {
    let reported = reasons(|parts| {
        for file in parts.layer.files.values_mut() {
            file.digest = Digest::of(b"other");
        }
    });
    assert_eq!(reported.len(), 1);
    assert!(
        reported[0].starts_with("file prompts/style.md changed ("),
        "{reported:?}"
    );
    let reported = reasons(|parts| {
        parts.layer.files.clear();
        parts.layer.config = r#"{"label":"{{ label }}","prompt":"q"}"#.to_owned();
    });
    assert_eq!(reported, ["prompt added, prompt_file removed"]);
}

#[test]
fn changed_model_settings_are_reported_one_by_one() {
    let reported = reasons(|parts| {
        if let Some(model) = &mut parts.layer.model {
            model.model = "gpt-4.1-nano".to_owned();
            model.max_tokens = None;
        }
        parts.layer.requests.revision.clear();
    });
    assert_eq!(
        reported,
        ["model changed (gpt-4o-mini -> gpt-4.1-nano), max_tokens removed, revision removed"]
    );
    let reported = reasons(|parts| parts.layer.limits.fuel = 9);
    assert_eq!(reported, ["limits: fuel changed (1 -> 9)"]);
}

#[test]
fn a_unit_of_an_earlier_version_says_so() {
    let old = StoredParts {
        version: 1,
        ..parts()
    };
    assert_eq!(stale_reasons(&old, &parts()), [StaleReason::Version]);
}

#[test]
fn the_number_of_listed_inputs_is_bounded() {
    let reported = reasons(|parts| {
        parts.unit.inputs = (0..1000)
            .map(|number: u32| InputPart {
                name: format!("bios/{number:04}"),
                digest: Digest::of(&number.to_le_bytes()),
            })
            .collect();
    });
    assert_eq!(reported.len(), MAX_LISTED_INPUTS + 1);
    // One of them is the removed input.
    assert_eq!(
        reported.last().map(String::as_str),
        Some("and 901 more inputs")
    );
}

#[test]
fn a_different_order_of_the_same_inputs_is_reported() {
    let input = |name: &str| InputPart {
        name: name.to_owned(),
        digest: Digest::of(name.as_bytes()),
    };
    let with = |names: [&str; 2]| {
        let mut parts = parts();
        parts.unit.inputs = names.map(input).to_vec();
        parts
    };
    assert_eq!(
        stale_reasons(&with(["a", "b"]), &with(["b", "a"])),
        [StaleReason::InputOrder]
    );
}
