//! JSON Lines.

use std::io::{self, Write};

use super::ReleaseError;
use super::rows::Rows;

pub(super) fn write(rows: &Rows<'_>, out: &mut dyn Write) -> Result<u64, ReleaseError> {
    let mut count = 0;
    rows.for_each(|row| {
        let line = serde_json::to_string(&row);
        let line = line.map_err(|error| ReleaseError::Write(io::Error::other(error)))?;
        writeln!(out, "{line}").map_err(ReleaseError::Write)?;
        count += 1;
        Ok(())
    })?;
    Ok(count)
}
