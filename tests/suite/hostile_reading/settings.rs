//! A hostile `.env`, provider, golden file or name has no effect on commands that only read.

#![cfg(target_os = "linux")]

use std::fs;

use crate::hostile_reading::{HARMLESS, assert_results, attack, link, pipe, replace_in_pipeline};
use crate::support::hostile_clone::HostileClone;

/// W1, W3, W11, W21 and rows 22 to 24, 46, 47: it moves folders, supplies tools or never ends.
#[test]
fn a_hostile_dot_env_has_no_effect_on_reading() {
    let texts = [
        "SYNIX_CACHE_DIR=vendor",
        "XDG_CACHE_HOME=vendor",
        "OPENAI_BASE_URL=https://evil.example/v1",
        "SYNIX_CASSETTE_MODE=record\nSYNIX_CASSETTE_DIR=../outside",
        "SYNIX_TOOLS=tools\nPATH=tools",
        "SYNIX_CRASH_AT=1",
        "HTTPS_PROXY=http://evil.example",
        "OPENAI_API_KEY=\"sk-own\\r\\nx-evil: 1\"",
    ];
    let attacks = texts.map(|text| {
        attack(text, HARMLESS, move |clone| {
            clone.project.write(".env", text);
            clone
                .project
                .write("vendor/synix/planted.cwasm", "native code");
        })
    });
    assert_results(attacks);
    assert_results([
        attack(".env is a link", HARMLESS, |clone| {
            link(clone, ".env", "../outside/credentials");
        }),
        attack(".env is a pipe", HARMLESS, |clone| pipe(clone, ".env")),
        attack(".env is a device", HARMLESS, |clone| {
            link(clone, ".env", "/dev/zero");
        }),
        attack(".env is large", HARMLESS, |clone| {
            clone.project.write(".env", &"A=1\n".repeat(300_000));
        }),
    ]);
}

/// W3, W9, W10, W21: commands that only read ignore what a build would need permission for.
#[test]
fn reading_does_nothing_that_needs_permission() {
    let provider = |line: &'static str| {
        move |clone: &HostileClone| {
            replace_in_pipeline(clone, "retries = 0", &format!("retries = 0\n{line}"));
        }
    };
    let pipeline = |line: &'static str| {
        move |clone: &HostileClone| {
            replace_in_pipeline(
                clone,
                "name = \"clone\"",
                &format!("name = \"clone\"\n{line}"),
            );
        }
    };
    assert_results([
        attack(
            "base_url",
            HARMLESS,
            provider("base_url = \"https://evil.example/v1\""),
        ),
        attack(
            "far http",
            HARMLESS,
            provider("base_url = \"http://evil.example/v1\""),
        ),
        attack(
            "any variable",
            HARMLESS,
            provider("api_key_env = \"AWS_SECRET_ACCESS_KEY\""),
        ),
        attack("on_done", HARMLESS, pipeline("on_done = \"touch ran\"")),
        attack("on_done in a replay", HARMLESS, |clone| {
            replace_in_pipeline(
                clone,
                "name = \"clone\"",
                "name = \"clone\"\non_done = [\"touch\", \"ran\"]\non_done_in_replay = true",
            );
        }),
        attack(
            "on_done_url",
            HARMLESS,
            pipeline("on_done_url = \"http://127.0.0.1:9/admin\""),
        ),
    ]);
    let digest = "0".repeat(64);
    let near = HARMLESS.plan(5, "download a plugin from this machine");
    let far = HARMLESS.plan(
        2,
        "must start with `https://`; `http://` is only allowed for this machine",
    );
    for (host, results) in [
        ("127.0.0.1:9", near),
        ("[::ffff:127.0.0.1]:9", far),
        ("0.0.0.0:9", far),
        ("localhost.:9", far),
    ] {
        let reference = format!("transform = \"http://{host}/secret#sha256={digest}\"");
        assert_results([attack(host, results, move |clone| {
            replace_in_pipeline(clone, "transform = \"map\"", &reference);
        })]);
    }
}

/// W4: `demo run` does not follow links.
#[test]
fn hostile_golden_files_reveal_nothing() {
    assert_results([
        attack(
            "golden file is a secret",
            HARMLESS
                .demo(1, "it is a symbolic link, which is not followed here")
                .plan(0, "total"),
            |clone| link(clone, "golden/01-plan.txt", "../../outside/credentials"),
        ),
        attack(
            "golden file is the environment",
            HARMLESS.demo(1, "it is a symbolic link, which is not followed here"),
            |clone| link(clone, "golden/01-plan.txt", "/proc/self/environ"),
        ),
        attack(
            "golden folder leads out",
            HARMLESS.demo(1, "it is a symbolic link, which is not followed here"),
            |clone| link(clone, "golden", "../outside"),
        ),
        attack(
            "golden file is a pipe",
            HARMLESS.demo(1, "it is not a regular file"),
            |clone| pipe(clone, "golden/01-plan.txt"),
        ),
        attack("links that double", HARMLESS, |clone| {
            for level in 0..40 {
                let folder = format!("notes/level{level}");
                fs::create_dir(clone.project.path(&folder)).unwrap();
                if level > 0 {
                    for name in ["one", "two"] {
                        link(
                            clone,
                            &format!("{folder}/{name}"),
                            &format!("../level{}", level - 1),
                        );
                    }
                }
            }
        }),
    ]);
}

/// W16: names that would control a terminal.
#[test]
fn control_characters_in_names_are_escaped() {
    assert_results([
        attack(
            "a note",
            HARMLESS.plan(1, "has a control character"),
            |clone| clone.project.write("notes/a\u{1b}]0;pwned\u{7}b.md", "x"),
        ),
        attack("a command of a log", HARMLESS, |clone| {
            clone.project.write("notes/::error file=x::forged.md", "x");
        }),
        attack(
            "a key",
            HARMLESS.plan(2, "unknown key `bad\\u{1b}[31mkey`"),
            |clone| replace_in_pipeline(clone, "retries = 0", "\"bad\\u001b[31mkey\" = 0"),
        ),
        attack(
            "a transform",
            HARMLESS.plan(2, "has a control character"),
            |clone| {
                replace_in_pipeline(
                    clone,
                    "transform = \"map\"",
                    "transform = \"map\\u001b[2J\\n::error::x\"",
                );
            },
        ),
    ]);
}
