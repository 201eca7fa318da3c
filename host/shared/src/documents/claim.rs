//! The objects of claims and heartbeats.

use serde::{Deserialize, Serialize};
use synix_core::json::canonical_object;
use synix_core::request::RequestKey;

use super::{Invalid, SCHEMA};
use crate::error::SharedError;
use crate::paths::is_holder;

/// The largest object of a claim that is read.
pub(crate) const MAX_CLAIM_BYTES: u64 = 4096;

/// How the request of a claim is sent, which decides how long the claim lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimMode {
    /// In a sync call: the claim lives as long as its holder.
    Call,
    /// In a batch: the claim needs no live holder.
    Batch,
}

/// What a command records before it claims a request: whoever has it can find the claim, and give it up.
///
/// Its JSON is kept in the state. That of a version which recorded a claim with more members is one, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimIntent {
    /// The request.
    pub key: RequestKey,
    /// The random text of the claim. Only the process that drew it claims with it.
    pub nonce: String,
    /// The random texts of earlier intents of the project: nobody sends for their claims any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<String>,
}

impl ClaimIntent {
    /// Returns an intent that nobody else has.
    pub fn new(key: RequestKey) -> Result<Self, SharedError> {
        Ok(Self {
            key,
            nonce: random_text()?,
            earlier: Vec::new(),
        })
    }

    /// Returns this intent as that of a process which takes over what an earlier one left.
    ///
    /// It has a nonce of its own, because calls of the earlier process may still be under way, and so may the calls of
    /// others that give up its claim.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        let mut nonces = earlier.earlier;
        nonces.push(earlier.nonce);
        Self {
            earlier: nonces,
            ..self
        }
    }

    /// Returns whether a claim with this nonce is one of this intent, or of an earlier one.
    pub(crate) fn covers(&self, nonce: &str) -> bool {
        self.nonce == nonce || self.earlier.iter().any(|earlier| earlier == nonce)
    }
}

/// Returns 128 random bits in hex digits.
pub(crate) fn random_text() -> Result<String, SharedError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(SharedError::Random)?;
    Ok(format!("{:032x}", u128::from_le_bytes(bytes)))
}

/// A claim in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedClaim {
    /// The request.
    pub key: RequestKey,
    /// The generation of the claim.
    pub generation: u64,
    /// The holder.
    pub holder: String,
    /// The random text of the intent.
    pub nonce: String,
    /// How the request is sent.
    pub mode: ClaimMode,
}

/// The object of a claim. Its path has the generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClaimDocument {
    schema: u32,
    pub(crate) key: RequestKey,
    pub(crate) holder: String,
    pub(crate) nonce: String,
    pub(crate) mode: ClaimMode,
    pub(crate) released: bool,
}

impl ClaimDocument {
    pub(crate) fn of(claim: &SharedClaim, released: bool) -> Self {
        Self {
            schema: SCHEMA,
            key: claim.key,
            holder: claim.holder.clone(),
            nonce: claim.nonce.clone(),
            mode: claim.mode,
            released,
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_bytes(self)
    }

    pub(crate) fn from_bytes(key: RequestKey, bytes: &[u8]) -> Result<Self, Invalid> {
        let document: Self = serde_json::from_slice(bytes).map_err(Invalid::new)?;
        if document.schema != SCHEMA {
            let schema = document.schema;
            return Err(Invalid::new(format!("schema {schema} is unknown")));
        }
        if document.key != key {
            let other = document.key.0.short();
            return Err(Invalid::new(format!("it claims request {other}")));
        }
        // The holder becomes a part of a path.
        if !is_holder(&document.holder) {
            return Err(Invalid::new("its holder is invalid"));
        }
        Ok(document)
    }
}

#[derive(Serialize)]
struct HeartbeatDocument<'a> {
    schema: u32,
    holder: &'a str,
}

/// Returns the object of a heartbeat. Only its path is ever read.
pub(crate) fn heartbeat_bytes(holder: &str) -> Vec<u8> {
    to_bytes(&HeartbeatDocument {
        schema: SCHEMA,
        holder,
    })
}

fn to_bytes(document: &impl Serialize) -> Vec<u8> {
    let members = match serde_json::to_value(document) {
        Ok(serde_json::Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    canonical_object(members).into_bytes()
}

#[cfg(test)]
mod tests {
    use synix_core::digest::Digest;

    use super::*;

    fn claim() -> SharedClaim {
        SharedClaim {
            key: RequestKey(Digest::of(b"a")),
            generation: 2,
            holder: "laptop-0123456789abcdef0123456789abcdef".to_owned(),
            nonce: "n".to_owned(),
            mode: ClaimMode::Batch,
        }
    }

    #[test]
    fn a_claim_survives_a_round_trip() {
        let document = ClaimDocument::of(&claim(), true);
        let read = ClaimDocument::from_bytes(claim().key, &document.to_bytes()).unwrap();
        assert_eq!(read, document);
    }

    #[test]
    fn a_claim_of_another_request_or_with_a_path_as_holder_is_invalid() {
        let bytes = ClaimDocument::of(&claim(), false).to_bytes();
        let other = RequestKey(Digest::of(b"b"));
        assert!(ClaimDocument::from_bytes(other, &bytes).is_err());
        let mut hostile = claim();
        hostile.holder = "../../etc".to_owned();
        let bytes = ClaimDocument::of(&hostile, false).to_bytes();
        assert!(ClaimDocument::from_bytes(claim().key, &bytes).is_err());
    }

    #[test]
    fn the_json_of_an_intent_or_of_an_earlier_claim_is_an_intent() {
        let intent = ClaimIntent::new(claim().key).unwrap();
        let text = serde_json::to_string(&intent).unwrap();
        assert_eq!(serde_json::from_str::<ClaimIntent>(&text).unwrap(), intent);
        let ClaimIntent { key, nonce, .. } = &intent;
        let earlier = format!(
            r#"{{"key":"{key}","generation":2,"holder":"h","nonce":"{nonce}","mode":"call"}}"#
        );
        assert_eq!(
            serde_json::from_str::<ClaimIntent>(&earlier).unwrap(),
            intent
        );
    }

    #[test]
    fn an_intent_after_others_has_a_nonce_of_its_own_and_covers_theirs() {
        let new = || ClaimIntent::new(claim().key).unwrap();
        let (first, second, third) = (new(), new(), new());
        let last = third.clone().after(second.clone().after(first.clone()));
        assert_eq!(last.nonce, third.nonce);
        assert_eq!(last.earlier, [first.nonce, second.nonce]);
        let text = serde_json::to_string(&last).unwrap();
        assert_eq!(serde_json::from_str::<ClaimIntent>(&text).unwrap(), last);
        assert!(last.earlier.iter().all(|nonce| last.covers(nonce)));
        assert!(last.covers(&third.nonce) && !last.covers("n"));
    }
}
