//! Selects the snapshot to read, and finds the last good artifacts that it lacks.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::Serialize;

use super::builds::nearest;
use super::find_error::FindError;
use synix_core::digest::Digest;
use synix_core::fingerprint::PipelineParts;
use synix_store::{BuildId, Reader, Snapshot, StoreError};

/// The snapshot that a command reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotSelection<'a> {
    /// The pipeline file, relative to the project.
    pub pipeline: &'a str,
    /// Whether the user named the file or it exists. Otherwise the only pipeline that was built here is selected.
    pub is_certain: bool,
    /// `snapshot-3`, its build `build-7`, the name of a trial, or `@-1` for the one before the newest; `None`: the newest.
    pub snapshot: Option<&'a str>,
}

/// A snapshot and the earlier ones that may have artifacts that it lacks.
#[derive(Debug)]
pub struct SnapshotView<'r> {
    pub(super) reader: &'r Reader,
    pub(super) selected: Option<Snapshot>,
    /// The newest first; empty if the user named a snapshot.
    pub(super) earlier: Vec<Snapshot>,
    pub(super) missing_units: MissingUnits,
}

/// Units that failed in the last build, and why.
#[derive(Debug, Default)]
pub(super) struct MissingUnits {
    build: Option<BuildId>,
    /// By layer and unit.
    units: BTreeMap<(String, String), StaleInfo>,
}

/// What a release says about its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The fingerprint of the pipeline that made it.
    pub fingerprint: Option<Digest>,
    /// The name of the pipeline.
    pub name: Option<String>,
    /// The component of each layer that has one.
    pub components: BTreeMap<String, Digest>,
}

/// Why the newest build does not have an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaleInfo {
    /// The build that does not have it.
    pub newest: String,
    /// A kind of failure; `replaced` if that build has another version; `removed` if the pipeline no longer makes it.
    pub kind: String,
    /// The reason.
    pub message: String,
}

impl<'r> SnapshotView<'r> {
    /// Selects the snapshot to read.
    pub fn select(
        reader: &'r Reader,
        selection: &SnapshotSelection<'_>,
    ) -> Result<Self, FindError> {
        let all = reader.snapshots()?;
        let pipeline = pipeline(&all, selection)?;
        let own: Vec<Snapshot> = all
            .iter()
            .filter(|snapshot| snapshot.pipeline == pipeline && snapshot.name.is_none())
            .cloned()
            .collect();
        if let Some(name) = selection.snapshot {
            return Ok(Self {
                reader,
                selected: Some(named(reader, &all, (pipeline, &own), name)?),
                earlier: Vec::new(),
                missing_units: MissingUnits::default(),
            });
        }
        let mut own = own.into_iter();
        let selected = own.next();
        let missing_units = match &selected {
            Some(newest) => MissingUnits::of(reader, newest)?,
            None => MissingUnits::default(),
        };
        Ok(Self {
            reader,
            selected,
            earlier: own.collect(),
            missing_units,
        })
    }

    /// Returns the state that is read.
    pub const fn reader(&self) -> &Reader {
        self.reader
    }

    /// Returns the snapshot, or the error that there is none yet.
    pub fn required(&self) -> Result<&Snapshot, FindError> {
        self.selected.as_ref().ok_or(FindError::NothingBuilt)
    }

    /// Returns the build whose snapshot is read; `None` before the first complete build.
    pub fn build(&self) -> Option<BuildId> {
        self.selected.as_ref().map(|snapshot| snapshot.build)
    }

    /// Returns the snapshot that is read; `None` before the first complete build.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.selected.as_ref()
    }

    /// Returns the snapshot, its build and the settings of its layers, or the error that there is no snapshot yet.
    pub fn record(&self) -> Result<SnapshotRecord, FindError> {
        let snapshot = self.required()?;
        let build = self.reader.build(snapshot.build)?;
        let parts = build
            .as_ref()
            .and_then(|build| PipelineParts::read(&build.parts));
        Ok(SnapshotRecord {
            snapshot: snapshot.clone(),
            fingerprint: build.map(|build| build.fingerprint),
            components: parts
                .as_ref()
                .map(PipelineParts::components)
                .unwrap_or_default(),
            name: parts.map(|parts| parts.name),
        })
    }

    /// Returns the pipeline file of the snapshot.
    pub fn pipeline(&self) -> Option<&str> {
        self.selected
            .as_ref()
            .map(|snapshot| snapshot.pipeline.as_str())
    }

    /// Returns the earlier snapshots of a layer, the newest first, one for each set of units that the selected one does not have.
    pub(super) fn earlier_sets<'a>(
        &'a self,
        layer: &'a str,
    ) -> impl Iterator<Item = &'a Snapshot> + 'a {
        let mut seen: HashSet<i64> = HashSet::new();
        seen.extend(
            self.selected
                .as_ref()
                .and_then(|selected| selected.set(layer)),
        );
        self.earlier
            .iter()
            .filter(move |snapshot| snapshot.set(layer).is_some_and(|set| seen.insert(set)))
    }

    /// Returns the names of all layers of earlier snapshots.
    pub(super) fn earlier_layers(&self) -> BTreeSet<&str> {
        self.earlier.iter().flat_map(Snapshot::layers).collect()
    }
}

impl MissingUnits {
    /// Reads what failed in the last complete build of the snapshot's pipeline.
    fn of(reader: &Reader, newest: &Snapshot) -> Result<Self, StoreError> {
        let last = reader.newest_complete_build(&newest.pipeline)?;
        let Some(build) = last.filter(|id| *id >= newest.build) else {
            return Ok(Self::default());
        };
        let layers: BTreeMap<usize, String> = reader
            .build_layers(build)?
            .into_iter()
            .map(|layer| (layer.position, layer.name))
            .collect();
        let units = reader
            .failed_units(build)?
            .into_iter()
            .filter_map(|unit| {
                let stale = StaleInfo {
                    newest: build.to_string(),
                    kind: unit.kind,
                    message: unit.message,
                };
                Some(((layers.get(&unit.layer)?.clone(), unit.key), stale))
            })
            .collect();
        Ok(Self {
            build: Some(build),
            units,
        })
    }

    /// Returns the layers in which something failed.
    pub(super) fn layers(&self) -> BTreeSet<&str> {
        self.units.keys().map(|(layer, _)| layer.as_str()).collect()
    }

    /// Returns why a unit is missing. A failure under the layer's name is that of the whole layer.
    pub(super) fn reason(&self, layer: &str, unit: &str) -> Option<&StaleInfo> {
        let get = |unit: &str| self.units.get(&(layer.to_owned(), unit.to_owned()));
        get(unit).or_else(|| get(layer))
    }

    /// Returns why a unit that did not fail is missing.
    pub(super) fn removed(&self, selected: Option<&Snapshot>, layer: &str) -> StaleInfo {
        let newest = selected.map(|selected| selected.build).max(self.build);
        let message = if selected.is_some_and(|selected| selected.set(layer).is_none()) {
            format!("the pipeline no longer has the layer `{layer}`")
        } else {
            "the pipeline no longer makes it".to_owned()
        };
        StaleInfo {
            newest: newest.map(|build| build.to_string()).unwrap_or_default(),
            kind: "removed".to_owned(),
            message,
        }
    }
}

/// Returns the pipeline whose snapshots are read.
fn pipeline<'a>(
    all: &'a [Snapshot],
    selection: &SnapshotSelection<'a>,
) -> Result<&'a str, FindError> {
    let known: BTreeSet<&str> = all
        .iter()
        .map(|snapshot| snapshot.pipeline.as_str())
        .collect();
    if known.is_empty() || known.contains(selection.pipeline) {
        return Ok(selection.pipeline);
    }
    match (selection.is_certain, known.iter().next()) {
        (false, Some(only)) if known.len() == 1 => Ok(only),
        _ if selection.snapshot.is_some() => Ok(selection.pipeline),
        _ => Err(FindError::NotBuilt {
            pipeline: selection.pipeline.to_owned(),
            known: known.into_iter().map(str::to_owned).collect(),
        }),
    }
}

/// Finds a snapshot by its name.
fn named(
    reader: &Reader,
    all: &[Snapshot],
    (pipeline, own): (&str, &[Snapshot]),
    name: &str,
) -> Result<Snapshot, FindError> {
    let of_pipeline = all.iter().filter(|snapshot| snapshot.pipeline == pipeline);
    if let Some(trial) = of_pipeline
        .clone()
        .find(|snapshot| snapshot.name.as_deref() == Some(name))
    {
        return Ok(trial.clone());
    }
    let names = || {
        of_pipeline.clone().map(|snapshot| {
            let name = snapshot.name.clone();
            name.unwrap_or_else(|| snapshot.build.to_string())
        })
    };
    let unknown = |why: Option<String>| FindError::NoSnapshot {
        name: name.to_owned(),
        why,
        nearest: nearest(name, names()),
        known: names().collect(),
    };
    if let Some(back) = name.strip_prefix('@') {
        let back = match back {
            "" => Some(0),
            back => back.strip_prefix('-').and_then(|back| back.parse().ok()),
        };
        let back: usize = back.ok_or_else(|| {
            unknown(Some(
                "`@` is the newest and `@-1` the one before it".to_owned(),
            ))
        })?;
        return own.get(back).cloned().ok_or_else(|| unknown(None));
    }
    if let Some(snapshot) = all.iter().find(|snapshot| snapshot.id.to_string() == name) {
        return Ok(snapshot.clone());
    }
    let Ok(build) = name.parse::<BuildId>() else {
        return Err(unknown(None));
    };
    // An id may be of another pipeline.
    if let Some(snapshot) = all.iter().find(|snapshot| snapshot.build == build) {
        return Ok(snapshot.clone());
    }
    // A build without changes has the snapshot before it.
    let Some(row) = reader.build(build)? else {
        return Err(unknown(None));
    };
    if row.closed.is_none() || row.cancelled {
        return Err(unknown(Some(format!("{build} is not complete"))));
    }
    if row.trial.is_some() {
        return Err(unknown(Some(format!(
            "the trial of {build} was replaced or deleted"
        ))));
    }
    all.iter()
        .filter(|snapshot| snapshot.name.is_none())
        .find(|snapshot| snapshot.pipeline == row.pipeline && snapshot.build < build)
        .cloned()
        .ok_or_else(|| unknown(Some(format!("{build} has no snapshot"))))
}
