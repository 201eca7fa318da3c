//! Shared answers.

use super::*;

const FILE: &str = "pipeline.name = \"p\"\nlayers.a.source = \"a/*\"\n";

fn shared(rest: &str) -> Result<SharedSetting, String> {
    let parsed = parse(&format!("{FILE}[shared]\n{rest}"));
    parsed
        .map(|pipeline| pipeline.shared)
        .map_err(|errors| errors.to_string())
}

#[test]
fn only_the_url_decides_where_answers_are_shared() {
    let expected = SharedSetting {
        url: Some("s3://team/answers".to_owned()),
        read_only: true,
        lease: Duration::from_secs(30),
    };
    let file = "url = \"s3://team/answers\"\nread_only = true\nlease = 30\n";
    assert_eq!(shared(file), Ok(expected));
    let default = parse(FILE).unwrap().shared;
    assert_eq!(
        (default.url, default.read_only, default.lease),
        (None, false, Duration::from_secs(60))
    );
    for url in ["gs://team", "az://team/a/b", "file:///mnt/answers"] {
        assert!(shared(&format!("url = \"{url}\"")).is_ok(), "{url}");
    }
}

#[test]
fn an_invalid_setting_is_an_error_at_its_location() {
    for (rest, message) in [
        (
            "url = \"https://team\"",
            "4:7: `shared.url` must start with `s3://`, `gs://`, `az://` or `file:///`",
        ),
        (
            "url = \"file:///\"",
            "4:7: `shared.url` must name a bucket or a folder",
        ),
        (
            "url = \"s3://key:secret@team\"",
            "4:7: `shared.url` must not contain a credential; set it in the environment",
        ),
        (
            "url = \"s3://team?region=x\"",
            "4:7: `shared.url` must consist of a scheme, a bucket and a path",
        ),
        ("lease = 0", "4:9: `shared.lease` must be at least 1"),
        (
            "leas = 5",
            "4:1: unknown key `leas` in [shared] (did you mean `lease`?)",
        ),
    ] {
        assert_eq!(shared(rest), Err(message.to_owned()));
    }
}
