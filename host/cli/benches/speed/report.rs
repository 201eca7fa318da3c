//! How figures are printed.

use std::time::Duration;

/// Prints a figure, and what stands beside it.
pub(crate) fn row(what: &str, found: &str, beside: &str) {
    println!("{what:<34}{found:>18}   {beside}");
}

/// Words a time.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}
