//! Vectors: the answers to requests for embeddings.
//!
//! An answer holds its vector as base64 of 32-bit little-endian floating-point numbers, so the text of an answer is
//! exact and the same however the provider wrote the numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Answer;

/// The maximum number of dimensions. Known models have at most 4096.
const MAX_DIMENSIONS: usize = 1 << 16;

/// The vector of a text: at least one number, and all of them are finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector(Vec<f32>);

/// A vector that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidVector {
    /// It has no numbers.
    #[error("the vector is empty")]
    Empty,
    /// It has too many numbers.
    #[error("the vector has {0} numbers; {MAX_DIMENSIONS} are allowed")]
    TooLong(usize),
    /// A number is not finite.
    #[error("number {0} of the vector is not finite")]
    NotFinite(usize),
    /// The text is not base64 of 32-bit numbers.
    #[error("the vector is not base64 of 32-bit floating-point numbers")]
    Encoding,
    /// It has another length than the request asked for.
    #[error("the vector has {found} dimensions instead of {expected}")]
    Dimensions {
        /// The length.
        found: usize,
        /// The length that was asked for.
        expected: u32,
    },
}

impl Vector {
    /// Checks the numbers of a vector. A negative zero stays what it is.
    pub fn new(numbers: Vec<f32>) -> Result<Self, InvalidVector> {
        if numbers.is_empty() {
            return Err(InvalidVector::Empty);
        }
        if numbers.len() > MAX_DIMENSIONS {
            return Err(InvalidVector::TooLong(numbers.len()));
        }
        match numbers.iter().position(|number| !number.is_finite()) {
            Some(position) => Err(InvalidVector::NotFinite(position)),
            None => Ok(Self(numbers)),
        }
    }

    /// Reads little-endian 32-bit numbers.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidVector> {
        let numbers = bytes.chunks_exact(4);
        if !numbers.remainder().is_empty() {
            return Err(InvalidVector::Encoding);
        }
        let read = |four: &[u8]| four.try_into().map_or(0.0, f32::from_le_bytes);
        Self::new(numbers.map(read).collect())
    }

    /// Reads base64 of little-endian 32-bit numbers, with or without padding at the end.
    pub fn from_base64(text: &str) -> Result<Self, InvalidVector> {
        let bytes = STANDARD.decode(text).map_err(|_| InvalidVector::Encoding)?;
        Self::from_bytes(&bytes)
    }

    /// Fails if the vector does not have the number of dimensions that was asked for.
    pub const fn check_dimensions(&self, expected: Option<u32>) -> Result<(), InvalidVector> {
        match expected {
            Some(expected) if expected as usize != self.0.len() => Err(InvalidVector::Dimensions {
                found: self.0.len(),
                expected,
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the numbers.
    pub fn numbers(&self) -> &[f32] {
        &self.0
    }

    /// Returns the numbers.
    pub fn into_numbers(self) -> Vec<f32> {
        self.0
    }

    /// Returns the numbers as little-endian bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    /// Returns the text of an answer with this vector.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_bytes())
    }
}

/// The member of `details` with the number of bytes that were sent of a text that was cut.
const USED_BYTES: &str = "used_bytes";

impl Answer {
    /// Notes how many bytes were sent of a text that was cut. The answer in the store belongs to the text that was
    /// sent, so only the copy for the guest has the note.
    pub fn note_used_bytes(&mut self, bytes: u64) {
        self.details.insert(USED_BYTES.to_owned(), bytes.into());
    }

    /// Removes the note of [`Self::note_used_bytes`] and returns it.
    pub fn take_used_bytes(&mut self) -> Option<u64> {
        self.details.remove(USED_BYTES)?.as_u64()
    }

    /// Returns the vector of an answer to a request for an embedding.
    pub fn vector(&self) -> Result<Vector, InvalidVector> {
        Vector::from_base64(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_finite_numbers_make_a_vector() {
        assert_eq!(Vector::new(Vec::new()), Err(InvalidVector::Empty));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(
                Vector::new(vec![0.5, bad]),
                Err(InvalidVector::NotFinite(1))
            );
        }
        assert!(matches!(
            Vector::new(vec![0.0; MAX_DIMENSIONS + 1]),
            Err(InvalidVector::TooLong(_))
        ));
    }

    #[test]
    fn a_text_that_is_no_vector_is_an_error() {
        for bad in ["?", "AAAA", "AAAAAAA"] {
            assert_eq!(
                Vector::from_base64(bad),
                Err(InvalidVector::Encoding),
                "{bad}"
            );
        }
        assert_eq!(Vector::from_base64(""), Err(InvalidVector::Empty));
    }

    #[test]
    fn the_number_of_dimensions_is_checked_if_one_was_asked_for() {
        let vector = Vector::new(vec![1.0, 2.0]).unwrap();
        assert!(vector.check_dimensions(None).is_ok());
        assert!(vector.check_dimensions(Some(2)).is_ok());
        assert_eq!(
            vector.check_dimensions(Some(3)),
            Err(InvalidVector::Dimensions {
                found: 2,
                expected: 3
            })
        );
    }

    proptest! {
        #[test]
        fn the_text_of_a_vector_keeps_every_bit(bits in proptest::collection::vec(any::<u32>(), 1..50)) {
            let numbers: Vec<f32> = bits.into_iter().map(f32::from_bits).filter(|number| number.is_finite()).collect();
            prop_assume!(!numbers.is_empty());
            let vector = Vector::new(numbers.clone()).unwrap();
            let read = Vector::from_base64(&vector.to_base64()).unwrap();
            let bits = |numbers: &[f32]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(read.numbers()), bits(&numbers));
        }
    }
}
