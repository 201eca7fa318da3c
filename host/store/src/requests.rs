//! Requests under their keys (tables `request`, `request_body`).

use rusqlite::params;

use super::{Reader, StoreError, Transaction};
use synix_core::digest::Digest;
use synix_core::request::{Request, RequestKey};

/// The number of a request in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub i64);

impl Transaction<'_> {
    /// Adds `request`, unless it is known, and returns its number.
    pub fn add_request(&self, key: RequestKey, request: &Request) -> Result<RequestId, StoreError> {
        // Nearly every request is new. Looking for it first would take as long as adding it.
        let added = self.change(
            "INSERT INTO request (key, provider, model) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![key.0.as_bytes(), request.provider, request.model],
        )?;
        let id = if added > 0 {
            self.connection.last_insert_rowid()
        } else {
            let (id, has_text) = self.known_request(key)?;
            if has_text {
                return Ok(id);
            }
            id.0
        };
        let document = serde_json::to_string(request).unwrap_or_default();
        self.execute(
            "INSERT INTO request_body (request, document) VALUES (?1, ?2)",
            params![id, document],
        )?;
        Ok(RequestId(id))
    }
}

impl Reader {
    /// Returns the number of the known request under `key`, and whether its text exists: `gc` deletes old texts.
    fn known_request(&self, key: RequestKey) -> Result<(RequestId, bool), StoreError> {
        self.query_row(
            "SELECT id, EXISTS (SELECT 1 FROM request_body WHERE request = id)
             FROM request WHERE key = ?1",
            [key.0.as_bytes()],
            |row| Ok((RequestId(row.get(0)?), row.get(1)?)),
        )
    }

    /// Returns the number of the request under `key`, if it is known.
    pub fn request_id(&self, key: RequestKey) -> Result<Option<RequestId>, StoreError> {
        self.query_optional(
            "SELECT id FROM request WHERE key = ?1",
            [key.0.as_bytes()],
            |row| row.get(0),
        )
        .map(|id| id.map(RequestId))
    }

    /// Returns the request.
    pub fn request(&self, id: RequestId) -> Result<Request, StoreError> {
        let (document, key): (String, [u8; 32]) = self.query_row(
            "SELECT document, key FROM request_body JOIN request ON id = request WHERE id = ?1",
            [id.0],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let request: Request =
            serde_json::from_str(&document).map_err(|error| StoreError::Unusable {
                what: "request",
                detail: error.to_string(),
            })?;
        let key = Digest::from_bytes(key);
        if request.key().ok().map(|found| found.0) != Some(key) {
            return Err(StoreError::Changed {
                what: format!("the request {}", key.short()),
            });
        }
        Ok(request)
    }
}
