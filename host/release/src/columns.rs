//! The columns of tables: those of every artifact, then the members of answers in JSON by name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::ReleaseError;
use super::rows::{Row, Rows};
use synix_core::artifact::Content;
use synix_core::json::MAX_SAFE_INTEGER;
use synix_search::MAX_MEMBERS;

/// The columns of every artifact.
pub(super) const FIXED: [&str; 5] = ["layer", "label", "kind", "content", "metadata"];

/// The prefix of the columns of members that would be called like another column.
const PREFIX: &str = "data.";

/// What all values of a member are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberType {
    /// Nothing but null.
    Null,
    Bool,
    /// Whole numbers of 64 bits.
    Int,
    /// Numbers that doubles represent.
    Float,
    Text,
    /// Lists, objects, larger numbers, or values of several types: their JSON texts.
    Json,
}

impl MemberType {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Bool,
            Value::Number(number) if number.is_i64() => Self::Int,
            Value::Number(number) if number.is_f64() => Self::Float,
            Value::String(_) => Self::Text,
            Value::Number(_) | Value::Array(_) | Value::Object(_) => Self::Json,
        }
    }

    const fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Null, one) | (one, Self::Null) => one,
            (Self::Bool, Self::Bool) => Self::Bool,
            (Self::Int, Self::Int) => Self::Int,
            (Self::Int | Self::Float, Self::Int | Self::Float) => Self::Float,
            (Self::Text, Self::Text) => Self::Text,
            _ => Self::Json,
        }
    }
}

/// The members of answers in JSON, with what their values are.
#[derive(Debug, Default)]
pub(super) struct Members(BTreeMap<String, Member>);

#[derive(Debug)]
struct Member {
    found: MemberType,
    /// Whether a double represents each whole number.
    is_double: bool,
}

impl Members {
    /// Reads all answers in JSON, because the columns come before the first row.
    pub(super) fn of(rows: &Rows<'_>) -> Result<Self, ReleaseError> {
        let mut members = Self::default();
        rows.for_each_answer(|row| members.add(row))?;
        Ok(members)
    }

    fn add(&mut self, row: &Row) -> Result<(), ReleaseError> {
        for (name, value) in row.data.iter().flatten() {
            let found = MemberType::of(value);
            let is_double = value
                .as_i64()
                .is_none_or(|number| number.unsigned_abs() <= MAX_SAFE_INTEGER);
            if let Some(member) = self.0.get_mut(name) {
                member.found = member.found.with(found);
                member.is_double &= is_double;
            } else if self.0.len() < MAX_MEMBERS {
                self.0.insert(name.clone(), Member { found, is_double });
            } else {
                return Err(ReleaseError::TooManyMembers { max: MAX_MEMBERS });
            }
        }
        Ok(())
    }

    /// Returns the name and type of each member, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, MemberType)> {
        self.0.iter().map(|(name, member)| {
            // Some of the numbers would be rounded.
            let found = if member.found == MemberType::Float && !member.is_double {
                MemberType::Json
            } else {
                member.found
            };
            (name.as_str(), found)
        })
    }
}

/// Returns the column of a member. Other programs may not distinguish case, so `Label` is `data.Label`, as `label` is
/// `data.label`. A member that begins with the prefix gets another one, so no two members have one column.
pub(super) fn heading(member: &str) -> String {
    let has_prefix = member
        .get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    if has_prefix || FIXED.iter().any(|fixed| fixed.eq_ignore_ascii_case(member)) {
        format!("{PREFIX}{member}")
    } else {
        member.to_owned()
    }
}

/// Returns the column `content`: a text, bytes in base64, or nothing if the members are columns.
pub(super) fn content(row: &Row) -> Option<Cow<'_, str>> {
    match &row.content {
        Content::Text(_) if row.data.is_some() => None,
        Content::Text(text) => Some(Cow::Borrowed(text)),
        Content::Bytes { data, .. } => Some(Cow::Owned(STANDARD.encode(data))),
    }
}

/// Returns the column `metadata`: a JSON object.
pub(super) fn metadata(row: &Row) -> String {
    serde_json::to_string(&row.metadata).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_called_like_a_column_has_a_heading_of_its_own() {
        assert_eq!(heading("label"), "data.label");
        assert_eq!(heading("Label"), "data.Label");
        assert_eq!(heading("data.label"), "data.data.label");
        assert_eq!(heading("product"), "product");
        assert_eq!(heading("dátum"), "dátum");
    }

    #[test]
    fn a_member_has_the_type_that_represents_all_of_its_values() {
        let of = |values: &[Value]| {
            let types = values.iter().map(MemberType::of);
            types.fold(MemberType::Null, MemberType::with)
        };
        for (values, expected) in [
            (vec![json!(null)], MemberType::Null),
            (vec![json!(true), json!(null)], MemberType::Bool),
            (vec![json!(1), json!(-2)], MemberType::Int),
            (vec![json!(1), json!(0.5)], MemberType::Float),
            (vec![json!("a"), json!(1)], MemberType::Json),
            (vec![json!(["a"])], MemberType::Json),
            (
                vec![json!(18_446_744_073_709_551_615_u64)],
                MemberType::Json,
            ),
        ] {
            assert_eq!(of(&values), expected, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn no_two_members_have_one_heading(
            one in "(data\\.|DATA\\.)?(label|Label|x|content){0,2}",
            other in "(data\\.|DATA\\.)?(label|Label|x|content){0,2}",
        ) {
            prop_assume!(one != other);
            prop_assert_ne!(heading(&one), heading(&other));
        }
    }
}
