//! Which artifacts nothing else is made of.

use super::*;

/// A newer export has the same conversation again, and what was made of the older one stays as it is.
#[test]
fn an_artifact_is_not_final_if_an_equal_one_was_an_input() {
    let (_folder, store, build) = state();
    let older = source(&store, build, "notes", "older");
    let newer = source(&store, build, "notes", "newer");
    let fact = source(&store, build, "facts", "fact");
    let both = Artifact {
        label: Label::parse("in-both").unwrap(),
        kind: Kind::parse("source").unwrap(),
        content: Content::Text("the same".to_owned()),
        metadata: Metadata::new(),
    };
    let layers = [
        ("notes".to_owned(), vec![newer]).into(),
        ("facts".to_owned(), vec![fact]).into(),
    ];
    store
        .write(|tx| {
            let digest = both.digest().unwrap();
            let input = tx.add_artifact(older, 1, &both, digest)?;
            tx.add_input(fact, 0, input)?;
            tx.add_artifact(newer, 1, &both, digest)?;
            tx.take_snapshot(build, "synix.toml", &layers, Timestamp(0))
        })
        .unwrap();
    let found = final_artifacts(&store).unwrap();
    let labels: Vec<_> = found.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["newer", "fact"]);
}
