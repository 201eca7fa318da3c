//! Formats tables: aligned columns, or a block for each row if the terminal is too narrow.

use synix_core::printable;
use unicode_width::UnicodeWidthStr as _;

/// The space between two columns.
const GAP: &str = "  ";
/// The minimum width of a shortened column of text.
const MIN_TEXT_WIDTH: usize = 12;
/// The minimum width of a table, even if the terminal is narrower.
const MIN_TABLE_WIDTH: usize = 60;

/// A column of a table, with its heading.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// A column of text.
    Left(&'static str),
    /// A column of numbers.
    Right(&'static str),
}

impl Column {
    const fn heading(self) -> &'static str {
        match self {
            Self::Left(heading) | Self::Right(heading) => heading,
        }
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Left(_))
    }
}

/// A formatted table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) lines: Vec<String>,
    /// Whether the first line contains the headings.
    pub(crate) has_headings: bool,
}

/// Formats rows. With a width, the lines fit it or 60 columns, whichever is more.
pub(crate) fn format_table(
    columns: &[Column],
    rows: &[Vec<String>],
    width: Option<usize>,
) -> Table {
    let headings: Vec<String> = columns
        .iter()
        .map(|column| column.heading().to_owned())
        .collect();
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| printable::escape_line(cell))
                .collect()
        })
        .collect();
    let mut widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            let cells = std::iter::once(&headings).chain(&rows);
            cells
                .filter_map(|row| row.get(at))
                .map(|cell| cell.width())
                .max()
                .unwrap_or(0)
        })
        .collect();
    if let Some(width) = width
        && !shrink(columns, &headings, &mut widths, width.max(MIN_TABLE_WIDTH))
    {
        return Table {
            lines: blocks(&headings, &rows, width.max(MIN_TABLE_WIDTH)),
            has_headings: false,
        };
    }
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = columns
            .iter()
            .zip(row)
            .zip(&widths)
            .map(|((column, cell), width)| {
                let cell = shorten(cell, *width);
                match column {
                    Column::Left(_) => pad(&cell, *width),
                    Column::Right(_) => {
                        let blanks = " ".repeat(width.saturating_sub(cell.width()));
                        format!("{blanks}{cell}")
                    }
                }
            })
            .collect();
        cells.join(GAP).trim_end().to_owned()
    };
    Table {
        lines: std::iter::once(&headings).chain(&rows).map(line).collect(),
        has_headings: true,
    }
}

/// Pads a text with spaces to this number of columns.
pub(crate) fn pad(word: &str, width: usize) -> String {
    format!("{word}{}", " ".repeat(width.saturating_sub(word.width())))
}

/// Narrows the widest columns of text until the table fits, and returns whether it does.
fn shrink(columns: &[Column], headings: &[String], widths: &mut [usize], max: usize) -> bool {
    loop {
        let all: usize = widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1);
        if all <= max {
            return true;
        }
        let min_width = |at: usize| headings[at].width().max(MIN_TEXT_WIDTH);
        let widest = (0..widths.len())
            .filter(|at| columns[*at].is_text() && widths[*at] > min_width(*at))
            .max_by_key(|at| widths[*at]);
        let Some(widest) = widest else { return false };
        widths[widest] -= 1;
    }
}

/// Shortens a cell that is wider than its column.
fn shorten(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    // Characters can combine, such as those of an emoji. So this measures the whole text, not single characters.
    let mut fitting = "";
    for (at, one) in cell.char_indices() {
        let longer = &cell[..at + one.len_utf8()];
        if longer.width() + 1 > width {
            break;
        }
        fitting = longer;
    }
    format!("{fitting}…")
}

/// Formats each row as a block: its first cell, then the other cells with their headings.
fn blocks(headings: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for row in rows {
        let mut cells = row.iter().zip(headings);
        if let Some((first, _)) = cells.next() {
            lines.push(shorten(first, width));
        }
        let mut line = String::new();
        for (cell, heading) in cells.filter(|(cell, _)| !cell.is_empty()) {
            let named = format!("{heading} {cell}");
            if !line.is_empty() && line.width() + 2 + named.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(if line.is_empty() { "  " } else { ", " });
            line.push_str(&shorten(&named, width.saturating_sub(2)));
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format_table(columns: &[Column], rows: &[Vec<String>], width: Option<usize>) -> Vec<String> {
        super::format_table(columns, rows, width).lines
    }

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect()
    }

    #[test]
    fn text_is_left_aligned_and_numbers_are_right_aligned() {
        let columns = [Column::Left("layer"), Column::Right("units")];
        let lines = format_table(&columns, &rows(&[&["bios", "8"], &["ü", "10"]]), None);
        assert_eq!(lines, ["layer  units", "bios       8", "ü         10"]);
    }

    #[test]
    fn a_wide_character_takes_two_columns_and_a_combining_one_none() {
        let columns = [Column::Left("label"), Column::Right("n")];
        let lines = format_table(&columns, &rows(&[&["日本", "1"], &["e\u{301}", "2"]]), None);
        assert_eq!(lines[1], "日本   1");
        assert_eq!(lines[2], "e\u{301}      2");
    }

    #[test]
    fn a_cell_is_shortened_to_its_width_in_columns() {
        for (cell, short_cell) in [
            ("日本語の文書", "日本…"),
            ("abcdefgh", "abcde…"),
            (
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}x",
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}…",
            ),
            ("👩\u{200d}💻👩\u{200d}💻", "👩\u{200d}💻👩\u{200d}💻"),
        ] {
            assert_eq!(shorten(cell, 6), short_cell);
            assert!(shorten(cell, 6).width() <= 6, "{cell}");
        }
        assert_eq!(pad("日本", 6), "日本  ");
    }

    #[test]
    fn a_cell_cannot_break_its_line() {
        let lines = format_table(&[Column::Left("a")], &rows(&[&["x\n::error::y"]]), None);
        assert_eq!(lines, ["a", "x\\n::error::y"]);
    }

    #[test]
    fn every_table_fits_the_terminal() {
        let columns = [
            Column::Left("layer"),
            Column::Left("label"),
            Column::Left("id"),
        ];
        let long = "日本語".repeat(30);
        let lines = format_table(
            &columns,
            &rows(&[&["notes", &long, "0123456789ab"]]),
            Some(40),
        );
        assert!(
            lines.iter().all(|line| line.width() <= MIN_TABLE_WIDTH),
            "{lines:#?}"
        );
        assert!(
            lines[1].contains('…') && lines[1].ends_with("0123456789ab"),
            "{lines:#?}"
        );
    }

    #[test]
    fn a_table_that_is_too_wide_becomes_blocks() {
        let columns: Vec<Column> = ["batch", "provider", "layer", "status", "requests"]
            .into_iter()
            .map(Column::Left)
            .chain([Column::Right("succeeded"), Column::Right("cost")])
            .collect();
        let cells: &[&str] = &[
            "batch_0123456789",
            "openai",
            "notes",
            "in_progress",
            "1000",
            "1",
            "$0.01",
        ];
        let lines = format_table(&columns, &rows(&[cells]), Some(60));
        assert_eq!(
            lines,
            [
                "batch_0123456789",
                "  provider openai, layer notes, status in_progress",
                "  requests 1000, succeeded 1, cost $0.01",
            ]
        );
    }
}
