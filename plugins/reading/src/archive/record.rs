//! The records of a zip: what stands before an entry and what the central directory says of it.

use std::io::{self, Read};

use super::unpack::damaged;

/// Starts the header before an entry's bytes.
pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
/// Starts an entry of the central directory.
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
/// Starts the record at the end of the archive.
pub(super) const END: [u8; 4] = *b"PK\x05\x06";
/// Starts the sizes after an entry whose header has none.
pub(super) const SIZES: [u8; 4] = *b"PK\x07\x08";

const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;
const PATCHED: u16 = 1 << 5;

/// The extra field with the sizes and offsets that need 64 bits.
const ZIP64: u16 = 0x0001;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ZSTD: u16 = 93;

/// How an entry is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
    Zstd,
}

/// What a header says of an entry.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: Vec<u8>,
    flags: u16,
    method: u16,
    pub(super) sum: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    /// Where the local header is; in the central directory only.
    pub(super) offset: u64,
    /// The type and the rights of a file in Unix; in the central directory only.
    mode: Option<u32>,
    /// The length of the header with its name and extra fields.
    pub(super) length: u64,
}

impl Record {
    /// Reads an entry of the central directory, after its four first bytes.
    pub(super) fn central(from: &mut impl Read) -> io::Result<Self> {
        let mut fields = [0; 42];
        from.read_exact(&mut fields)?;
        let head = Fields(&fields);
        let maker = head.u16(0) >> 8;
        let lengths = [head.u16(24), head.u16(26), head.u16(28)];
        let [name, extra, comment] = lengths.map(usize::from);
        let name = bytes(from, name)?;
        let extra = bytes(from, extra)?;
        bytes(from, comment)?;
        let mut record = Self {
            name,
            flags: head.u16(4),
            method: head.u16(6),
            sum: head.u32(12),
            packed: head.u32(16).into(),
            size: head.u32(20).into(),
            offset: head.u32(38).into(),
            // Made on Unix or macOS.
            mode: matches!(maker, 3 | 19).then(|| head.u32(34) >> 16),
            length: 46 + lengths.map(u64::from).iter().sum::<u64>(),
        };
        record.widen(&extra);
        Ok(record)
    }

    /// Reads a local header, after its four first bytes.
    pub(super) fn local(from: &mut impl Read) -> io::Result<Self> {
        let mut fields = [0; 26];
        from.read_exact(&mut fields)?;
        let head = Fields(&fields);
        let (name, extra) = (head.u16(22), head.u16(24));
        let length = 30 + u64::from(name) + u64::from(extra);
        let name = bytes(from, name.into())?;
        let extra = bytes(from, extra.into())?;
        let mut record = Self {
            name,
            flags: head.u16(2),
            method: head.u16(4),
            sum: head.u32(10),
            packed: head.u32(14).into(),
            size: head.u32(18).into(),
            offset: 0,
            mode: None,
            length,
        };
        record.widen(&extra);
        Ok(record)
    }

    /// Takes the numbers that did not fit into the header from its extra field.
    fn widen(&mut self, extra: &[u8]) {
        let mut rest = extra;
        while let Some((head, body)) = rest.split_first_chunk::<4>() {
            let length = usize::from(Fields(head).u16(2)).min(body.len());
            let (field, after) = body.split_at(length);
            rest = after;
            if Fields(head).u16(0) != ZIP64 {
                continue;
            }
            let (numbers, _) = field.as_chunks::<8>();
            let mut numbers = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes));
            for number in [&mut self.size, &mut self.packed, &mut self.offset] {
                if *number == u64::from(u32::MAX) {
                    *number = numbers.next().unwrap_or(*number);
                }
            }
            return;
        }
    }

    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with(b"/") || self.has_type(0o040_000)
    }

    pub(super) fn is_link(&self) -> bool {
        self.has_type(0o120_000)
    }

    fn has_type(&self, kind: u32) -> bool {
        self.mode.is_some_and(|mode| mode & 0o170_000 == kind)
    }

    /// Returns whether the sizes follow the packed bytes.
    pub(super) fn has_sizes_behind(&self) -> bool {
        self.flags & SIZES_FOLLOW != 0
    }

    /// Returns how the entry is packed, or what is not supported.
    pub(super) fn method(&self) -> Result<Method, String> {
        if self.flags & ENCRYPTED != 0 {
            return Err("encrypted".to_owned());
        }
        if self.flags & PATCHED != 0 {
            return Err("a patch".to_owned());
        }
        let name = match self.method {
            STORED => return Ok(Method::Stored),
            DEFLATED => return Ok(Method::Deflated),
            ZSTD => return Ok(Method::Zstd),
            9 => "Deflate64",
            12 => "bzip2",
            14 => "LZMA",
            95 => "XZ",
            98 => "PPMd",
            other => return Err(format!("packed by method {other}")),
        };
        Err(format!("packed by {name}"))
    }
}

/// Numbers at fixed places, the lowest byte first.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    fn at<const N: usize>(&self, offset: usize) -> [u8; N] {
        let found = self.0.get(offset..).and_then(<[u8]>::first_chunk);
        found.copied().unwrap_or([0; N])
    }

    pub(super) fn u16(&self, offset: usize) -> u16 {
        u16::from_le_bytes(self.at(offset))
    }

    pub(super) fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.at(offset))
    }

    pub(super) fn u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.at(offset))
    }
}

fn bytes(from: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads four bytes and fails unless they are those.
pub(super) fn expect(from: &mut impl Read, magic: [u8; 4]) -> io::Result<()> {
    let mut found = [0; 4];
    from.read_exact(&mut found)?;
    if found == magic {
        Ok(())
    } else {
        Err(damaged("a record of the zip is damaged"))
    }
}
