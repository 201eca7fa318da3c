//! The style sheet and the scripts, which are part of the program.

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const SCRIPT: &str = include_str!("script.js");
pub(crate) const SEARCH: &str = include_str!("search.js");
