//! Divides what is too large for one question.
//!
//! [`tokens`] estimates sizes, [`boundaries`] chooses where a list is cut, [`text`] cuts one text, and `tree` asks about
//! parts, then about the answers, until one question can take what is left.

#![warn(missing_docs)]

pub mod boundaries;
pub mod text;
pub mod tokens;
#[cfg(feature = "tree")]
pub mod tree;
