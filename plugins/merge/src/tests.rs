//! `merge` as a host sees it, and against a search that compares each pair.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use synix_plugin::testing::{described, execute, input, settings};
use synix_plugin::{Content, MetadataEntry};

use super::*;

const FIRST: &str = "The café opens at ten and the queue is already long.";
const NEARLY: &str = "The café opens at ten, and the queue is already long!";
const OTHER: &str = "Nobody brought a soldering iron today.";

fn merge(texts: &[(&str, &str)], config: &Value) -> Vec<Output> {
    let inputs: Vec<Input> = texts
        .iter()
        .map(|(label, text)| input(label, text))
        .collect();
    execute::<Merge>(&inputs, &config.to_string()).unwrap()
}

fn content(output: &Output) -> &str {
    match &output.content {
        Content::Text(text) => text,
        Content::Bytes(_) => panic!("bytes"),
    }
}

fn merged(output: &Output) -> Vec<String> {
    let entry = output.metadata.iter().find(|entry| entry.key == "merged");
    serde_json::from_str(&entry.unwrap().value).unwrap()
}

fn shown(outputs: &[Output]) -> Vec<(&str, &str, Vec<String>)> {
    let show = |output: &'_ Output| merged(output);
    outputs
        .iter()
        .map(|output| (output.label.as_str(), content(output), show(output)))
        .collect()
}

fn labels(labels: &[&str]) -> Vec<String> {
    labels.iter().map(|&label| label.to_owned()).collect()
}

#[test]
fn every_setting_that_is_read_is_described() {
    assert_eq!(described::<Merge>(), settings::<Config>());
}

#[test]
fn the_longest_of_texts_that_are_alike_stays_and_lists_the_others() {
    let made = merge(
        &[("a", FIRST), ("b", NEARLY), ("c", OTHER)],
        &json!({"similarity": 0.7}),
    );
    assert_eq!(
        shown(&made),
        [
            ("b", NEARLY, labels(&["a", "b"])),
            ("c", OTHER, labels(&["c"]))
        ]
    );
}

#[test]
fn the_first_by_label_can_stay_instead() {
    let made = merge(
        &[("b", NEARLY), ("a", FIRST)],
        &json!({"similarity": 0.7, "keep": "first"}),
    );
    assert_eq!(shown(&made), [("a", FIRST, labels(&["a", "b"]))]);
}

#[test]
fn texts_that_differ_can_be_joined_each_once() {
    let made = merge(
        &[("c", NEARLY), ("a", FIRST), ("b", &FIRST.to_uppercase())],
        &json!({"similarity": 0.7, "keep": "join", "separator": "|", "kind": "note"}),
    );
    assert_eq!(
        shown(&made),
        [(
            "a",
            format!("{FIRST}|{NEARLY}").as_str(),
            labels(&["a", "b", "c"])
        )]
    );
    assert_eq!(made[0].kind, "note");
}

#[test]
fn outputs_are_in_label_order_whichever_texts_are_longer() {
    let made = merge(&[("b", FIRST), ("a", OTHER), ("c", "Short.")], &json!({}));
    let labels: Vec<&str> = made.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["a", "b", "c"]);
}

/// Two texts of ten sequences, of which both have so many.
#[test]
fn the_default_similarity_is_four_fifths() {
    let made = |left: &str, right: &str| merge(&[("a", left), ("b", right)], &json!({})).len();
    assert_eq!(naive("abcdefghijklm", "abcdefghijkl"), 8.0 / 9.0);
    assert_eq!(made("abcdefghijklm", "abcdefghijkl"), 1);
    assert_eq!(naive("abcdefgh", "abcdefghi"), 0.8);
    assert_eq!(made("abcdefgh", "abcdefghi"), 1);
    assert_eq!(naive("abcdefg", "abcdefgh"), 0.75);
    assert_eq!(made("abcdefg", "abcdefgh"), 2);
}

/// Layers may have labels in common; which comes first then is not for the order of layers.
#[test]
fn the_digest_orders_inputs_with_the_same_label() {
    let with_digest = |text: &str, digest: &str| {
        let mut input = input("a", text);
        digest.clone_into(&mut input.header.digest);
        input
    };
    let (one, other) = (with_digest(FIRST, "1"), with_digest(NEARLY, "2"));
    for inputs in [[one.clone(), other.clone()], [other, one]] {
        let config = r#"{"similarity": 0.7, "keep": "first"}"#;
        let made = execute::<Merge>(&inputs, config).unwrap();
        assert_eq!(shown(&made), [("a", FIRST, labels(&["a", "a"]))]);
    }
}

#[test]
fn texts_below_the_threshold_stay_apart() {
    assert_eq!(
        merge(&[("a", FIRST), ("b", NEARLY)], &json!({"similarity": 0.95})).len(),
        2
    );
}

#[test]
fn similarity_one_merges_only_texts_equal_but_for_case_and_white_space() {
    let made = merge(
        &[
            ("a", "Ten past  nine\n"),
            ("b", "ten past nine"),
            ("c", "ten past nine."),
        ],
        &json!({"similarity": 1}),
    );
    assert_eq!(made.len(), 2);
    // The same sequences of five characters, and yet another text.
    let made = merge(
        &[("a", "abcdeabcde abcde"), ("b", "abcde abcdeabcde")],
        &json!({"similarity": 1}),
    );
    assert_eq!(made.len(), 2);
}

#[test]
fn what_is_kept_keeps_its_metadata() {
    let mut note = input("a", FIRST);
    for key in ["topic", "merged"] {
        note.header.metadata.push(MetadataEntry {
            key: key.to_owned(),
            value: "7".to_owned(),
        });
    }
    let made = execute::<Merge>(&[note], "{}").unwrap();
    let keys: Vec<_> = made[0]
        .metadata
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    assert_eq!(keys, ["topic", "merged"]);
    assert_eq!(merged(&made[0]), ["a"]);
}

#[test]
fn the_error_of_an_invalid_config_names_the_key_and_the_correction() {
    for similarity in [0.0, 1.5, -1.0] {
        let config = json!({ "similarity": similarity }).to_string();
        let error = execute::<Merge>(&[input("a", "")], &config).unwrap_err();
        assert!(
            matches!(error, Error::InvalidConfig(text) if text.contains("`similarity` is") && text.contains("write a number from 0.1 to 1"))
        );
    }
}

/// Few words, some of them changed, so that similarities of every size come up, exact ones too.
fn notes() -> impl Strategy<Value = Vec<(String, String)>> {
    let word = prop::sample::select(vec![
        "lamp", "Lamp", "kettle", "fuse", "mended", "the", "größer", "漢字", "7", "!",
    ]);
    let gap = prop::sample::select(vec![" ", " ", "  ", "\n", ""]);
    let text = prop::collection::vec((word, gap), 0..7).prop_map(|words| {
        words
            .into_iter()
            .flat_map(|(word, gap)| [word, gap])
            .collect::<String>()
    });
    prop::collection::vec((0..40_u32, text), 0..12).prop_map(|notes| {
        let mut seen = BTreeSet::new();
        notes
            .into_iter()
            .filter(|(number, _)| seen.insert(*number))
            .map(|(number, text)| (format!("n{number}"), text))
            .collect()
    })
}

/// Jaccard over counted sequences, with nothing spared.
fn naive(left: &str, right: &str) -> f64 {
    let counted = |text: &str| {
        let characters: Vec<char> = normal::normal(text).chars().collect();
        let mut all: Vec<Vec<char>> = characters.windows(5).map(<[char]>::to_vec).collect();
        if all.is_empty() {
            all.push(characters);
        }
        let mut set = BTreeSet::new();
        for one in all {
            let mut times = 0;
            while !set.insert((one.clone(), times)) {
                times += 1;
            }
        }
        set
    };
    let (left, right) = (counted(left), counted(right));
    let common = u32::try_from(left.intersection(&right).count()).unwrap();
    let either = u32::try_from(left.union(&right).count()).unwrap();
    f64::from(common) / f64::from(either)
}

/// The rule as the documents say it, each pair compared.
fn expected(notes: &[(String, String)], similarity: f64, keep: Keep) -> Vec<Vec<String>> {
    let mut order: Vec<&(String, String)> = notes.iter().collect();
    order.sort();
    if keep == Keep::Longest {
        order.sort_by_key(|(_, text)| std::cmp::Reverse(text.chars().count()));
    }
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    let mut gone: BTreeMap<String, usize> = BTreeMap::new();
    for (label, text) in order {
        let normal = normal::normal(text);
        let mut best: Option<(f64, usize)> = None;
        for (at, (kept, _)) in groups.iter().enumerate() {
            let likeness = naive(kept, text);
            let enough = similarity < 1.0 && likeness >= similarity;
            if enough && best.is_none_or(|(most, _)| likeness > most) {
                best = Some((likeness, at));
            }
        }
        // Texts that are equal are one whatever else they are like.
        let at = gone.get(&normal).copied().or(best.map(|(_, at)| at));
        let at = at.unwrap_or_else(|| {
            groups.push((text, Vec::new()));
            groups.len() - 1
        });
        groups[at].1.push(label.clone());
        gone.insert(normal, at);
    }
    let mut groups: Vec<Vec<String>> = groups.into_iter().map(|(_, labels)| labels).collect();
    groups.iter_mut().for_each(|labels| labels.sort());
    groups.sort();
    groups
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_input_is_in_one_output_with_similar_ones_in_any_order(
        notes in notes(), similarity in prop::sample::select(vec![0.1, 0.25, 0.5, 0.6, 0.75, 0.8, 0.9, 1.0]),
        keep in prop::sample::select(vec![Keep::Longest, Keep::First, Keep::Join]),
    ) {
        let config = json!({"similarity": similarity, "keep": keep});
        let mut inputs: Vec<(&str, &str)> = notes.iter().map(|(label, text)| (label.as_str(), text.as_str())).collect();
        let made = merge(&inputs, &config);
        let mut groups: Vec<Vec<String>> = made.iter().map(merged).collect();
        groups.sort();
        let mut all: Vec<String> = groups.concat();
        all.sort();
        let mut labels: Vec<String> = notes.iter().map(|(label, _)| label.clone()).collect();
        labels.sort();
        prop_assert_eq!(all, labels);
        prop_assert_eq!(groups, expected(&notes, similarity, keep));
        inputs.reverse();
        prop_assert_eq!(&merge(&inputs, &config), &made);
    }
}
