//! The machines that run units.

use super::*;

const FILE: &str = "pipeline.name = \"p\"\nlayers.a.source = \"a/*\"\n";

fn engine(rest: &str) -> Result<EngineSetting, String> {
    let parsed = parse(&format!("{FILE}[engine]\n{rest}"));
    parsed
        .map(|pipeline| pipeline.engine)
        .map_err(|errors| errors.to_string())
}

#[test]
fn a_file_names_a_server_and_a_store() {
    let expected = EngineSetting {
        restate: Some("http://restate.internal:8080".to_owned()),
        content: Some("s3://team/contents".to_owned()),
        concurrency: NonZero::new(40).unwrap(),
    };
    let file = "restate = \"http://restate.internal:8080\"\ncontent = \"s3://team/contents\"\nconcurrency = 40\n";
    assert_eq!(engine(file), Ok(expected));
    let default = parse(FILE).unwrap().engine;
    assert_eq!((default.restate, default.content), (None, None));
    assert_eq!(default.concurrency.get(), 16);
    for url in [
        "https://a",
        "http://127.0.0.1:8080/",
        "http://[::1]:8080/restate",
    ] {
        assert!(engine(&format!("restate = \"{url}\"")).is_ok(), "{url}");
    }
}

#[test]
fn an_invalid_setting_is_an_error_at_its_location() {
    for (rest, message) in [
        (
            "restate = \"restate.internal:8080\"",
            "4:11: `engine.restate` must start with `http://` or `https://`",
        ),
        (
            "restate = \"http://:8080\"",
            "4:11: `engine.restate` must name a host",
        ),
        (
            "restate = \"http://key:secret@team\"",
            "4:11: `engine.restate` must not contain a credential",
        ),
        (
            "restate = \"http://team?a=b\"",
            "4:11: `engine.restate` must consist of a scheme, a host, a port and a path",
        ),
        (
            "content = \"http://team\"",
            "4:11: `engine.content` must start with `s3://`, `gs://`, `az://` or `file:///`",
        ),
        (
            "concurrency = 0",
            "4:15: `engine.concurrency` must be at least 1",
        ),
        (
            "restat = \"http://a\"",
            "4:1: unknown key `restat` in [engine] (did you mean `restate`?)",
        ),
    ] {
        assert_eq!(engine(rest), Err(message.to_owned()));
    }
}
