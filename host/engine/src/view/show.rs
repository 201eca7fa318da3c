//! An artifact with its content and its provenance.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::find::FoundArtifact;
use super::snapshot::{SnapshotView, StaleInfo};
use synix_core::artifact::{Artifact, Content, Metadata};
use synix_core::clock::Timestamp;
use synix_core::digest::Digest;
use synix_core::fingerprint::StoredParts;
use synix_core::request::RequestKey;
use synix_prices::{Amount, Prices, Rate};
use synix_store::{AnswerOrigin, Reader, SharedOrigin, StoreError, StoredUnit};

/// An artifact with its content and its provenance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArtifactDetail {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// Its digest in hex.
    pub id: String,
    /// The build whose snapshot has it.
    pub build: String,
    /// Why the newest snapshot does not have it; `None` if it does.
    pub stale: Option<StaleInfo>,
    /// The text, or the bytes in base64.
    pub content: String,
    /// The media type of bytes; `None` for text.
    pub media_type: Option<String>,
    /// Its metadata.
    pub metadata: Metadata,
    /// Its provenance.
    pub provenance: Provenance,
}

/// The provenance of an artifact.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Provenance {
    /// The unit that made it.
    pub unit: String,
    /// The unit's fingerprint.
    pub fingerprint: Digest,
    /// The build that made it.
    pub build: String,
    /// The component that ran; `None` for a source.
    pub component: Option<Digest>,
    /// Its inputs, in order.
    pub inputs: Vec<InputView>,
    /// Its requests, in order.
    pub requests: Vec<RequestView>,
    /// The cost of the unit's answers in US dollars; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
    /// Whether an input was missing.
    pub partial: bool,
    /// Whether the answers came from a cassette.
    pub replayed: bool,
}

/// An input of the unit that made an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputView {
    /// Its layer.
    pub layer: String,
    /// Its label.
    pub label: String,
    /// Its digest in hex.
    pub id: String,
}

/// A request behind an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestView {
    /// Its key.
    pub key: RequestKey,
    /// The provider's name in the pipeline file.
    pub provider: String,
    /// The requested model.
    pub model: String,
    /// The model that answered, as the provider named it.
    pub answered_by: Option<String>,
    /// The input tokens; `None` if the provider did not report them.
    pub input_tokens: Option<u64>,
    /// The output tokens; `None` if the provider did not report them.
    pub output_tokens: Option<u64>,
    /// The batch that answered; `None` for a sync call.
    pub batch: Option<String>,
    /// Where the answer came from, if it is from shared answers: it cost nothing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedView>,
    /// The cost of the answer in US dollars, 0 if it came from a cassette or from shared answers; `None` if a price is unknown.
    pub cost_usd: Option<Amount>,
    /// Whether the request asked for JSON. No document shows it.
    #[serde(skip)]
    pub asks_for_json: bool,
}

/// Where an answer of a store of shared answers came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedView {
    /// The URL of the store.
    pub url: String,
    /// The provider that was asked.
    pub provider: String,
    /// The batch that answered; `None` for a sync call.
    pub batch: Option<String>,
    /// When the answer arrived.
    pub time: Timestamp,
}

impl ArtifactDetail {
    /// Returns an artifact with its content, its provenance and its cost at `prices`.
    pub fn of(reader: &Reader, found: &FoundArtifact, prices: &Prices) -> Result<Self, StoreError> {
        let FoundArtifact {
            artifact: found,
            build,
            stale,
        } = found;
        let artifact = reader.artifact(found.artifact.id)?;
        let media_type = artifact.content.media_type().map(str::to_owned);
        let content = match artifact.content {
            Content::Text(text) => text,
            Content::Bytes { data, .. } => STANDARD.encode(data),
        };
        Ok(Self {
            layer: found.layer.clone(),
            label: artifact.label.to_string(),
            kind: artifact.kind.to_string(),
            id: found.artifact.digest.to_string(),
            build: build.to_string(),
            stale: stale.clone(),
            content,
            media_type,
            metadata: artifact.metadata,
            provenance: provenance(reader, &reader.unit(found.artifact.unit)?, prices)?,
        })
    }
}

impl SnapshotView<'_> {
    /// Returns an artifact with its content, its provenance and its cost at `prices`.
    pub fn detail(
        &self,
        found: &FoundArtifact,
        prices: &Prices,
    ) -> Result<ArtifactDetail, StoreError> {
        ArtifactDetail::of(self.reader, found, prices)
    }

    /// Calls `read` while the state does not change for it; see [`Reader::unchanged`].
    pub fn unchanged<T>(&self, read: impl FnOnce() -> T) -> Result<T, StoreError> {
        self.reader.unchanged(read)
    }

    /// Returns an artifact with its content.
    pub fn artifact(&self, found: &FoundArtifact) -> Result<Artifact, StoreError> {
        self.reader.artifact(found.artifact.artifact.id)
    }

    /// Returns the provenance of an artifact, with its cost at `prices`.
    pub fn provenance(
        &self,
        found: &FoundArtifact,
        prices: &Prices,
    ) -> Result<Provenance, StoreError> {
        let unit = self.reader.unit(found.artifact.artifact.unit)?;
        provenance(self.reader, &unit, prices)
    }

    /// Returns whether the unit of an artifact asked anything.
    pub fn asked(&self, found: &FoundArtifact) -> Result<bool, StoreError> {
        let transcript = self.reader.transcript(found.artifact.artifact.unit)?;
        Ok(!transcript.is_empty())
    }

    /// Returns whether a request behind an artifact asked for JSON.
    pub fn asks_for_json(&self, found: &FoundArtifact) -> Result<bool, StoreError> {
        for entry in self.reader.transcript(found.artifact.artifact.unit)? {
            if self
                .reader
                .request(entry.request)?
                .response_format
                .is_some()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn provenance(
    reader: &Reader,
    unit: &StoredUnit,
    prices: &Prices,
) -> Result<Provenance, StoreError> {
    let mut inputs = Vec::new();
    for input in reader.inputs(unit.id)? {
        inputs.push(InputView {
            layer: reader.unit(input.unit)?.layer,
            label: input.label.to_string(),
            id: input.digest.to_string(),
        });
    }
    let requests = request_views(reader, unit, prices)?;
    Ok(Provenance {
        unit: unit.key.clone(),
        fingerprint: unit.fingerprint,
        build: unit.build.to_string(),
        component: StoredParts::read(&unit.parts).map(|parts| parts.layer.component),
        inputs,
        cost_usd: requests.iter().map(|request| request.cost_usd).sum(),
        requests,
        partial: unit.partial,
        replayed: unit.answer_origin != AnswerOrigin::Live,
    })
}

impl From<SharedOrigin> for SharedView {
    fn from(origin: SharedOrigin) -> Self {
        Self {
            url: origin.store,
            provider: origin.provider,
            batch: origin.batch,
            time: origin.time,
        }
    }
}

/// Returns the requests of a unit, with their answers and cost.
pub(super) fn request_views(
    reader: &Reader,
    unit: &StoredUnit,
    prices: &Prices,
) -> Result<Vec<RequestView>, StoreError> {
    let mut views = Vec::new();
    for entry in reader.transcript(unit.id)? {
        let request = reader.request(entry.request)?;
        let (answer, batch, shared) = match entry.answer {
            Some(id) => {
                let (answer, batch) = reader.transcript_answer(id)?;
                (Some(answer), batch, reader.shared_origin(id)?)
            }
            None => (None, None, None),
        };
        let usage = answer
            .as_ref()
            .map(|answer| answer.usage)
            .unwrap_or_default();
        let rate = if batch.is_some() {
            Rate::Batch
        } else {
            Rate::Sync
        };
        let was_paid = unit.answer_origin == AnswerOrigin::Live && shared.is_none();
        let cost_usd = if was_paid {
            prices.cost(&request.model, &usage, rate).ok()
        } else {
            Some(Amount::ZERO)
        };
        let known = |count: u64| (!usage.uncounted).then_some(count);
        views.push(RequestView {
            key: entry.key,
            provider: request.provider,
            model: request.model,
            answered_by: answer.map(|answer| answer.model),
            input_tokens: known(usage.input_tokens),
            output_tokens: known(usage.output_tokens),
            batch,
            shared: shared.map(SharedView::from),
            cost_usd,
            asks_for_json: request.response_format.is_some(),
        });
    }
    Ok(views)
}
