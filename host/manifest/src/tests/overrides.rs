//! Changes of one run: what they mean, their errors, and how they are written into the file.

use serde_json::json;

use super::*;

const FILE: &str = r#"# What we build.
[pipeline]
name = "p"   # short

[models.default]
provider = "openai"
model = "gpt-4o-mini"  # cheap
temperature = 0.2

[layers.notes]
source = "notes/*.md"

[layers.facts]
transform = "map"
inputs = ["notes"]
config = { prompt_file = "prompts/facts.md" } # ask

[layers.core]
transform = "reduce"
inputs = ["facts"]
config.label = "core"
config.prompt = "Sum up" # all
"#;

fn overrides(settings: &[&str]) -> Overrides {
    Overrides {
        settings: settings.iter().map(|text| text.parse().unwrap()).collect(),
        prompts: Vec::new(),
    }
}

fn errors_with(settings: &[&str]) -> String {
    match parse_with(FILE, &overrides(settings)) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    }
}

#[test]
fn a_setting_changes_one_value() {
    let changed = parse_with(FILE, &overrides(&["models.default.temperature=0.9"])).unwrap();
    assert_eq!(changed.models["default"].temperature, Some(0.9));
    let changed = parse_with(FILE, &overrides(&["layers.core.config.kind=x"])).unwrap();
    let core = changed.layer(&LayerName::parse("core").unwrap()).unwrap();
    assert_eq!(
        core.config().unwrap(),
        json!({ "label": "core", "prompt": "Sum up", "kind": "x" })
            .as_object()
            .unwrap()
    );
}

#[test]
fn the_prompt_of_a_layer_with_a_prompt_file_is_the_text_of_the_file() {
    let by_key = overrides(&["layers.facts.config.prompt=\"New\""]);
    let by_layer = Overrides {
        prompts: vec![LayerPrompt {
            layer: "facts".to_owned(),
            text: "New".to_owned(),
        }],
        ..Overrides::default()
    };
    for changes in [by_key, by_layer] {
        let changed = parse_with(FILE, &changes).unwrap();
        let file = &changed.prompt_files["facts"];
        assert_eq!(
            (file.path.as_str(), file.text.as_str()),
            ("prompts/facts.md", "New")
        );
        assert_eq!(edit(FILE, &changes).unwrap().0, FILE);
    }
}

#[test]
fn an_error_names_the_option_the_key_the_nearest_one_and_the_place() {
    for (setting, error) in [
        (
            "models.default.temprature=1",
            "5:9: unknown key `temprature` in [models.default] (from `models.default.temprature` on the command line; did you mean `temperature`?)",
        ),
        (
            "models.default.temperature=high",
            "8:1: `models.default.temperature` must be a number, not a text (from `models.default.temperature` on the command line)",
        ),
        (
            "layers.fact.config.prompt=x",
            "unknown key `fact` in [layers] (from `layers.fact.config.prompt` on the command line; did you mean `facts`?)",
        ),
        (
            "pipeline.name.x=1",
            "`pipeline.name` must be a table, not a text",
        ),
        (
            "layers.core.inputs.0=notes",
            "22:1: `layers.core.inputs` is a list, whose elements cannot be set one by one (from `layers.core.inputs.0` on the command line; set all of it, as in `layers.core.inputs=[\"facts\"]`)",
        ),
        ("modles.default.model=x", "unknown key `modles`"),
        ("layers.facts.model=judge", "unknown model role `judge`"),
    ] {
        let found = errors_with(&[setting]);
        let (_, about) = error.split_once(": ").unwrap_or(("", error));
        assert!(found.contains(about), "{setting}: {found}");
    }
}

#[test]
fn the_values_before_a_change_are_known() {
    let settings = overrides(&[
        "models.default.temperature=1",
        "models.default.max_tokens=5",
    ]);
    let values = current_values(FILE, &settings.settings).unwrap();
    assert_eq!(values, [Some(json!(0.2)), None]);
}

fn without(keys: &[&str]) -> Overrides {
    Overrides {
        settings: keys
            .iter()
            .map(|key| Setting::unset(key).unwrap())
            .collect(),
        prompts: Vec::new(),
    }
}

#[test]
fn a_removed_key_has_its_default_or_is_missing() {
    let changed = parse_with(FILE, &without(&["models.default.temperature"])).unwrap();
    assert_eq!(changed.models["default"].temperature, None);
    let errors = |key: &str| match parse_with(FILE, &without(&[key])) {
        Ok(_) => String::new(),
        Err(errors) => errors.to_string(),
    };
    for (key, error) in [
        (
            "models.default.model",
            "missing key `model` in [models.default]",
        ),
        ("layers.facts", "unknown input `facts`"),
        (
            "models.default.temprature",
            "5:1: there is no key `temprature` in [models.default] (from `models.default.temprature` on the command line; did you mean `temperature`?)",
        ),
        (
            "models.default.max_tokens",
            "there is no key `max_tokens` in [models.default] (from `models.default.max_tokens` on the command line)",
        ),
        (
            "modles.default.model",
            "there is no key `modles` (from `modles.default.model` on the command line; did you mean `models`?)",
        ),
        (
            "layers.core.inputs.0",
            "is a list, whose elements cannot be set one by one",
        ),
        ("layers.core.transform.x", "must be a table, not a text"),
    ] {
        let found = errors(key);
        assert!(found.contains(error), "{key}: {found}");
    }
}

/// Otherwise a trial could not be resumed after its settings were written into the file.
#[test]
fn a_key_that_a_trial_on_record_removes_need_not_be_there() {
    let stored = serde_json::to_string(&without(&["models.default.max_tokens"])).unwrap();
    let recorded: Overrides = serde_json::from_str(&stored).unwrap();
    let unchanged = parse(FILE).unwrap();
    assert_eq!(
        parse_with(FILE, &recorded).unwrap().models,
        unchanged.models
    );
    assert_eq!(edit(FILE, &recorded).unwrap().0, FILE);
}

#[test]
fn a_key_is_not_removed_and_changed_at_once() {
    let with = |key: &str, setting: &str| {
        let changes = [overrides(&[setting]).settings, without(&[key]).settings].concat();
        let changes = Overrides {
            settings: changes,
            prompts: Vec::new(),
        };
        changes.conflict().map(|(_, other)| other)
    };
    for (key, setting, conflict) in [
        ("a.b", "a.b=1", true),
        ("a.b", "a.b.c=1", true),
        ("a.b", "a={ b = 1 }", true),
        ("a.b", "a.bc=1", false),
    ] {
        assert_eq!(with(key, setting).is_some(), conflict, "{key} {setting}");
    }
    let mut changes = without(&["layers.facts.config"]);
    changes.prompts.push(LayerPrompt {
        layer: "facts".to_owned(),
        text: "New".to_owned(),
    });
    let (removed, other) = changes.conflict().unwrap();
    assert_eq!(
        (removed.to_string().as_str(), other.as_str()),
        ("layers.facts.config", "layers.facts.config.prompt")
    );
    changes.settings = without(&["layers.facts.config.prompt_file"]).settings;
    assert_eq!(changes.conflict(), None);
    let facts = LayerName::parse("facts").unwrap();
    let changed = parse_with(FILE, &changes).unwrap();
    let config = changed.layer(&facts).unwrap().config().unwrap();
    assert_eq!(config, json!({ "prompt": "New" }).as_object().unwrap());
}

/// The expected differences, line by line.
#[test]
fn only_the_lines_of_removed_keys_leave_the_file() {
    for (key, old, new) in [
        ("models.default.temperature", "temperature = 0.2\n", ""),
        ("layers.core.config.label", "config.label = \"core\"\n", ""),
        (
            "layers.core.config.prompt",
            "config.prompt = \"Sum up\" # all\n",
            "",
        ),
    ] {
        let (edited, _) = edit(FILE, &without(&[key])).unwrap();
        assert_eq!(edited, FILE.replace(old, new), "{key}");
    }
}

/// The expected differences, line by line.
#[test]
fn only_the_lines_of_the_settings_change_in_the_file() {
    for (setting, old, new) in [
        (
            "models.default.temperature=0.9",
            "temperature = 0.2",
            "temperature = 0.9",
        ),
        (
            "models.default.model=gpt-4o",
            "model = \"gpt-4o-mini\"  # cheap",
            "model = \"gpt-4o\"  # cheap",
        ),
        (
            "layers.core.config.prompt=All?",
            "config.prompt = \"Sum up\" # all",
            "config.prompt = \"All?\" # all",
        ),
        (
            "models.default.max_tokens=9",
            "temperature = 0.2\n",
            "temperature = 0.2\nmax_tokens = 9\n",
        ),
        (
            "layers.facts.config.kind=fact",
            "{ prompt_file = \"prompts/facts.md\" } # ask",
            "{ prompt_file = \"prompts/facts.md\" , kind = \"fact\" } # ask",
        ),
    ] {
        let (edited, _) = edit(FILE, &overrides(&[setting])).unwrap();
        let squeezed = |text: &str| text.replace(" ,", ",");
        assert_eq!(
            squeezed(&edited),
            squeezed(&FILE.replace(old, new)),
            "{setting}"
        );
    }
}

/// Files of Windows, and those with a byte order mark, stay what they are.
#[test]
fn the_line_breaks_and_the_mark_of_a_file_are_kept() {
    let file = format!("\u{feff}{}", FILE.replace('\n', "\r\n"));
    let changes = overrides(&["layers.core.config.prompt=one\ntwo"]);
    let (edited, _) = edit(&file, &changes).unwrap();
    let expected = file.replace("\"Sum up\"", "\"one\\ntwo\"");
    assert_eq!(edited, expected);
}

proptest! {
    /// Whatever is set means the same in the file as in the run, or is refused.
    #[test]
    fn an_edited_file_means_what_the_run_read(text in "[ -~\\n\\t\"'\\\\{}#éß\u{2028}]{0,40}", number in 0_u16..2000) {
        let changes = Overrides {
            settings: vec![
                Setting::new(["layers", "core", "config", "prompt"], json!(text)),
                Setting::new(["models", "default", "max_tokens"], json!(u32::from(number) + 1)),
                Setting::new(["layers", "core", "config", "response_format"], json!({ "type": text, "n": [number, 0.5] })),
            ],
            prompts: Vec::new(),
        };
        let (edited, _) = edit(FILE, &changes).unwrap();
        let (run, file) = (parse_with(FILE, &changes).unwrap(), parse(&edited).unwrap());
        prop_assert_eq!(run.layers, file.layers);
        prop_assert_eq!(run.models, file.models);
    }
}
