//! Errors of commands, for an agent.

use serde_json::json;
use synix_mcp::LibraryError;

use crate::failure;

/// Converts the error of a command, with its causes and the hint.
pub(super) fn library_error(error: &anyhow::Error) -> LibraryError {
    let view = failure::view(error);
    let mut message = view.message.clone();
    for cause in &view.causes {
        message.push_str(&format!("\nbecause: {cause}"));
    }
    if let Some(hint) = &view.hint {
        message.push_str(&format!("\nhelp: {hint}"));
    }
    LibraryError {
        document: json!({ "schema": 1, "error": view }),
        message,
    }
}
