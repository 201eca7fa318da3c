use proptest::prelude::*;
use serde_json::json;
use synix_plugin::testing::read_each;
use synix_rows::Rows;

use super::{made, run};

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
