//! Valid files.

use std::collections::BTreeSet;

use super::*;

#[test]
fn layers_are_sorted_and_have_their_settings() {
    let pipeline = parse(GOOD).unwrap();
    let names: Vec<&str> = pipeline
        .layers
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    assert_eq!(names, ["bios", "work-styles", "team-summary"]);
    let styles = pipeline.layers[1].transform().unwrap();
    assert_eq!(styles.transform, PluginRef::FirstParty("map".to_owned()));
    assert_eq!(styles.inputs, [0]);
    assert_eq!(styles.batch, BatchChoice::Always);
    assert_eq!(styles.min_batch, 2);
    assert_eq!(styles.accept, [Ending::Truncated]);
    assert_eq!(styles.limits.memory_mb, Some(64));
    assert_eq!(styles.config["label"], json!("ws-{{ label }}"));
    let summary = pipeline.layers[2].transform().unwrap();
    assert_eq!(
        summary.transform,
        PluginRef::File("./plugins/mine.wasm".to_owned())
    );
    assert_eq!(
        (summary.batch, summary.inputs.as_slice()),
        (BatchChoice::Never, &[1][..])
    );
    assert_eq!(pipeline.dependants(0), BTreeSet::from([1, 2]));
}

#[test]
fn a_layer_without_model_has_the_default_role() {
    let pipeline = parse(GOOD).unwrap();
    let role = |layer: usize| {
        pipeline
            .role(&pipeline.layers[layer])
            .map(|role| role.name.as_str())
    };
    assert_eq!(
        (role(0), role(1), role(2)),
        (None, Some("cheap"), Some("default"))
    );
}

#[test]
fn the_built_in_providers_need_no_entry() {
    let pipeline = parse(GOOD).unwrap();
    let anthropic = &pipeline.providers["anthropic"];
    assert_eq!(
        anthropic,
        &ProviderProfile::new("anthropic", Wire::Anthropic)
    );
    assert_eq!(
        (anthropic.url(), anthropic.key_variable()),
        ("https://api.anthropic.com", "ANTHROPIC_API_KEY")
    );
    let openai = &pipeline.providers["openai"];
    assert_eq!(
        (openai.url(), openai.batch),
        ("http://127.0.0.1:8181/v1", Some(true))
    );
    assert_eq!(openai.look_again, [1, 2, 4, 8].map(Duration::from_secs));
}

#[test]
fn durations_are_in_seconds() {
    let text =
        "[providers.openai]\nlook_again = [0, 0.5]\ntimeout = 2\n[layers.a]\nsource = \"a/*\"\n";
    let pipeline = parse(&format!("{HEAD}{text}")).unwrap();
    let openai = &pipeline.providers["openai"];
    assert_eq!(
        openai.look_again,
        [Duration::ZERO, Duration::from_millis(500)]
    );
    assert_eq!(openai.timeout, Duration::from_secs(2));
}
