//! The state of an attempt in rows.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use super::statement::unknown;

/// The state of an attempt, which is a number in rows.
///
/// Statements that look for attempts in flight contain the number 0: SQLite does not use a partial index for a
/// parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AttemptState {
    InFlight,
    Answered,
    Failed,
    /// The reply was lost, and the send may have been billed.
    Unclear,
}

impl ToSql for AttemptState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = match self {
            Self::InFlight => 0,
            Self::Answered => 1,
            Self::Failed => 2,
            Self::Unclear => 3,
        };
        Ok(ToSqlOutput::from(number))
    }
}

impl FromSql for AttemptState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::InFlight),
            1 => Ok(Self::Answered),
            2 => Ok(Self::Failed),
            3 => Ok(Self::Unclear),
            other => Err(unknown("state of an attempt", &other)),
        }
    }
}
