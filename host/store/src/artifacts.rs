//! Artifacts and their contents (tables `artifact`, `artifact_body`).

use rusqlite::params;

use super::objects::MAX_INLINE_BYTES;
use super::recovery::seal::{self, ArtifactRow};
use super::units::UnitId;
use super::{Reader, StoreError, Transaction};
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::digest::Digest;
use synix_core::ids::{Kind, Label};

/// The number of an artifact in this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactId(pub i64);

/// An artifact without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredArtifact {
    /// The number of the artifact.
    pub id: ArtifactId,
    /// The unit that made it.
    pub unit: UnitId,
    /// The label.
    pub label: Label,
    /// The kind.
    pub kind: Kind,
    /// The digest of label, kind, content and metadata.
    pub digest: Digest,
}

pub(super) type Columns = (i64, i64, u64, String, String, [u8; 32], Option<i64>);

pub(super) fn artifact_row(
    (id, unit, position, label, kind, digest, seal): Columns,
) -> Result<StoredArtifact, StoreError> {
    let row = ArtifactRow {
        unit,
        position,
        label: &label,
        kind: &kind,
        digest: &Digest::from_bytes(digest),
    };
    seal::check_artifact(seal, &row, || format!("artifact {id}"))?;
    let text = |error: synix_core::ids::InvalidName| StoreError::Unusable {
        what: "artifact",
        detail: error.to_string(),
    };
    Ok(StoredArtifact {
        id: ArtifactId(id),
        unit: UnitId(unit),
        label: Label::from_stored(&label).map_err(text)?,
        kind: Kind::from_stored(&kind).map_err(text)?,
        digest: Digest::from_bytes(digest),
    })
}

impl Transaction<'_> {
    /// Adds an output of `unit`. `digest` is the digest of the artifact.
    pub fn add_artifact(
        &self,
        unit: UnitId,
        position: usize,
        artifact: &Artifact,
        digest: Digest,
    ) -> Result<ArtifactId, StoreError> {
        let bytes = artifact.content.as_bytes();
        let object = if bytes.len() > MAX_INLINE_BYTES {
            Some(self.put_object(bytes)?)
        } else {
            None
        };
        let metadata = serde_json::to_string(&artifact.metadata).unwrap_or_default();
        let (label, kind) = (artifact.label.as_str(), artifact.kind.as_str());
        let seal = seal::of_artifact(&ArtifactRow {
            unit: unit.0,
            position: position as u64,
            label,
            kind,
            digest: &digest,
        });
        let body_seal = seal::of_body(&digest, artifact.content.media_type(), &metadata);
        let id = self.insert(
            "INSERT INTO artifact (unit, position, label, kind, digest, size, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                unit.0,
                position,
                label,
                kind,
                digest.as_bytes(),
                bytes.len(),
                seal
            ],
        )?;
        let inline = if object.is_some() { None } else { Some(bytes) };
        self.execute(
            "INSERT INTO artifact_body (artifact, media_type, metadata, content, object, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                id,
                artifact.content.media_type(),
                metadata,
                inline,
                object.as_ref().map(Digest::as_bytes),
                body_seal
            ],
        )?;
        Ok(ArtifactId(id))
    }
}

impl Reader {
    /// Returns the artifact with its content.
    pub fn artifact(&self, id: ArtifactId) -> Result<Artifact, StoreError> {
        type Row = (
            String,
            String,
            Option<String>,
            String,
            Option<Vec<u8>>,
            Option<[u8; 32]>,
            u64,
            [u8; 32],
        );
        let row: Option<Row> = self.query_optional(
            "SELECT label, kind, media_type, metadata, content, object, size, digest
                 FROM artifact JOIN artifact_body ON artifact = id WHERE id = ?1",
            [id.0],
            |row| Row::try_from(row),
        )?;
        let unusable = |detail: String| StoreError::Unusable {
            what: "artifact",
            detail,
        };
        let Some((label, kind, media_type, metadata, content, object, size, digest)) = row else {
            return Err(unusable(format!("there is no artifact {}", id.0)));
        };
        let bytes = match (content, object) {
            (Some(bytes), _) => bytes,
            (None, Some(object)) => self.object(Digest::from_bytes(object), size)?,
            (None, None) => return Err(unusable(format!("artifact {} has no content", id.0))),
        };
        let content = match media_type {
            None => Content::Text(
                String::from_utf8(bytes).map_err(|error| unusable(error.to_string()))?,
            ),
            Some(media_type) => Content::Bytes {
                media_type,
                data: bytes,
            },
        };
        let artifact = Artifact {
            label: Label::from_stored(&label).map_err(|error| unusable(error.to_string()))?,
            kind: Kind::from_stored(&kind).map_err(|error| unusable(error.to_string()))?,
            content,
            metadata: serde_json::from_str(&metadata)
                .map_err(|error| unusable(error.to_string()))?,
        };
        // If the digest cannot be computed, the artifact was changed, too.
        if artifact.digest().ok() != Some(Digest::from_bytes(digest)) {
            return Err(StoreError::Changed {
                what: format!("the artifact {label}"),
            });
        }
        Ok(artifact)
    }

    /// Returns the kind and the metadata of an artifact.
    pub fn artifact_header(&self, id: ArtifactId) -> Result<(Kind, Metadata), StoreError> {
        type Header = (
            i64,
            u64,
            String,
            String,
            Option<String>,
            String,
            [u8; 32],
            Option<i64>,
            Option<i64>,
        );
        let statement = format!(
            "SELECT unit, position, label, kind, media_type, metadata, digest, {}, {}
             FROM artifact JOIN artifact_body ON artifact = id WHERE id = ?1",
            self.seal_column("artifact"),
            self.seal_column("artifact_body")
        );
        let (unit, position, label, kind, media_type, metadata, digest, seal, body_seal): Header =
            self.query_row(&statement, [id.0], |row| Header::try_from(row))?;
        let digest = Digest::from_bytes(digest);
        let what = || format!("the artifact {label}");
        let row = ArtifactRow {
            unit,
            position,
            label: &label,
            kind: &kind,
            digest: &digest,
        };
        seal::check_artifact(seal, &row, what)?;
        let body = seal::of_body(&digest, media_type.as_deref(), &metadata);
        seal::check(body_seal, body, what)?;
        let unusable = |detail: String| StoreError::Unusable {
            what: "artifact",
            detail,
        };
        Ok((
            Kind::from_stored(&kind).map_err(|error| unusable(error.to_string()))?,
            serde_json::from_str(&metadata).map_err(|error| unusable(error.to_string()))?,
        ))
    }

    /// Returns the size of an artifact's content in bytes.
    pub fn artifact_size(&self, id: ArtifactId) -> Result<u64, StoreError> {
        self.query_row("SELECT size FROM artifact WHERE id = ?1", [id.0], |row| {
            row.get(0)
        })
    }

    /// Returns the row of an artifact.
    pub(crate) fn stored_artifact(&self, id: ArtifactId) -> Result<StoredArtifact, StoreError> {
        self.find_artifact(id)?
            .ok_or_else(|| self.failed(rusqlite::Error::QueryReturnedNoRows))
    }

    /// Returns the outputs of `unit` in order.
    pub fn outputs(&self, unit: UnitId) -> Result<Vec<StoredArtifact>, StoreError> {
        self.artifacts_where("artifact WHERE unit = ?1 ORDER BY position", unit.0)
    }

    /// Returns the inputs of `unit` in order.
    pub fn inputs(&self, unit: UnitId) -> Result<Vec<StoredArtifact>, StoreError> {
        self.artifacts_where(
            "unit_input i JOIN artifact ON artifact.id = i.artifact WHERE i.unit = ?1 ORDER BY i.position",
            unit.0,
        )
    }

    /// Returns whether `unit` has an artifact as an input.
    pub fn has_inputs(&self, unit: UnitId) -> Result<bool, StoreError> {
        self.query_row(
            "SELECT EXISTS (SELECT 1 FROM unit_input WHERE unit = ?1)",
            [unit.0],
            |row| row.get(0),
        )
    }

    /// Returns the row of an artifact, or `None` if there is none.
    pub fn find_artifact(&self, id: ArtifactId) -> Result<Option<StoredArtifact>, StoreError> {
        let found = self.artifacts_where("artifact WHERE id = ?1", id.0)?;
        Ok(found.into_iter().next())
    }

    /// Returns the first `max` inputs of `unit`, in order.
    pub fn first_inputs(
        &self,
        unit: UnitId,
        max: usize,
    ) -> Result<Vec<StoredArtifact>, StoreError> {
        let rest = format!(
            "unit_input i JOIN artifact ON artifact.id = i.artifact WHERE i.unit = ?1 ORDER BY i.position LIMIT {max}"
        );
        self.artifacts_where(&rest, unit.0)
    }

    fn artifacts_where(&self, rest: &str, number: i64) -> Result<Vec<StoredArtifact>, StoreError> {
        let statement = format!(
            "SELECT artifact.id, artifact.unit, artifact.position, artifact.label, artifact.kind,
             artifact.digest, {}
             FROM {rest}",
            self.seal_column("artifact")
        );
        let rows: Vec<Columns> = self.query(&statement, [number], |row| Columns::try_from(row))?;
        rows.into_iter().map(artifact_row).collect()
    }
}
