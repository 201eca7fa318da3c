//! The bytes of one value, up to a limit.
//!
//! A vector that grows by itself doubles its room, and for a moment has both: a value just above a power of 2 would take
//! three times its size. Here the room ends at the limit, and the bytes beyond it are passed over.

use super::scanner::Fault;

/// Room that is kept from value to value; a single large one gives its own back.
const KEPT_BYTES: usize = 1024 * 1024;

/// A value that is collected from chunks.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    limit: usize,
    is_too_long: bool,
}

impl Held {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            limit,
            is_too_long: false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.is_too_long = false;
    }

    pub(super) fn extend(&mut self, chunk: &[u8]) {
        if self.is_too_long {
            return;
        }
        let length = self.bytes.len() + chunk.len();
        if length > self.limit {
            // The rest of the file may be in this value, so its start is not needed any more.
            self.bytes = Vec::new();
            self.is_too_long = true;
            return;
        }
        if length > self.bytes.capacity() {
            let room = (2 * self.bytes.capacity()).clamp(length, self.limit);
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// Returns the value that starts at `offset`, unless it is longer than the limit.
    pub(super) fn whole(&self, offset: u64) -> Result<&[u8], Fault> {
        if self.is_too_long {
            let limit = self.limit;
            return Err(Fault::TooLong { offset, limit });
        }
        Ok(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_no_more_room_than_its_limit() {
        let mut held = Held::new(5000);
        for _ in 0..50 {
            held.extend(&[b'x'; 100]);
            assert!(held.bytes.capacity() <= 5000);
        }
        assert_eq!(held.whole(7).unwrap().len(), 5000);
        held.extend(b"x");
        assert_eq!(held.bytes.capacity(), 0);
        held.extend(b"x");
        let fault = held.whole(7).unwrap_err();
        assert!(matches!(
            fault,
            Fault::TooLong {
                offset: 7,
                limit: 5000
            }
        ));
        held.clear();
        held.extend(b"next");
        assert_eq!(held.whole(8).unwrap(), b"next");
    }
}
