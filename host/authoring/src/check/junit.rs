//! Reports in the form that CI systems read: JUnit's XML.

use super::report::{Outcome, Report};

/// One test of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase<'a> {
    /// What was tested.
    pub name: &'a str,
    /// What came of it.
    pub outcome: TestOutcome<'a>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestOutcome<'a> {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed {
        /// What is wrong, in short.
        message: &'a str,
        /// All that helps to find out why.
        details: String,
    },
    /// It was not tested.
    Skipped {
        /// Why not.
        message: &'a str,
    },
}

/// Returns the report as a JUnit document.
pub fn junit(report: &Report) -> String {
    let cases = report.points.iter().map(|one| TestCase {
        name: one.point.name(),
        outcome: match one.outcome {
            Outcome::Pass => TestOutcome::Passed,
            Outcome::Fail => TestOutcome::Failed {
                message: &one.detail,
                details: one.promise.to_owned(),
            },
            Outcome::Skip => TestOutcome::Skipped {
                message: &one.detail,
            },
        },
    });
    junit_of(&report.plugin, &cases.collect::<Vec<_>>())
}

/// Returns tests as a JUnit document.
pub fn junit_of(suite: &str, cases: &[TestCase<'_>]) -> String {
    let suite = escape(suite);
    let count =
        |is: fn(&TestOutcome<'_>) -> bool| cases.iter().filter(|case| is(&case.outcome)).count();
    let mut lines = vec![
        r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
        format!(
            r#"<testsuite name="{suite}" tests="{}" failures="{}" errors="0" skipped="{}">"#,
            cases.len(),
            count(|outcome| matches!(outcome, TestOutcome::Failed { .. })),
            count(|outcome| matches!(outcome, TestOutcome::Skipped { .. })),
        ),
    ];
    for case in cases {
        let opened = format!(
            r#"  <testcase classname="{suite}" name="{}""#,
            escape(case.name)
        );
        lines.push(match &case.outcome {
            TestOutcome::Passed => format!("{opened}/>"),
            TestOutcome::Failed { message, details } => format!(
                r#"{opened}><failure message="{}">{}</failure></testcase>"#,
                escape(message),
                escape(details)
            ),
            TestOutcome::Skipped { message } => format!(
                r#"{opened}><skipped message="{}"/></testcase>"#,
                escape(message)
            ),
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
