//! A report in the form that CI systems read: JUnit's XML.

use super::report::{Outcome, Report};

/// Returns the report as a JUnit document.
pub fn junit(report: &Report) -> String {
    let suite = escape(&report.plugin);
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(
            r#"<testsuite name="{suite}" tests="{}" failures="{}" errors="0" skipped="{}">"#,
            report.points.len(),
            report.failed,
            report.skipped
        ),
    ];
    for one in &report.points {
        let case = format!(
            r#"  <testcase classname="{suite}" name="{}""#,
            one.point.name()
        );
        let detail = escape(&one.detail);
        lines.push(match one.outcome {
            Outcome::Pass => format!("{case}/>"),
            Outcome::Fail => format!(
                r#"{case}><failure message="{detail}">{}</failure></testcase>"#,
                escape(one.promise)
            ),
            Outcome::Skip => format!(r#"{case}><skipped message="{detail}"/></testcase>"#),
        });
    }
    lines.push("</testsuite>\n".to_owned());
    lines.join("\n")
}

/// Makes a text safe within XML; what XML cannot hold at all becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}');
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::report::{Notes, Point};
    use super::*;

    #[test]
    fn a_guests_words_cannot_break_the_document() {
        let mut notes = Notes::default();
        notes.fail(Point::Outputs, "a \"b\" <c> & \u{0}");
        let text = junit(&notes.finish("x".to_owned(), None, "not tried"));
        assert!(
            text.contains("a &quot;b&quot; &lt;c&gt; &amp; \u{fffd}"),
            "{text}"
        );
        assert!(text.contains(r#"failures="1""#));
    }
}
