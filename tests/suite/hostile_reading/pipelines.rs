//! Small pipeline files, notes and prompts of a clone that expand when they are read.

#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::fs;

use crate::hostile_reading::{HARMLESS, assert_results, attack, replace_in_pipeline};
use crate::support::hostile_clone::HostileClone;

/// W14, W17, rows 31 to 39
#[test]
fn inputs_that_expand_are_bounded() {
    let file = |text: fn() -> String| {
        move |clone: &HostileClone| clone.project.write("synix.toml", &text())
    };
    let note = |text: fn() -> String| {
        move |clone: &HostileClone| clone.project.write("notes/a.md", &text())
    };
    let prompt = |text: &'static str| {
        move |clone: &HostileClone| replace_in_pipeline(clone, "Say: {{ content }}", text)
    };
    assert_results([
        attack(
            "a key of two million parts",
            HARMLESS.plan(2, "not TOML: recursion limit"),
            file(|| format!("a{} = 1", ".a".repeat(2_000_000))),
        ),
        attack(
            "deep arrays",
            HARMLESS.plan(2, "not TOML: cannot recurse further"),
            file(|| format!("a = {}", "[".repeat(100_000))),
        ),
        attack(
            "deep tables",
            HARMLESS.plan(2, "not TOML"),
            file(|| "a = { b = ".repeat(100_000)),
        ),
        attack(
            "unknown keys",
            HARMLESS.plan(2, "more like these"),
            file(|| {
                (0..20_000).fold(String::new(), |mut all, at| {
                    let _ = writeln!(all, "k{at} = 1");
                    all
                })
            }),
        ),
        attack(
            "a circle of layers",
            HARMLESS.plan(2, "layers form a cycle: c0 -> c4999"),
            |clone| {
                let file = fs::read_to_string(clone.project.path("synix.toml")).unwrap();
                let layers = (0..5000).fold(file, |mut all, at| {
                    let next = (at + 1) % 5000;
                    let _ = writeln!(
                        all,
                        "[layers.c{at}]\ntransform = \"chunk\"\ninputs = [\"c{next}\"]"
                    );
                    all
                });
                clone.project.write("synix.toml", &layers);
            },
        ),
        attack(
            "layers that double",
            HARMLESS.plan(5, "more than the 2000 that its sources allow"),
            |clone| {
                let mut file = fs::read_to_string(clone.project.path("synix.toml")).unwrap();
                let mut names = vec!["\"notes\"".to_owned()];
                for at in 0..30 {
                    let _ = writeln!(
                        file,
                        "[layers.d{at}]\ntransform = \"group\"\ninputs = [{}]\nconfig.by_template = \"{{{{ label }}}}-{at}\"",
                        names.join(", ")
                    );
                    names.push(format!("\"d{at}\""));
                }
                clone.project.write("synix.toml", &file);
            },
        ),
        attack(
            "braces in a glob",
            HARMLESS.plan(1, "layer `notes`: the glob `{a,b}{a,b}"),
            |clone| replace_in_pipeline(clone, "notes/*.md", &"{a,b}".repeat(5000)),
        ),
        attack(
            "stars in a glob",
            HARMLESS.plan(2, "contains an empty component or `.` between slashes"),
            |clone| replace_in_pipeline(clone, "notes/*.md", &"**/".repeat(2000)),
        ),
        attack(
            "fuel without end",
            HARMLESS.plan(2, "to allow more, set SYNIX_MAX_FUEL"),
            |clone| {
                replace_in_pipeline(
                    clone,
                    "[layers.answers.config]",
                    "[layers.answers.limits]\nfuel = 9007199254740991\n[layers.answers.config]",
                );
            },
        ),
        attack(
            "a day of time",
            HARMLESS.plan(2, "to allow more, set SYNIX_MAX_WALL"),
            |clone| {
                replace_in_pipeline(
                    clone,
                    "[layers.answers.config]",
                    "[layers.answers.limits]\nwall_s = 86400\n[layers.answers.config]",
                );
            },
        ),
        attack(
            "laughs",
            HARMLESS.plan(1, "YAML document too large or too complex"),
            note(|| {
                (1..30).fold("---\na0: &a0 lol\n".to_owned(), |mut all, at| {
                    let before = at - 1;
                    let _ = writeln!(
                        all,
                        "a{at}: &a{at} [*a{before}, *a{before}, *a{before}, *a{before}]"
                    );
                    all
                }) + "---\nA note.\n"
            }),
        ),
        attack(
            "deep front matter",
            HARMLESS.plan(1, "recursion limit exceeded"),
            note(|| format!("---\na: {}\n---\nx", "[".repeat(100_000))),
        ),
        attack("words without end", HARMLESS, note(|| "a".repeat(1 << 20))),
        attack(
            "a range in a prompt",
            HARMLESS.plan(0, "cannot be made in answers"),
            prompt("{% for a in range(9000000000) %}{{ a }}{% endfor %}"),
        ),
        attack(
            "a product in a prompt",
            HARMLESS.plan(0, "cannot be made in answers"),
            prompt(
                "{% for a in range(99999) %}{% for b in range(99999) %}{{ content * 99999 }}{% endfor %}{% endfor %}",
            ),
        ),
        attack(
            "a macro that calls itself",
            HARMLESS.plan(0, "cannot be made in answers"),
            prompt("{% macro a() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}"),
        ),
    ]);
}
