//! Reports as JUnit XML, which CI systems read.

use super::report::{CheckReport, PointOutcome};

/// One test of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase<'a> {
    /// The name of the test.
    pub name: &'a str,
    /// Its outcome.
    pub outcome: TestOutcome<'a>,
}

/// The outcome of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestOutcome<'a> {
    /// The test passed.
    Passed,
    /// The test failed.
    Failed {
        /// The failure in one line.
        message: &'a str,
        /// More details, such as a diff.
        details: String,
    },
    /// The test was skipped.
    Skipped {
        /// Why it was skipped.
        message: &'a str,
    },
}

/// Writes the report of a check as a JUnit document.
pub fn junit_report(report: &CheckReport) -> String {
    let cases = report.points.iter().map(|one| TestCase {
        name: one.point.name(),
        outcome: match one.outcome {
            PointOutcome::Pass => TestOutcome::Passed,
            PointOutcome::Fail => TestOutcome::Failed {
                message: &one.detail,
                details: one.promise.to_owned(),
            },
            PointOutcome::Skip => TestOutcome::Skipped {
                message: &one.detail,
            },
        },
    });
    junit_document(&report.plugin, &cases.collect::<Vec<_>>())
}

/// Writes the tests of a suite as a JUnit document.
pub fn junit_document(suite: &str, cases: &[TestCase<'_>]) -> String {
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

/// Escapes a text for XML. Characters that XML does not allow become U+FFFD.
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
    use super::super::point::Point;
    use super::super::report::ReportBuilder;
    use super::*;

    #[test]
    fn a_message_of_a_plugin_cannot_break_the_document() {
        let mut report = ReportBuilder::default();
        report.fail(Point::Outputs, "a \"b\" <c> & \u{0}");
        let text = junit_report(&report.build("x".to_owned(), None, "not checked"));
        assert!(
            text.contains("a &quot;b&quot; &lt;c&gt; &amp; \u{fffd}"),
            "{text}"
        );
        assert!(text.contains(r#"failures="1""#));
    }
}
