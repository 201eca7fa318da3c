//! Points in time, as exports write them.

pub(crate) use synix_reading::time::Time as Moment;

use crate::json::Json;

/// Reads a number of seconds (or milliseconds), also as a text, or a text in ISO 8601.
pub(crate) fn of(value: &Json<'_>) -> Option<Moment> {
    if let Some(text) = value.as_text() {
        return Moment::parse(text).or_else(|| Moment::from_number(text.trim().parse().ok()?));
    }
    let number = value.as_number()?;
    // Some writers have 0 where there is no time.
    Moment::from_number(number).filter(|_| number > 0.0)
}

/// Returns a number that orders points in time.
pub(crate) fn order(time: Moment) -> f64 {
    time.seconds() as f64
}
