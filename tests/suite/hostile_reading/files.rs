//! Files of a clone that link outside, are not regular files or never end, under commands that only read.

#![cfg(target_os = "linux")]

use std::fs;

use crate::hostile_reading::{
    HARMLESS, assert_results, attack, link, pipe, replace_in_pipeline, use_plugin_in_layer,
};

/// W20, W25, W27, rows 11, 13, 15, 28, 29
#[test]
fn outside_and_endless_files_are_refused() {
    assert_results([
        attack(
            "source above",
            HARMLESS.plan(2, "leaves the project folder"),
            |clone| replace_in_pipeline(clone, "notes/*.md", "../outside/*"),
        ),
        attack(
            "source absolute",
            HARMLESS.plan(2, "is absolute; write it relative"),
            |clone| replace_in_pipeline(clone, "notes/*.md", "/proc/self/environ"),
        ),
        attack(
            "source of git",
            HARMLESS.plan(1, "is hidden, as files with secrets often are"),
            |clone| {
                clone
                    .project
                    .write(".git/config", "[http] extraheader = basic dG9rZW4=");
                replace_in_pipeline(clone, "notes/*.md", ".git/config");
            },
        ),
        attack(
            "note is a link out",
            HARMLESS
                .plan(1, "is outside the project folder")
                .demo(1, "which is not in the project"),
            |clone| link(clone, "notes/x.md", "/proc/self/environ"),
        ),
        attack(
            "note is a link to credentials",
            HARMLESS
                .plan(1, "is outside the project folder")
                .demo(1, "which is not in the project"),
            |clone| link(clone, "notes/x.md", "../../outside/credentials"),
        ),
        attack(
            "note is a pipe",
            HARMLESS
                .plan(1, "is not a file")
                .demo(1, "is neither a file nor a folder"),
            |clone| pipe(clone, "notes/x.md"),
        ),
        attack(
            "note is a device",
            HARMLESS
                .plan(1, "is outside the project folder")
                .demo(1, "which is not in the project"),
            |clone| link(clone, "notes/x.md", "/dev/zero"),
        ),
        attack(
            "note is endless",
            HARMLESS
                .plan(1, "is larger than 64 MiB")
                .demo(1, "is too large to be copied"),
            |clone| {
                clone.project.write("notes/x.md", "");
                let file = fs::File::options()
                    .write(true)
                    .open(clone.project.path("notes/x.md"));
                file.unwrap().set_len(1 << 40).unwrap();
            },
        ),
        attack(
            "folder is a link out",
            HARMLESS.demo(1, "which is not in the project"),
            |clone| link(clone, "more", "../outside"),
        ),
        attack(
            "prompt out",
            HARMLESS.plan(2, "is outside the project folder"),
            |clone| {
                replace_in_pipeline(
                    clone,
                    "prompt = \"Say: {{ content }}\"",
                    "prompt_file = \"../outside/credentials\"",
                );
            },
        ),
        attack(
            "prompt is a link out",
            HARMLESS
                .plan(2, "is outside the project folder")
                .demo(1, "which is not in the project"),
            |clone| {
                link(clone, "p.md", "../outside/credentials");
                replace_in_pipeline(
                    clone,
                    "prompt = \"Say: {{ content }}\"",
                    "prompt_file = \"p.md\"",
                );
            },
        ),
        attack(
            "plugin out",
            HARMLESS.plan(2, "is outside the project folder"),
            |clone| {
                replace_in_pipeline(
                    clone,
                    "transform = \"map\"",
                    "transform = \"../outside/credentials\"",
                );
            },
        ),
        attack(
            "plugin is a device",
            HARMLESS
                .plan(2, "is outside the project folder")
                .demo(1, "which is not in the project")
                .inspect(1, "it is not a regular file"),
            |clone| {
                link(clone, "plugins/own.wasm", "/dev/zero");
                use_plugin_in_layer(clone);
            },
        ),
        attack(
            "plugin is a pipe",
            HARMLESS
                .plan(2, "is not a file")
                .demo(1, "is neither a file nor a folder")
                .inspect(1, "it is not a regular file"),
            |clone| {
                pipe(clone, "plugins/own.wasm");
                use_plugin_in_layer(clone);
            },
        ),
        attack(
            "pipeline is a secret",
            HARMLESS
                .plan(2, "not TOML")
                .demo(1, "which is not in the project"),
            |clone| link(clone, "synix.toml", "../outside/credentials"),
        ),
        attack(
            "pipeline is a pipe",
            HARMLESS
                .state(2, "is a pipe, not a file")
                .demo(1, "is a pipe, not a file"),
            |clone| pipe(clone, "synix.toml"),
        ),
        attack(
            "pipeline is a device",
            HARMLESS
                .state(2, "is a device, not a file")
                .demo(1, "is a device, not a file"),
            |clone| link(clone, "synix.toml", "/dev/zero"),
        ),
        attack(
            "pipeline is endless",
            HARMLESS
                .plan(1, "it has more than 16777216 bytes")
                .demo(1, "is too large to be copied"),
            |clone| {
                let file = fs::File::options()
                    .write(true)
                    .open(clone.project.path("synix.toml"));
                file.unwrap().set_len(1 << 40).unwrap();
            },
        ),
    ]);
    const LINK: &str = "it is a symbolic link, which is not followed here";
    const PIPE: &str = "it is not a regular file";
    let leads_out = HARMLESS.demo(1, "which is not in the project");
    let never_ends = HARMLESS.demo(1, "is neither a file nor a folder");
    // Only a replay reads a cassette; `plan` does not.
    for (name, link_ends, pipe_ends) in [
        (
            "synix.lock",
            leads_out.plan(1, LINK),
            never_ends.plan(1, PIPE),
        ),
        ("cassettes/clone.json", leads_out, never_ends),
    ] {
        assert_results([
            attack(&format!("{name} is a secret"), link_ends, move |clone| {
                link(clone, name, "../outside/credentials");
            }),
            attack(&format!("{name} is a pipe"), pipe_ends, move |clone| {
                pipe(clone, name);
            }),
            attack(&format!("{name} is a device"), link_ends, move |clone| {
                link(clone, name, "/dev/zero");
            }),
        ]);
    }
}
