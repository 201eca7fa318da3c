//! JSON of any size, one value at a time: the elements of an array wherever it is, values in a row, and JSON Lines.
//!
//! The scanner knows texts and brackets alone, so it is fast and an element that is no JSON loses nothing but itself.
//!
//! ```
//! use synix_reading::json::{Elements, pointer};
//!
//! let file = br#"{"total": 2, "items": [{"id": 1}, {"id": oops}]}"#;
//! let mut elements = Elements::at(&file[..], &pointer("/items").unwrap()).unwrap();
//! assert_eq!(elements.next().unwrap().unwrap().bytes, br#"{"id": 1}"#);
//! assert_eq!(elements.next().unwrap().unwrap().bytes, br#"{"id": oops}"#);
//! assert!(elements.next().unwrap().is_none());
//! ```

mod elements;
mod held;
mod lines;
mod scanner;
mod span;
#[cfg(test)]
mod tests;

pub use elements::{Element, Elements};
pub use lines::{Line, Lines};
pub use scanner::{Fault, MAX_VALUE_BYTES, Scanner};

/// Divides a JSON Pointer (RFC 6901) into its parts; the empty pointer means the whole.
pub fn pointer(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = text.strip_prefix('/') else {
        return Err(format!(
            "the pointer `{text}` does not begin with `/`: write `/{}`",
            text.replace('.', "/")
        ));
    };
    Ok(rest
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect())
}
