use super::*;

fn lock(pins: &[(&str, &[u8])]) -> LockFile {
    let mut lock = LockFile::default();
    for (reference, bytes) in pins {
        lock.pin(reference, Pin::of(bytes));
    }
    lock
}

#[test]
fn the_file_is_sorted_and_survives_a_round_trip() {
    let written = lock(&[("./b \"x\".wasm", b"b"), ("./a.wasm", b"a")]);
    let text = written.to_text().unwrap();
    let expected = format!(
        "{HEADING}version = 1\n\n[[plugin]]\nreference = \"./a.wasm\"\ndigest = \"sha256:{}\"\nsize = 1\n",
        Digest::of(b"a")
    );
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(LockFile::parse("synix.lock", text.as_bytes()), Ok(written));
    let empty = LockFile::default().to_text().unwrap();
    assert_eq!(
        LockFile::parse("synix.lock", empty.as_bytes()),
        Ok(LockFile::default())
    );
}

#[test]
fn the_error_for_an_invalid_lock_file_has_its_line() {
    let message = |text: &str| {
        LockFile::parse("synix.lock", text.as_bytes())
            .unwrap_err()
            .to_string()
    };
    let conflict = message("version = 1\n<<<<<<< ours\n");
    assert!(
        conflict.contains("line 2") && conflict.contains("version control"),
        "{conflict}"
    );
    assert!(message("version = 2\nnew = true\n").contains("has version 2"));
    let entry = "[[plugin]]\nreference = \"a\"\ndigest = \"sha256:";
    assert!(message(&format!("version = 1\n{entry}0\"\nsize = 1\n")).contains("is not a digest"));
    let good = format!("{entry}{}\"\nsize = 1\n", Digest::of(b"a"));
    assert!(message(&format!("version = 1\n{good}{good}")).contains("pinned twice"));
}

#[test]
fn a_pin_that_contradicts_its_reference_is_not_reported_as_unused() {
    let change = |stated: &[u8]| LockFileChange {
        reference: format!("https://a.example/x.wasm#sha256={}", Digest::of(stated)),
        old: Some(Pin::of(b"1")),
        new: None,
    };
    assert!(
        change(b"2")
            .to_string()
            .contains("contradicts the digest in the reference")
    );
    assert!(change(b"1").to_string().contains("no longer used"));
}

#[test]
fn changes_contain_the_old_and_the_new_pin() {
    let before = lock(&[("a", b"1"), ("b", b"1"), ("same", b"1")]);
    let after = lock(&[("a", b"2"), ("c", b"1"), ("same", b"1")]);
    let changes = before.changes_to(&after);
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let (one, two) = (Pin::of(b"1"), Pin::of(b"2"));
    assert_eq!(
        lines,
        [
            format!("a: {one} -> {two}"),
            format!("b: no longer used, was {one}"),
            format!("c: new, {one}")
        ]
    );
}

#[test]
fn the_error_for_a_difference_says_what_to_run() {
    let differs = |changes| {
        LockFileError::Differs {
            file: "synix.lock".to_owned(),
            changes,
        }
        .to_string()
    };
    let moved = lock(&[("a", b"1")]).changes_to(&lock(&[("a", b"2")]));
    assert!(differs(moved).ends_with("synix plugin update a"));
    let removed = lock(&[("a", b"1")]).changes_to(&LockFile::default());
    assert!(differs(removed).ends_with("synix plugin update"));
}
