//! SHA-256 digests and the canonical encoding that they are computed from.
//!
//! An [`Encoder`] starts with the name of a scheme and then takes fields in a fixed order. A field is encoded as a tag of
//! one byte, its length as eight little-endian bytes if the length varies, and its value. So no two sequences of fields
//! have the same encoding:
//!
//! | field | encoding |
//! | --- | --- |
//! | text | `t`, length in bytes, UTF-8 |
//! | bytes | `b`, length, bytes |
//! | number | `n`, eight bytes |
//! | digest | `d`, 32 bytes |
//! | absent | `-` |
//! | list | `l`, count; its items follow |

use std::fmt;
use std::io;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, displayed as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digest of all bytes of `from`, which it reads in parts.
    pub fn of_reader(from: &mut impl io::Read, part_bytes: usize) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut part = vec![0; part_bytes];
        loop {
            match from.read(&mut part) {
                Ok(0) => return Ok(Self(hash.finalize().into())),
                Ok(length) => hash.update(&part[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Wraps the 32 bytes of a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the first 12 hex digits, for messages.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0_u8; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text does not consist of 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a digest (64 lower-case hex digits): {0:?}")]
pub struct InvalidDigest(pub String);

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidDigest(text.to_owned());
        if text.len() != 64 {
            return Err(invalid());
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let nibble = |digit: u8| match digit {
                b'0'..=b'9' => Ok(digit - b'0'),
                b'a'..=b'f' => Ok(digit - b'a' + 10),
                _ => Err(invalid()),
            };
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Computes the digest of bytes that arrive in parts.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Hasher {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all bytes.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// Computes the digest of a sequence of fields in the canonical encoding.
#[derive(Clone)]
pub struct Encoder(Sha256);

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    /// Starts an encoding. The name of its scheme contains a version, as in `synix.unit.v1`.
    pub fn new(scheme: &str) -> Self {
        Self(Sha256::new()).text(scheme)
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.sized(b't', text.as_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.sized(b'b', bytes)
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.update(b"n");
        self.0.update(number.to_le_bytes());
        self
    }

    /// Adds a digest.
    #[must_use]
    pub fn digest(mut self, digest: Digest) -> Self {
        self.0.update(b"d");
        self.0.update(digest.as_bytes());
        self
    }

    /// Records that an optional field is absent.
    #[must_use]
    pub fn absent(mut self) -> Self {
        self.0.update(b"-");
        self
    }

    /// Starts a list of `count` items. Add the items next.
    #[must_use]
    pub fn list(mut self, count: usize) -> Self {
        self.0.update(b"l");
        self.0.update((count as u64).to_le_bytes());
        self
    }

    /// Returns the digest of all fields.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }

    fn sized(mut self, tag: u8, bytes: &[u8]) -> Self {
        self.0.update([tag]);
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_digest_equals_the_output_of_sha256sum() {
        assert_eq!(
            Digest::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    fn encoded(fields: &[String]) -> Digest {
        fields
            .iter()
            .fold(Encoder::new("test.v1"), |encoder, field| {
                encoder.text(field)
            })
            .finish()
    }

    proptest! {
        #[test]
        fn a_digest_survives_a_round_trip_through_its_text(bytes: [u8; 32]) {
            let digest = Digest::from_bytes(bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        }

        /// I3: a different boundary between two fields changes the digest.
        #[test]
        fn the_boundary_between_fields_is_part_of_the_digest(left: String, right: String, moved in 1_usize..8) {
            let joined = format!("{left}{right}");
            let boundary = joined.char_indices().nth(moved).map_or(0, |(at, _)| at);
            prop_assume!(boundary != left.len());
            let (first, second) = joined.split_at(boundary);
            prop_assert_ne!(
                encoded(&[left, right]),
                encoded(&[first.to_owned(), second.to_owned()])
            );
        }
    }
}
