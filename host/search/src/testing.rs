//! States with artifacts that no pipeline made, for tests and measurements.

use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::clock::Timestamp;
use synix_core::digest::{Digest, Encoder};
use synix_core::ids::{Kind, Label, UnitKey};
use synix_store::{
    AnswerOrigin, ArtifactId, BuildId, BuildKind, NewBuild, NewSnapshotLayer, NewUnit, SnapshotId,
    Store, StoreError, UnitId,
};

/// A layer of a state: each artifact with the artifacts that it was made from.
pub type Layer = (String, Vec<(Artifact, Vec<ArtifactId>)>);

/// Returns an artifact with a text.
///
/// # Panics
///
/// Panics if the label is not one, or the metadata are no object.
pub fn text(label: &str, content: &str, metadata: serde_json::Value) -> Artifact {
    let metadata: Metadata = serde_json::from_value(metadata).expect("an object");
    Artifact {
        label: Label::from_stored(label).expect("a label"),
        kind: Kind::from_stored("note").expect("a kind"),
        content: Content::Text(content.to_owned()),
        metadata,
    }
}

/// Adds a build whose snapshot has exactly these layers. An artifact that is known stays the same.
///
/// # Errors
///
/// Fails if the state cannot be written.
///
/// # Panics
///
/// Panics if an artifact has no digest.
pub fn build(store: &Store, layers: &[Layer], time: u64) -> Result<SnapshotId, StoreError> {
    let build = store.write(|tx| {
        tx.open_build(&NewBuild {
            kind: BuildKind::Build,
            pipeline: "synix.toml".to_owned(),
            fingerprint: Digest::of(b"a pipeline"),
            parts: "{}".to_owned(),
            answer_origin: AnswerOrigin::Live,
            opened: Timestamp(time),
        })
    })?;
    store.write(|tx| {
        let mut taken = Vec::new();
        for (name, artifacts) in layers {
            let mut units = Vec::with_capacity(artifacts.len());
            for (artifact, inputs) in artifacts {
                units.push(unit(tx, build, name, artifact, inputs)?);
            }
            taken.push(NewSnapshotLayer::from((name.clone(), units)));
        }
        tx.take_snapshot(build, "synix.toml", &taken, Timestamp(time))
    })
}

fn unit(
    tx: &synix_store::Transaction<'_>,
    build: BuildId,
    layer: &str,
    artifact: &Artifact,
    inputs: &[ArtifactId],
) -> Result<UnitId, StoreError> {
    let digest = artifact.digest().expect("a digest");
    let fingerprint = Encoder::new("synix.testing")
        .text(layer)
        .digest(digest)
        .finish();
    if let Some((known, _)) = tx.finished_unit(fingerprint, AnswerOrigin::Live)? {
        return Ok(known);
    }
    let key = UnitKey::from_stored(artifact.label.as_str()).expect("a unit key");
    let unit = tx.store_unit(&NewUnit {
        fingerprint,
        answer_origin: AnswerOrigin::Live,
        layer,
        key: &key,
        done: true,
        partial: false,
        build,
        parts: "{}",
        roles: None,
        log: None,
    })?;
    for (position, input) in inputs.iter().enumerate() {
        tx.add_input(unit, position, *input)?;
    }
    tx.add_artifact(unit, 0, artifact, digest)?;
    Ok(unit)
}
