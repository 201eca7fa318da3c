//! Prints the measured numbers.

use std::time::Duration;

/// Prints a number and a comparison.
pub(crate) fn row(what: &str, found: &str, beside: &str) {
    println!("{what:<34}{found:>18}   {beside}");
}

/// Formats a time.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
