//! How artifacts were made, in the few facts that other programs want to know about each of them.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::find::FoundArtifact;
use super::show::request_views;
use super::snapshot::SnapshotView;
use synix_core::clock::Timestamp;
use synix_core::digest::{Digest, Encoder};
use synix_core::fingerprint::StoredParts;
use synix_prices::Prices;
use synix_store::{BuildId, Reader, StoreError, UnitId};

/// The scheme of the digest of a prompt.
const PROMPT_SCHEME: &str = "synix.prompt.v1";

/// How an artifact was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Making {
    /// The models that answered its unit, each once, as the providers name them.
    pub models: Vec<String>,
    /// When the build began that made it.
    pub time: Option<Timestamp>,
    /// The digest of the settings that its prompts come from; `None` if its unit asked nothing.
    pub prompt: Option<Digest>,
    /// The source artifacts that it comes from, as `layer/label`; those of a source are itself.
    pub sources: Rc<BTreeSet<String>>,
    /// The source files; empty unless it is a source.
    pub files: Vec<String>,
    /// Whether a model wrote it, or something that it was made from.
    pub by_model: bool,
}

/// What several artifacts share is read once.
pub struct Makings<'v> {
    view: &'v SnapshotView<'v>,
    units: HashMap<UnitId, Ancestry>,
    times: HashMap<BuildId, Option<Timestamp>>,
}

impl std::fmt::Debug for Makings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Makings").finish_non_exhaustive()
    }
}

#[derive(Clone)]
enum Ancestry {
    /// A source, in this layer.
    Source(String),
    Made {
        sources: Rc<BTreeSet<String>>,
        by_model: bool,
    },
}

impl<'v> Makings<'v> {
    /// Creates an empty cache.
    pub fn new(view: &'v SnapshotView<'v>) -> Self {
        Self {
            view,
            units: HashMap::new(),
            times: HashMap::new(),
        }
    }

    /// Returns how an artifact was made.
    pub fn of(&mut self, found: &FoundArtifact) -> Result<Making, StoreError> {
        let reader = self.view.reader;
        let artifact = &found.artifact.artifact;
        let unit = reader.unit(artifact.unit)?;
        let mut making = Making {
            time: self.time(unit.build)?,
            ..Making::default()
        };
        match self.ancestry(unit.id)? {
            Ancestry::Source(layer) => {
                let itself = format!("{layer}/{}", artifact.label);
                making.sources = Rc::new(BTreeSet::from([itself]));
                let origin = super::unit_origin::UnitOrigin::of(reader, &unit)?;
                making.files = origin.files().into_iter().map(|file| file.path).collect();
            }
            Ancestry::Made { sources, by_model } => {
                making.sources = sources;
                making.by_model = by_model;
            }
        }
        for request in request_views(reader, &unit, &Prices::default())? {
            let model = request.answered_by.unwrap_or(request.model);
            if !making.models.contains(&model) {
                making.models.push(model);
            }
        }
        if !making.models.is_empty() {
            making.prompt = StoredParts::read(&unit.parts).map(|parts| prompt_digest(&parts));
        }
        Ok(making)
    }

    fn time(&mut self, build: BuildId) -> Result<Option<Timestamp>, StoreError> {
        if let Some(time) = self.times.get(&build) {
            return Ok(*time);
        }
        let time = self.view.reader.build(build)?.map(|row| row.opened);
        self.times.insert(build, time);
        Ok(time)
    }

    /// Returns the sources of a unit. The stack is a list, because a fold of many steps is deep.
    fn ancestry(&mut self, unit: UnitId) -> Result<Ancestry, StoreError> {
        let reader = self.view.reader;
        let mut open = vec![unit];
        while let Some(&next) = open.last() {
            if self.units.contains_key(&next) {
                open.pop();
                continue;
            }
            let inputs = reader.inputs(next)?;
            if inputs.is_empty() {
                let ancestry = self.without_inputs(reader, next)?;
                self.units.insert(next, ancestry);
                continue;
            }
            let before = open.len();
            for input in &inputs {
                if !self.units.contains_key(&input.unit) {
                    open.push(input.unit);
                }
            }
            if open.len() > before {
                continue;
            }
            let mut by_model = !reader.transcript(next)?.is_empty();
            let mut shared: Option<Rc<BTreeSet<String>>> = None;
            for input in &inputs {
                let sources = match self.units.get(&input.unit) {
                    Some(Ancestry::Source(layer)) => {
                        Rc::new(BTreeSet::from([format!("{layer}/{}", input.label)]))
                    }
                    Some(Ancestry::Made {
                        sources,
                        by_model: of_input,
                    }) => {
                        by_model |= of_input;
                        Rc::clone(sources)
                    }
                    None => continue,
                };
                match &mut shared {
                    None => shared = Some(sources),
                    Some(all) => Rc::make_mut(all).extend(sources.iter().cloned()),
                }
            }
            let sources = shared.unwrap_or_default();
            self.units
                .insert(next, Ancestry::Made { sources, by_model });
        }
        let found = self.units.get(&unit).cloned();
        Ok(found.unwrap_or_else(|| Ancestry::Source(String::new())))
    }

    /// A transform may have no inputs either, and ask a model nevertheless.
    fn without_inputs(&self, reader: &Reader, unit: UnitId) -> Result<Ancestry, StoreError> {
        let row = reader.unit(unit)?;
        if reader.transcript(unit)?.is_empty() {
            return Ok(Ancestry::Source(row.layer));
        }
        Ok(Ancestry::Made {
            sources: Rc::default(),
            by_model: true,
        })
    }
}

/// Equal digests mean that prompts were rendered from the same texts and settings, of other inputs perhaps.
fn prompt_digest(parts: &StoredParts) -> Digest {
    let files = &parts.layer.files;
    let encoder = Encoder::new(PROMPT_SCHEME)
        .text(&parts.layer.config)
        .list(files.len());
    let files = files.iter();
    files
        .fold(encoder, |encoder, (pointer, file)| {
            encoder.text(pointer).digest(file.digest)
        })
        .finish()
}
