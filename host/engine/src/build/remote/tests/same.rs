//! A build elsewhere makes, asks and reports what a build here does.

use std::sync::Arc;

use synix_providers::Cassette;
use synix_scripted_provider::{Rule, Script};

use super::loopback::{FaultKind, Loopback};
use super::project::{Project, State};

/// Files `notes/NAME.md` with one line each.
pub(super) fn notes(names: &[&str]) -> Vec<(String, String)> {
    let note = |name: &&str| (format!("notes/{name}.md"), format!("Note of {name}."));
    names.iter().map(note).collect()
}

/// Files `texts/NAME.md`.
fn texts(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    let text = |(name, text): &(&str, &str)| (format!("texts/{name}.md"), (*text).to_owned());
    texts.iter().map(text).collect()
}

/// What happens to a call, by its number.
type Fault = fn(usize) -> FaultKind;

/// What happens to the calls of four builds.
pub(super) const FAULTS: &[Fault] = &[
    |_| FaultKind::None,
    |_| FaultKind::RunTwice,
    |call| match call % 2 {
        0 => FaultKind::LoseOutcome,
        _ => FaultKind::None,
    },
    |call| match call {
        0 | 1 => FaultKind::Away,
        _ => FaultKind::None,
    },
];

/// Builds the same project here, elsewhere, and elsewhere with faults, and compares everything that is on record.
pub(super) async fn assert_same(
    pipeline: &str,
    guests: &[&str],
    files: &[(String, String)],
    (script, faults): (&Script, &[Fault]),
) {
    let here = Project::new(pipeline, guests, files).with_script(script.clone());
    let built_here = here.build(None).await;
    let state_here = here.state();
    let sent_here = here.server.ledger().executed.len();
    for (number, fault) in faults.iter().enumerate() {
        let elsewhere = Project::new(pipeline, guests, files).with_script(script.clone());
        let engine = Loopback::new().with_fault(*fault);
        let built = elsewhere.build(Some(Arc::new(engine))).await;
        assert_eq!(
            format!("{:?}", built.end),
            format!("{:?}", built_here.end),
            "{number}"
        );
        assert_state(&elsewhere.state(), &state_here, number);
        assert_eq!(built.unit_events(), built_here.unit_events(), "{number}");
        let ledger = elsewhere.server.ledger();
        assert_eq!(ledger.executed.len(), sent_here, "{number}");
        assert_eq!(ledger.duplicates().len(), 0, "{number}");
    }
}

/// Compares two states table by table, because a state is long.
fn assert_state(left: &State, right: &State, number: usize) {
    for (table, rows) in right {
        assert_eq!(left[table], *rows, "{number}: {table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_folds_and_embeddings_are_the_same() {
    let pipeline = r#"
        layers.notes.source = "notes/*.md"
        [layers.summaries]
        transform = "map"
        inputs = ["notes"]
        config.prompt = "Summarise {{ label }}: {{ content }}"
        [layers.story]
        transform = "fold"
        inputs = ["summaries"]
        config = { label = "story", prompt = "{{ so_far }}+{{ content }}" }
        [layers.months]
        transform = "group"
        inputs = ["notes"]
        config.by = "label"
        [layers.vectors]
        transform = "embed"
        inputs = ["notes"]
        model = "embedding"
    "#;
    let names = [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p",
    ];
    assert_same(pipeline, &[], &notes(&names), (&Script::new(), FAULTS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repairs_are_the_same() {
    let pipeline = r#"
        layers.notes.source = "notes/*.md"
        [layers.tagged]
        transform = "map"
        inputs = ["notes"]
        repair = 2
        [layers.tagged.config]
        prompt = "Tag this: {{ content }}"
        fields = ["tags"]
        [layers.tagged.config.response_format]
        type = "object"
        required = ["tags"]
        properties.tags = { type = "array", items = { type = "string" } }
    "#;
    let script = Script::new()
        .rule(Rule::on("Note of a").text(r#"{"tags": "rain"}"#))
        .rule(Rule::on("Note of b").text(r#"{"tags": ["garden"]}"#))
        .rule(Rule::on("Note of c").text("never"))
        .rule(Rule::on("found string").text("Sorry!\n```json\n{\"tags\": [\"rain\"]}\n```"))
        .rule(Rule::on("Your answer does not match").text("never"));
    assert_same(pipeline, &[], &notes(&["a", "b", "c"]), (&script, FAULTS)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_guests_fail_in_the_same_way() {
    let made = |guest: &str| {
        format!(
            "[layers.{guest}]\ntransform = \"{guest}.wasm\"\ninputs = [\"texts\"]\n\
             [layers.{guest}.limits]\nfuel = 20_000_000\n"
        )
    };
    let guests = [
        "moody",
        "fan_out",
        "unknown_role",
        "bad_label",
        "deep_metadata",
        "flood_log",
        "two_steps",
    ];
    let layers: String = guests.iter().map(|guest| made(guest)).collect();
    let pipeline = format!("layers.texts.source = \"texts/*.md\"\n{layers}");
    let files = texts(&[
        ("boom", "boom"),
        ("calm", "3"),
        ("flood", "flood"),
        ("hoard", "hoard"),
        ("many", "12"),
        ("spin", "spin"),
    ]);
    let script = Script::new().rule(Rule::on("Part 2").text("two"));
    assert_same(&pipeline, &guests, &files, (&script, FAULTS)).await;
}

/// An answer that cannot be used fails the units that wait for it, and no others.
#[tokio::test(flavor = "multi_thread")]
async fn failed_requests_fail_the_same_units() {
    let pipeline = r#"
        layers.notes.source = "notes/*.md"
        [layers.summaries]
        transform = "map"
        inputs = ["notes"]
        config.prompt = "Summarise: {{ content }}"
        [layers.all]
        transform = "reduce"
        inputs = ["summaries"]
        config = { label = "all", prompt = "All:{% for one in inputs %} {{ one.content }}{% endfor %}" }
    "#;
    let script = Script::new().rule(Rule::on("Note of b").status(400));
    assert_same(pipeline, &[], &notes(&["a", "b", "c"]), (&script, FAULTS)).await;
}

/// I9: what a unit asked in an earlier command is compared with what it asks now.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_deterministic_is_found_in_the_same_way() {
    let pipeline = r#"
        layers.notes.source = "notes/*.md"
        [layers.made]
        transform = "two_steps.wasm"
        inputs = ["notes"]
    "#;
    let mut ends = Vec::new();
    for is_remote in [false, true] {
        // The second question fails in the first build, so the units stay open.
        let script = Script::new().rule(Rule::on("Second").status(400).times(3));
        let files = notes(&["a", "b", "c"]);
        let project = Project::new(pipeline, &["two_steps"], &files).with_script(script);
        project.build(None).await.end.unwrap();
        let changed = project.database().execute(
            "UPDATE transcript SET request =
                 (SELECT request FROM transcript JOIN unit ON id = unit WHERE key = 'b' AND position = 0)
             WHERE position = 0 AND unit = (SELECT id FROM unit WHERE layer = 'made' AND key = 'a')",
            [],
        );
        assert_eq!(changed, Ok(1));
        let engine = Loopback::new();
        let built = match is_remote {
            true => project.build(Some(Arc::new(engine))).await,
            false => project.build(None).await,
        };
        let failed = built.unit_events();
        let failed = failed
            .iter()
            .filter(|event| event.contains("not deterministic"));
        assert_eq!(failed.count(), 1, "{:?}", built.unit_events());
        ends.push((built.unit_events(), project.state()));
    }
    assert_eq!(ends[0].0, ends[1].0);
    assert_state(&ends[1].1, &ends[0].1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_the_same() {
    let pipeline = r#"
        layers.notes.source = "notes/*.md"
        [layers.story]
        transform = "fold"
        inputs = ["notes"]
        config = { label = "story", prompt = "{{ so_far }}+{{ content }}" }
    "#;
    let files = notes(&["a", "b", "c", "d", "e", "f", "g"]);
    let recorded = Project::new(pipeline, &[], &files);
    recorded.build(None).await.end.unwrap();
    let cassette = Arc::new(recorded_cassette(&recorded));
    let mut states = Vec::new();
    for is_remote in [false, true] {
        let mut project = Project::new(pipeline, &[], &files);
        project.cassette = Some(Arc::clone(&cassette));
        let engine = Loopback::new();
        let built = match is_remote {
            true => project.build(Some(Arc::new(engine))).await,
            false => project.build(None).await,
        };
        assert!(built.end.unwrap().complete);
        assert_eq!(project.server.ledger().executed.len(), 0);
        states.push(project.state());
    }
    assert_state(&states[1], &states[0], 0);
}

/// Returns a cassette with every answer of a project.
fn recorded_cassette(project: &Project) -> Cassette {
    let mut cassette = Cassette::empty();
    let database = project.database();
    let mut statement = database
        .prepare(
            "SELECT b.document, o.document FROM answer a JOIN request_body b ON b.request = a.request
             JOIN answer_body o ON o.answer = a.id",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    for row in rows.unwrap() {
        let (request, answer): (String, String) = row.unwrap();
        let request = serde_json::from_str(&request).unwrap();
        cassette
            .insert(request, serde_json::from_str(&answer).unwrap())
            .unwrap();
    }
    cassette
}
