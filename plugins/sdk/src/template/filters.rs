//! The filters of templates besides those of the engine.

#![expect(
    clippy::needless_pass_by_value,
    reason = "the engine passes arguments by value"
)]

use std::borrow::Cow;

use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, Error, ErrorKind};

/// Returns an environment with every filter.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.add_filter("fromjson", fromjson);
    environment.add_filter("truncate", truncate);
    environment.add_filter("wordcount", wordcount);
    environment
}

/// Parses a JSON text, such as an answer with a response format.
fn fromjson(text: Cow<'_, str>) -> Result<Value, Error> {
    serde_json::from_str(&text).map_err(|error| {
        Error::new(
            ErrorKind::InvalidOperation,
            format!("fromjson: the text is not JSON: {error}"),
        )
    })
}

fn wordcount(text: Cow<'_, str>) -> usize {
    text.split_whitespace().count()
}

/// Truncates a text as Jinja does: `truncate(length=255, killwords=false, end="...", leeway=5)`.
fn truncate(text: Cow<'_, str>, by_place: Rest<Value>, by_name: Kwargs) -> Result<String, Error> {
    let given = |place: usize, name: &str| -> Result<Option<Value>, Error> {
        match by_place.get(place) {
            Some(value) => Ok(Some(value.clone())),
            None => by_name.get(name),
        }
    };
    let count = |place, name, default: usize| match given(place, name)? {
        Some(value) => usize::try_from(value),
        None => Ok(default),
    };
    let length = count(0, "length", 255)?;
    let whole_words = !given(1, "killwords")?.is_some_and(|value| value.is_true());
    let end = given(2, "end")?.map_or_else(|| "...".to_owned(), |value| value.to_string());
    let leeway = count(3, "leeway", 5)?;
    by_name.assert_all_used()?;
    if by_place.len() > 4 {
        return Err(Error::from(ErrorKind::TooManyArguments));
    }
    if text.chars().nth(length.saturating_add(leeway)).is_none() {
        return Ok(text.into_owned());
    }
    let kept: String = text
        .chars()
        .take(length.saturating_sub(end.chars().count()))
        .collect();
    let kept = match kept.rfind(' ').filter(|_| whole_words) {
        Some(space) => &kept[..space],
        None => &kept,
    };
    Ok(format!("{kept}{end}"))
}
