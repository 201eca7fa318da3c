use proptest::prelude::*;
use serde_json::json;
use synix_plugin::testing::{FileBytes, read_each};
use synix_reading::testing::assert_single_bytes_suffice;
use synix_rows::Rows;

use super::{made, message, run, skipped};

/// More rows than fit into memory at once if each were kept.
#[test]
fn rows_are_handed_over_one_by_one() {
    let row = format!("{{\"t\": \"{}\"}}\n", "x".repeat(1000));
    let file = row.repeat(20_000);
    let count = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&count);
    let ran = read_each::<Rows>(
        "t.jsonl",
        file,
        "{\"content\": \"t\"}",
        move |place, output| {
            seen.set(seen.get() + 1);
            assert_eq!(place, format!("line {}", seen.get()));
            assert_eq!(output.label, format!("t-{}", seen.get()));
        },
    );
    assert!(ran.result.is_ok());
    assert_eq!(count.get(), 20_000);
}

#[test]
fn a_header_with_one_name_many_times_is_read() {
    let header = "a,".repeat(50_000);
    let values = "1,".repeat(50_000);
    let ran = run(
        "t.csv",
        format!("{header}t\n{values}x\n"),
        &json!({"content": "t"}),
    );
    assert_eq!(made(&ran), [("t-2", "x")]);
}

#[test]
fn a_row_as_deep_as_it_is_long_is_skipped() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let file = format!("{{\"t\": \"a\"}}\n{{\"t\": {deep}}}\n{{\"t\": \"c\"}}\n");
    let ran = run("t.jsonl", file, &json!({"content": "t"}));
    assert_eq!(made(&ran), [("t-1", "a"), ("t-3", "c")]);
    assert!(
        ran.skipped[0]
            .what
            .starts_with("line 2: recursion limit exceeded"),
        "{:?}",
        ran.skipped
    );
}

/// The longest row.
const MIB: u64 = 1 << 20;

/// A file whose middle is `x` so many times; it takes no memory.
struct Long<'a> {
    start: &'a str,
    length: u64,
    end: &'a str,
}

impl FileBytes for Long<'_> {
    fn size(&self) -> u64 {
        (self.start.len() + self.end.len()) as u64 + self.length
    }

    fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        let ends = offset.saturating_add(length.into()).min(self.size());
        let (start, tail) = (
            self.start.len() as u64,
            self.start.len() as u64 + self.length,
        );
        let byte = |at: u64| match at {
            at if at < start => {
                self.start.as_bytes()[usize::try_from(at).expect("an offset in memory")]
            }
            at if at >= tail => {
                self.end.as_bytes()[usize::try_from(at - tail).expect("an offset in memory")]
            }
            _ => b'x',
        };
        (offset..ends).map(byte).collect()
    }
}

/// A row larger than the memory must not lose those around it.
#[test]
fn a_row_that_is_too_long_is_skipped_with_its_place() {
    let config = r#"{"content": "t", "label": "t"}"#;
    let mut rows = Vec::new();
    for (name, [start, end], place) in [
        (
            "t.jsonl",
            ["{\"t\": \"a\"}\n{\"t\": \"", "\"}\n{\"t\": \"c\"}\n"],
            "line 2",
        ),
        (
            "t.json",
            ["[{\"t\": \"a\"}, {\"t\": \"", "\"}, {\"t\": \"c\"}]"],
            "element 2",
        ),
    ] {
        for (length, is_read) in [
            (16 * MIB - 9, true),
            (16 * MIB - 8, false),
            (70 * MIB, false),
        ] {
            let file = Long { start, length, end };
            let labels = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
            let seen = std::rc::Rc::clone(&labels);
            let ran = read_each::<Rows>(name, file, config, move |_, output| {
                let label = output.label;
                seen.borrow_mut().push(if label.len() > 1 {
                    "long".to_owned()
                } else {
                    label
                });
            });
            let expected = if is_read {
                vec!["a", "long", "c"]
            } else {
                vec!["a", "c"]
            };
            assert_eq!(*labels.borrow(), expected, "{name} {length}");
            let reported = [format!(
                "Reason::Unreadable at {place}: {place}: it is longer than 16 MiB"
            )];
            assert_eq!(
                skipped(&ran),
                reported[usize::from(is_read)..],
                "{name} {length}"
            );
            rows.push(ran.result);
        }
    }
    assert!(rows.iter().all(Result::is_ok), "{rows:?}");
}

/// Each value of a row costs far more memory than its text.
#[test]
fn a_row_with_too_many_values_is_skipped() {
    let wide = "0,".repeat(250_000);
    let file = format!("{{\"t\": \"a\"}}\n{{\"t\": [{wide}0]}}\n{{\"t\": \"c\"}}\n");
    let ran = run("t.jsonl", file, &json!({"content": "t"}));
    assert_eq!(made(&ran), [("t-1", "a"), ("t-3", "c")]);
    let reported = "Reason::Unreadable at line 2: line 2: it has more than 250000 values";
    assert_eq!(skipped(&ran), [reported]);
}

/// The host refuses an artifact with more, and its file with it.
#[test]
fn a_row_with_too_much_metadata_is_skipped() {
    let long = |length: usize| {
        let row = json!({"t": "b", "m": "x".repeat(length)});
        let file = format!("{{\"t\": \"a\"}}\n{row}\n{{\"t\": \"c\"}}\n");
        run("t.jsonl", file, &json!({"content": "t"}))
    };
    // The keys `file` and `m`, and the quotes around three texts.
    let fits = (1 << 20) - "filem".len() - "\"t.jsonl\"\"\"".len();
    assert_eq!(made(&long(fits)).len(), 3);
    let ran = long(fits + 1);
    assert_eq!(made(&ran), [("t-1", "a"), ("t-3", "c")]);
    let reported = "Reason::Unreadable at line 2: line 2: its metadata has more than 1024 KiB: name the fields that you need in `metadata`";
    assert_eq!(skipped(&ran), [reported]);
}

#[test]
fn a_record_with_too_many_fields_is_skipped() {
    let wide = ",".repeat(100_000);
    let ran = run(
        "t.csv",
        format!("t,u\na,1\n{wide}\nc,2\n"),
        &json!({"content": "t"}),
    );
    assert_eq!(made(&ran), [("t-2", "a"), ("t-4", "c")]);
    let reported = "Reason::Unreadable at line 3: line 3: it has more than 100000 fields";
    assert_eq!(skipped(&ran), [reported]);
    let ran = run("t.csv", format!("t{wide}\na\n"), &json!({"content": "t"}));
    assert!(
        message(&ran).contains("it has more than 100000 fields"),
        "{ran:?}"
    );
}

#[test]
fn tables_are_read_byte_by_byte_as_at_once() {
    for (name, file) in [
        ("t.csv", "id;t\n1;one\n2;\"two\nlines\"\n"),
        ("t.csv", "\u{feff}id,t\n1,Ä\n"),
        (
            "t.jsonl",
            "{\"id\": 1, \"t\": \"one\"}\n\n{\"id\": 2}\n{cut",
        ),
        ("t.json", "{\"rows\": 1}\n"),
        (
            "t.json",
            "[{\"id\": 1, \"t\": \"one\"}, 5, {\"id\": \"2\", \"t\": \"Ä\"}]",
        ),
    ] {
        let config = if file.contains("rows") { "rows" } else { "t" };
        let config = json!({"content": config}).to_string();
        assert_single_bytes_suffice::<Rows>(name, file.as_bytes(), &config);
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), name in "t\\.(csv|tsv|json|jsonl|zip|gz|dat)") {
        let _ = run(&name, bytes, &json!({"content": "a", "label": "b", "where": "c != 'x'"}));
    }

    #[test]
    fn no_table_makes_it_panic(text in "[a,;\"\n\r\t{}\\[\\]:1 ]{0,80}", format in "auto|csv|json|jsonl|tsv") {
        let ran = run("t.dat", text, &json!({"content": "a", "format": format}));
        prop_assert!(ran.result.is_err() || !ran.outputs.is_empty() || !ran.skipped.is_empty());
    }

    #[test]
    fn each_row_of_csv_is_made_or_reported(rows in prop::collection::vec(("[a-z]{0,3}", "[a-z,\"\n;]{0,8}"), 1..20)) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let lines: String = rows.iter().map(|(id, text)| format!("{},{}\n", quoted(id), quoted(text))).collect();
        let ran = run("t.csv", format!("id,text\n{lines}"), &json!({"content": "text", "label": "id", "where": "id != 'x'"}));
        let total = ran.outputs.len() + ran.skipped.len();
        // A file whose rows are all bad is an error, after each was reported.
        prop_assert_eq!(total, rows.len());
    }
}
