//! Inputs that are too large for one question.

use std::collections::BTreeSet;

use synix_plugin::llm::Part;
use synix_plugin::testing::{Ran, bytes, execute, input, says, with_model};
use synix_plugin::{MetadataEntry, Request};

use super::*;

const CONFIG: &str = r#"{"label": "all", "max_input_tokens": 400, "prompt": "Sum up:{% for a in inputs %}\n- {{ a.label }}: {{ a.content }}{% endfor %}"}"#;

fn text_of(request: &Request) -> String {
    let message = request.messages.last().unwrap();
    match &message.parts[0] {
        Part::Text(text) => text.clone(),
        Part::Image(_) | Part::Other(_) => panic!("no text"),
    }
}

fn notes(count: usize) -> Vec<Input> {
    let note = |number: usize| {
        let text = format!("On day {number} it rained, and the river rose by a hand.");
        input(&format!("note-{number:03}"), &text)
    };
    (0..count).map(note).collect()
}

/// Answers with the number of lines in the question, so that a changed input changes answers only where it is counted.
fn reduced(inputs: &[Input], config: &str) -> Ran<Result<Vec<Output>, Error>> {
    with_model(
        |request| says(format!("{} lines", text_of(request).lines().count())),
        || execute::<Reduce>(inputs, config),
    )
}

fn questions(ran: &Ran<Result<Vec<Output>, Error>>) -> BTreeSet<String> {
    ran.requests.iter().map(text_of).collect()
}

#[test]
fn what_fits_is_asked_as_without_the_limit() {
    let without = CONFIG.replace(r#""max_input_tokens": 400, "#, "");
    let (with, without) = (reduced(&notes(5), CONFIG), reduced(&notes(5), &without));
    assert_eq!(with.requests, without.requests);
    assert_eq!(with.result.unwrap(), without.result.unwrap());
}

#[test]
fn each_input_is_in_one_part_and_the_last_question_is_about_the_answers() {
    let ran = reduced(&notes(60), CONFIG);
    let (last, parts) = ran.requests.split_last().unwrap();
    assert!(parts.len() > 3, "{}", parts.len());
    for note in notes(60) {
        let is_in =
            |request: &&Request| text_of(request).contains(&format!("- {}: ", note.header.label));
        assert_eq!(parts.iter().filter(is_in).count(), 1);
    }
    let last = text_of(last);
    assert!(last.starts_with("Sum up:\n- note-000"), "{last}");
    assert!(last.contains(" to note-059: "), "{last}");
    let outputs = ran.result.unwrap();
    assert_eq!(outputs.len(), 1);
    assert_eq!(
        (outputs[0].label.as_str(), outputs[0].kind.as_str()),
        ("all", "text")
    );
}

#[test]
fn a_changed_input_changes_the_questions_on_its_way_up() {
    let inputs = notes(300);
    let before = questions(&reduced(&inputs, CONFIG));
    let mut edited = inputs.clone();
    edited[150] = input(
        "note-150",
        "On day 150 it snowed, and the river froze to the ground.",
    );
    let mut shorter = inputs.clone();
    shorter.remove(77);
    let mut longer = inputs;
    longer.insert(
        200,
        input(
            "note-199-more",
            "On day 199 and a half the sun came out for once.",
        ),
    );
    for changed in [edited, shorter, longer] {
        let after = questions(&reduced(&changed, CONFIG));
        let new = after.difference(&before).count();
        assert!(new <= 6, "{new} of {} questions are new", after.len());
    }
}

#[test]
fn answers_that_are_too_large_together_are_reduced_again() {
    let ran = with_model(
        |request| {
            says(format!(
                "{} {}",
                text_of(request).lines().count(),
                "word ".repeat(50)
            ))
        },
        || execute::<Reduce>(&notes(200), CONFIG),
    );
    let levels = ran
        .requests
        .iter()
        .filter(|request| text_of(request).matches(" to note-").count() > 1);
    assert!(levels.count() > 2);
    assert_eq!(ran.result.unwrap().len(), 1);
}

#[test]
fn an_input_that_is_too_large_alone_is_cut_between_paragraphs() {
    let text: String = (0..80)
        .map(|day| format!("On day {day} it rained.\n\n"))
        .collect();
    let ran = reduced(&[input("diary", &text)], CONFIG);
    let (_, parts) = ran.requests.split_last().unwrap();
    assert!(parts.len() > 1);
    let joined: String = parts
        .iter()
        .flat_map(|part| {
            let question = format!("{}\n- diary: ", text_of(part));
            let pieces = question.split("\n- diary: ").skip(1);
            pieces.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(joined.matches("On day").count(), 80);
    assert!(parts.iter().all(|part| text_of(part).ends_with(".\n\n")));
}

#[test]
fn the_answers_of_parts_have_the_format_of_the_last_unless_they_have_their_own_question() {
    let with = |more: &str| {
        CONFIG.replace(
            r#""label""#,
            &format!(r#"{more}"response_format": {{}}, "label""#),
        )
    };
    let json = with_model(|_| says("{}"), || execute::<Reduce>(&notes(60), &with("")));
    assert!(
        json.requests
            .iter()
            .all(|request| request.response_format.is_some())
    );
    assert_eq!(
        json.result.unwrap()[0].content,
        Output::text("", "", "{}").content
    );

    let config =
        with(r#""part_prompt": "Facts:{% for a in inputs %} {{ a.content }}{% endfor %}", "#);
    let ran = with_model(
        |request| {
            says(if text_of(request).starts_with("Facts:") {
                "It rained."
            } else {
                "{}"
            })
        },
        || execute::<Reduce>(&notes(60), &config),
    );
    let (last, parts) = ran.requests.split_last().unwrap();
    assert!(last.response_format.is_some() && text_of(last).starts_with("Sum up:"));
    assert!(
        parts
            .iter()
            .all(|part| part.response_format.is_none() && text_of(part).starts_with("Facts:"))
    );
    ran.result.unwrap();
}

#[test]
fn an_answer_of_a_part_that_is_not_json_names_the_part() {
    let config = CONFIG.replace(r#""label""#, r#""response_format": {}, "label""#);
    let ran = with_model(|_| says("no"), || execute::<Reduce>(&notes(60), &config));
    assert!(
        matches!(&ran.result, Err(Error::InvalidAnswer(text)) if text.starts_with("the part `note-000 to note-")),
        "{:?}",
        ran.result
    );
}

#[test]
fn answers_that_are_as_long_as_their_parts_end_the_unit_with_what_to_do() {
    let ran = with_model(
        |request| says(text_of(request)),
        || execute::<Reduce>(&notes(60), CONFIG),
    );
    assert!(
        matches!(&ran.result, Err(Error::InvalidAnswer(text)) if text.contains("`max_input_tokens` is 400") && text.contains("`part_prompt`")),
        "{:?}",
        ran.result
    );
}

#[test]
fn a_prompt_that_cannot_be_about_answers_is_refused_before_a_part_is_paid_for() {
    let mut inputs = notes(60);
    for (number, input) in inputs.iter_mut().enumerate() {
        let day = MetadataEntry {
            key: "day".to_owned(),
            value: number.to_string(),
        };
        let year = MetadataEntry {
            key: "year".to_owned(),
            value: "2026".to_owned(),
        };
        input.header.metadata = vec![day, year];
    }
    let config =
        |key: &str| CONFIG.replace("{{ a.label }}", &format!("{{{{ a.metadata.{key} }}}}"));
    let refused = reduced(&inputs, &config("day"));
    assert!(refused.requests.is_empty());
    assert!(
        matches!(&refused.result, Err(Error::InvalidInput(text)) if text.contains("the metadata that their inputs share")),
        "{:?}",
        refused.result
    );
    reduced(&inputs, &config("year")).result.unwrap();
}

#[test]
fn settings_without_an_effect_are_refused() {
    for (config, says) in [
        (
            r#"{"label": "l", "prompt": "q", "part_prompt": "p"}"#,
            "`part_prompt` needs",
        ),
        (
            r#"{"label": "l", "prompt": "q", "max_input_tokens": 10}"#,
            "write at least 256",
        ),
        (
            r#"{"label": "l", "max_input_tokens": 1000}"#,
            "needs a prompt",
        ),
    ] {
        let refused = reduced(&notes(1), config).result;
        assert!(
            matches!(&refused, Err(Error::InvalidConfig(text)) if text.contains(says)),
            "{config}: {refused:?}"
        );
    }
}

/// The size of a picture in tokens depends on the model, so a limit in tokens could not be kept.
#[test]
fn pictures_cannot_be_asked_about_in_parts() {
    let config = CONFIG.replace(r#""label""#, r#""attach": true, "label""#);
    let ran = reduced(&[bytes("face", "image/png", &[1])], &config);
    assert!(
        matches!(&ran.result, Err(Error::InvalidConfig(text)) if text.starts_with("`attach` and `max_input_tokens`")),
        "{:?}",
        ran.result
    );
    assert!(ran.requests.is_empty());
}
