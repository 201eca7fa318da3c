use super::*;
use crate::testing::settings;

const WORDING: Wording = Wording {
    variables: "`{{ x }}`",
    default_label: Some("{{ label }}"),
};

#[test]
fn the_schema_lists_exactly_the_fields_that_are_read() {
    let schema: serde_json::Value = serde_json::from_str(&schema(WORDING)).unwrap();
    let mut listed: Vec<_> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    listed.sort();
    assert_eq!(listed, KEYS);
    assert_eq!(settings::<Config>(), KEYS);
}

#[test]
fn the_settings_of_a_transform_and_of_the_request_are_in_one_table() {
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Own {
        limit: u32,
    }

    let of = serde_json::from_str::<Beside<Own>>;
    let config = of(r#"{"limit": 3, "prompt": "q", "max_tokens": 5}"#).unwrap();
    assert_eq!((config.own.limit, config.prompt.max_tokens), (3, Some(5)));
    let refused = of(r#"{"limit": 3, "promt": "q"}"#).unwrap_err();
    assert!(refused.to_string().contains("`promt`"), "{refused}");
}

#[test]
fn a_label_without_a_default_is_required() {
    let strict: serde_json::Value = serde_json::from_str(&schema(Wording {
        default_label: None,
        ..WORDING
    }))
    .unwrap();
    assert_eq!(strict["required"], serde_json::json!(["label"]));
    let lenient: serde_json::Value = serde_json::from_str(&schema(WORDING)).unwrap();
    assert_eq!(lenient["required"], serde_json::json!([]));
    assert_eq!(lenient["properties"]["label"]["default"], "{{ label }}");
}

#[test]
fn two_prompts_or_none_are_an_invalid_config() {
    for text in ["{}", r#"{"prompt": "a", "prompt_file": "b"}"#] {
        let config: Config = serde_json::from_str(text).unwrap();
        assert!(
            matches!(
                config.request(&Question::default()),
                Err(Error::InvalidConfig(_))
            ),
            "{text}"
        );
    }
}

#[test]
fn every_setting_reaches_the_request() {
    let config: Config = serde_json::from_str(
        r#"{"prompt": "q", "system": "s", "max_tokens": 5, "temperature": 0.5, "stop": ["."], "model": "cheap",
                "response_format": {"type": "object"}, "options": {"seed": 1}, "sample": 2}"#,
    )
    .unwrap();
    assert_eq!(
        config.request(&Question::default()).unwrap(),
        Request::user("q")
            .system("s")
            .max_tokens(5)
            .temperature(0.5)
            .stop(".")
            .model("cheap")
            .response_format(r#"{"type": "object"}"#)
            .options(r#"{"seed": 1}"#)
            .sample(2)
    );
}
