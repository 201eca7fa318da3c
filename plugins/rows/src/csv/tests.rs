use proptest::prelude::*;

use super::*;

fn records(text: &[u8], delimiter: u8) -> Vec<(u64, Vec<String>)> {
    let reader = std::io::BufReader::with_capacity(3, text);
    let mut records = Records::new(reader, delimiter);
    let mut found = Vec::new();
    loop {
        match records.next().unwrap() {
            Next::Record(fields, line) => {
                let fields = fields
                    .iter()
                    .map(|field| String::from_utf8_lossy(field).into_owned());
                found.push((line, fields.collect()));
            }
            Next::Bad(why, line) => found.push((line, vec![format!("BAD {why}")])),
            Next::End => return found,
        }
    }
}

fn rows(expected: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
    let row =
        |&(line, fields): &(u64, &[&str])| (line, fields.iter().map(ToString::to_string).collect());
    expected.iter().map(row).collect()
}

#[test]
fn records_are_split_as_rfc_4180_says() {
    for (text, expected) in [
        ("", rows(&[])),
        ("a,b\n1,2", rows(&[(1, &["a", "b"]), (2, &["1", "2"])])),
        ("a,b\r\n1,\r\n", rows(&[(1, &["a", "b"]), (2, &["1", ""])])),
        (
            "\"a,\"\"x\"\"\",\"b\nc\r\nd\"\ne,f\n",
            rows(&[(1, &["a,\"x\"", "b\nc\r\nd"]), (4, &["e", "f"])]),
        ),
        ("a\n\nb\n", rows(&[(1, &["a"]), (2, &[""]), (3, &["b"])])),
        ("5\" pipe,\"x\"y\n", rows(&[(1, &["5\" pipe", "xy"])])),
        ("\"a\r\"\r\n\"\"", rows(&[(1, &["a\r"]), (2, &[""])])),
    ] {
        assert_eq!(records(text.as_bytes(), b','), expected, "{text:?}");
    }
    assert_eq!(records(b"a;b,c\n", b';'), rows(&[(1, &["a", "b,c"])]));
}

#[test]
fn a_quote_that_is_not_closed_loses_its_line_alone() {
    let text = b"a,b\n1,\"x\n2,y\n3,z\n";
    let expected = rows(&[
        (1, &["a", "b"]),
        (2, &["BAD a quote is not closed"]),
        (3, &["2", "y"]),
        (4, &["3", "z"]),
    ]);
    assert_eq!(records(text, b','), expected);
}

/// Taking back costs time, so a file may do it only so often.
#[test]
fn too_many_open_quotes_end_the_file() {
    let mut records = Records::new(&b"\"a\nb\n"[..], b',');
    records.retried = MAX_RETRIED_BYTES;
    let Next::Bad(why, 1) = records.next().unwrap() else {
        panic!("a record");
    };
    assert!(why.starts_with("too many quotes are not closed"), "{why}");
    assert!(matches!(records.next().unwrap(), Next::End));
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let mut text = b"a\n".to_vec();
    text.resize(3 * MAX_RECORD_BYTES, b'x');
    text.extend(b"\nb\n");
    let mut records = Records::new(&text[..], b',');
    let mut lines = Vec::new();
    loop {
        match records.next().unwrap() {
            Next::Record(fields, line) => lines.push((line, fields.len())),
            Next::Bad(why, line) => {
                assert_eq!(why, "the line is too long");
                lines.push((line, 0));
            }
            Next::End => break,
        }
    }
    assert_eq!(lines, [(1, 1), (2, 0), (3, 1)]);
}

proptest! {
    #[test]
    fn what_is_quoted_comes_back(rows in prop::collection::vec(prop::collection::vec("[a,;\"\r\n é]{0,6}", 2..4), 1..5)) {
        let line = |row: &Vec<String>| {
            let quoted: Vec<String> = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            quoted.join(",") + "\r\n"
        };
        let text: String = rows.iter().map(line).collect();
        let found: Vec<_> = records(text.as_bytes(), b',').into_iter().map(|(_, row)| row).collect();
        prop_assert_eq!(found, rows);
    }

    #[test]
    fn no_bytes_make_it_panic_or_lose_a_line(text in "[a,\"\r\n]{0,60}") {
        let found = records(text.as_bytes(), b',');
        let lines = text.split_inclusive('\n').count() as u64;
        prop_assert!(found.iter().all(|(line, _)| *line <= lines));
        prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
