//! Maps the lines of a bundle to those of the author's files, from the bundler's source map.
//!
//! The interpreter reports lines of the bundle, which the author does not have. The bundle contains a table, from which
//! the SDK translates a stack trace to the author's files and lines.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

/// The global variable with the table; `plugins/sdk-js/component.js` reads it.
const NAME: &str = "__synixPlaces";
/// The name of the bundle in a stack trace.
const BUNDLE: &str = "bundle.js:";

/// A line of the author's: the index of its file, and its number from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SourceLine {
    file: usize,
    line: i64,
}

/// The author's lines for the lines of a bundle.
#[derive(Debug, Default)]
pub(super) struct LineTable {
    files: Vec<String>,
    /// For each line of the bundle, the author's lines with the columns at which they begin.
    lines: Vec<Vec<(i64, SourceLine)>>,
}

#[derive(Deserialize)]
struct SourceMap {
    sources: Vec<String>,
    mappings: String,
}

impl LineTable {
    /// Reads the source map of a bundle in `bundle_folder`. Paths of files in `folder` are relative to it.
    ///
    /// An invalid source map gives an empty table; stack traces then name lines of the bundle.
    pub(super) fn read(map: &[u8], bundle_folder: &Path, folder: &Path) -> Self {
        let Ok(map) = serde_json::from_slice::<SourceMap>(map) else {
            return Self::default();
        };
        let lines = lines_of(&map.mappings).unwrap_or_default();
        let named = |source: &String| {
            let path = normalize(&bundle_folder.join(source));
            let below = path.strip_prefix(folder).map(Path::to_owned);
            // An absolute path of this machine is useless elsewhere.
            let name = below.ok().or_else(|| path.file_name().map(PathBuf::from));
            name.unwrap_or_default()
                .display()
                .to_string()
                .replace('\\', "/")
        };
        Self {
            files: map.sources.iter().map(named).collect(),
            lines,
        }
    }

    /// Inserts the table before the bundle, as a separate line.
    pub(super) fn prepend_to(&self, bundle: &str) -> String {
        let mut table = String::new();
        for line in &self.lines {
            for (number, (column, position)) in line.iter().enumerate() {
                let space = if number > 0 { " " } else { "" };
                let _ = write!(table, "{space}{column}.{}.{}", position.file, position.line);
            }
            table.push(';');
        }
        let value = serde_json::json!({ "files": self.files, "lines": table });
        format!("globalThis.{NAME} = {value};\n{bundle}")
    }

    /// Translates the lines in a tool's output about the bundle with its table.
    pub(super) fn translate(&self, output: &str) -> String {
        let mut text = String::new();
        let mut rest = output;
        while let Some(at) = rest.find(BUNDLE) {
            let (before, position) = rest.split_at(at);
            let position = &position[BUNDLE.len()..];
            let end = position
                .find(|one: char| !one.is_ascii_digit() && one != ':')
                .unwrap_or(position.len());
            let (numbers, after) = position.split_at(end);
            match self.find(numbers) {
                Some(found) => {
                    text.push_str(before.strip_suffix('/').unwrap_or(before));
                    text.push_str(&found);
                }
                None => {
                    text.push_str(before);
                    text.push_str(BUNDLE);
                    text.push_str(numbers);
                }
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }

    /// Finds the author's line for a line and a column of the bundle, such as `12:5`.
    fn find(&self, numbers: &str) -> Option<String> {
        let (line, column) = numbers.split_once(':').unwrap_or((numbers, "1"));
        // The table is the first line.
        let line: usize = line.parse::<usize>().ok()?.checked_sub(2)?;
        let column = column.trim_end_matches(':').parse::<i64>().ok()? - 1;
        let segments = self.lines.get(line)?;
        let found = segments.iter().rev().find(|(start, _)| *start <= column);
        let (_, position) = found.or(segments.first())?;
        Some(format!(
            "{}:{}",
            self.files.get(position.file)?,
            position.line
        ))
    }
}

/// Removes `.` and `..` from a path.
fn normalize(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                normalized.pop();
            }
            Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                normalized.push(part);
            }
        }
    }
    normalized
}

/// Parses the mappings of a source map: `;` separates lines, `,` separates segments, and numbers are base-64 deltas.
fn lines_of(mappings: &str) -> Option<Vec<Vec<(i64, SourceLine)>>> {
    let (mut file, mut line) = (0_i64, 0_i64);
    let mut lines = Vec::new();
    for written in mappings.split(';') {
        let mut column = 0_i64;
        let mut segments: Vec<(i64, SourceLine)> = Vec::new();
        for segment in written.split(',').filter(|segment| !segment.is_empty()) {
            let numbers = numbers_of(segment)?;
            column = column.checked_add(*numbers.first()?)?;
            let [_, file_by, line_by, _, ..] = numbers[..] else {
                continue;
            };
            file = file.checked_add(file_by)?;
            line = line.checked_add(line_by)?;
            let position = SourceLine {
                file: usize::try_from(file).ok()?,
                line: line.checked_add(1)?,
            };
            // The table has only lines.
            if segments.last().is_none_or(|(_, last)| *last != position) {
                segments.push((column, position));
            }
        }
        lines.push(segments);
    }
    Some(lines)
}

fn numbers_of(segment: &str) -> Option<Vec<i64>> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut numbers = Vec::with_capacity(5);
    let (mut value, mut shift) = (0_i64, 0_u32);
    for one in segment.chars() {
        let digit = i64::try_from(DIGITS.find(one)?).ok()?;
        value |= (digit & 31).checked_shl(shift)?;
        if digit & 32 != 0 {
            shift += 5;
            if shift > 40 {
                return None;
            }
            continue;
        }
        let half = value >> 1;
        numbers.push(if value & 1 == 1 { -half } else { half });
        (value, shift) = (0, 0);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line 2 of the bundle is line 3 of `component.js`, line 3 is lines 1 and 2 of `plugin.js`.
    const MAP: &str = r#"{"version": 3, "sources": ["p/sdk/component.js", "p/plugin.js", "../x/y.js"],
        "mappings": ";AAEA,YAAY;ACFZ,IAAI;AACJ"}"#;

    fn table() -> LineTable {
        LineTable::read(MAP.as_bytes(), Path::new("/tmp/s/.."), Path::new("/tmp/p"))
    }

    #[test]
    fn a_line_of_the_bundle_is_translated_to_the_authors_line() {
        let table = table();
        assert_eq!(table.files, ["sdk/component.js", "plugin.js", "y.js"]);
        for (output, translated) in [
            ("at f (/bundle.js:4:1)", "at f (plugin.js:1)"),
            (
                "at f (/bundle.js:5:9)\nat g (/bundle.js:3:1)",
                "at f (plugin.js:2)\nat g (sdk/component.js:3)",
            ),
            (
                "at /bundle.js:1:1 and /bundle.js:99:1",
                "at /bundle.js:1:1 and /bundle.js:99:1",
            ),
            ("bundle.js:4", "plugin.js:1"),
            ("bundle.js:x", "bundle.js:x"),
        ] {
            assert_eq!(table.translate(output), translated);
        }
    }

    #[test]
    fn the_table_is_one_line_before_the_bundle() {
        let bundle = table().prepend_to("first\n");
        let (table, rest) = bundle.split_once('\n').unwrap();
        assert_eq!(rest, "first\n");
        assert!(
            table.ends_with(r#""lines":";0.0.3;0.1.1;0.1.2;"};"#),
            "{table}"
        );
    }

    #[test]
    fn an_invalid_source_map_translates_nothing() {
        for map in [
            "",
            "{}",
            r#"{"sources": ["a"], "mappings": "!"}"#,
            r#"{"sources": ["a"], "mappings": "gggggggggggggggA"}"#,
        ] {
            let table = LineTable::read(map.as_bytes(), Path::new("/"), Path::new("/"));
            assert_eq!(table.translate("/bundle.js:2:1"), "/bundle.js:2:1", "{map}");
        }
    }
}
