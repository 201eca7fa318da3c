//! Bytes at any offset: of the file, of a part of another source, or of what is unpacked on the way.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use synix_plugin::reading::File;

/// Bytes that a [`Packed`] source keeps, so that a directory at the end of an archive is not unpacked for twice.
const KEPT_BYTES: usize = 1024 * 1024;
/// Bytes that are unpacked at once to get to a later offset.
const STEP_BYTES: usize = 64 * 1024;

/// Bytes that can be read from any offset.
pub(super) trait Source {
    /// Returns the size; a source that is cut off has fewer bytes.
    fn size(&self) -> u64;

    /// Reads from an offset. The result is 0 only at the end, or for an empty buffer.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Reads until the buffer is full or the source ends, and returns how much that is.
    fn fill_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(offset + filled as u64, rest)? {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }
}

/// The file itself.
pub(super) struct Whole<'a>(pub(super) &'a File<'a>);

impl Source for Whole<'_> {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let bytes = self.0.read_at(offset, length);
        buffer
            .get_mut(..bytes.len())
            .ok_or_else(|| io::Error::other("the host returned more bytes than were asked for"))?
            .copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

/// A part of another source.
pub(super) struct Part<'a> {
    pub(super) parent: Rc<dyn Source + 'a>,
    pub(super) start: u64,
    pub(super) size: u64,
}

impl Source for Part<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let start = self.start.saturating_add(offset);
        self.parent.read_at(start, &mut buffer[..length])
    }
}

/// Bytes in memory.
pub(super) struct Memory(pub(super) Vec<u8>);

impl Source for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(start..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// Something that can be unpacked from its start again.
pub(super) type Unpack<'a> = Box<dyn Fn() -> io::Result<Box<dyn Read + 'a>> + 'a>;

/// What a stream unpacks to. Reading forward costs one pass; a step back further than what is kept costs another.
pub(super) struct Packed<'a> {
    size: u64,
    unpack: Unpack<'a>,
    stream: RefCell<Option<Stream<'a>>>,
}

struct Stream<'a> {
    reader: Box<dyn Read + 'a>,
    /// The last bytes that were unpacked, up to `position`.
    kept: Vec<u8>,
    position: u64,
    has_ended: bool,
}

impl<'a> Packed<'a> {
    pub(super) fn new(size: u64, unpack: Unpack<'a>) -> Self {
        Self {
            size,
            unpack,
            stream: RefCell::new(None),
        }
    }
}

impl Source for Packed<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut slot = self.stream.borrow_mut();
        let mut stream = match slot.take() {
            Some(stream) if stream.start() <= offset => stream,
            _ => Stream {
                reader: (self.unpack)()?,
                kept: Vec::new(),
                position: 0,
                has_ended: false,
            },
        };
        while stream.position <= offset && !stream.has_ended {
            stream.step()?;
        }
        let count = stream.copy(offset, buffer);
        *slot = Some(stream);
        Ok(count)
    }
}

impl Stream<'_> {
    /// Returns the offset of the first byte that is kept.
    fn start(&self) -> u64 {
        self.position - self.kept.len() as u64
    }

    fn step(&mut self) -> io::Result<()> {
        if self.kept.len() >= 2 * KEPT_BYTES {
            self.kept.drain(..self.kept.len() - KEPT_BYTES);
        }
        let before = self.kept.len();
        self.kept.resize(before + STEP_BYTES, 0);
        let result = self.reader.read(&mut self.kept[before..]);
        let count = *result.as_ref().unwrap_or(&0);
        self.kept.truncate(before + count);
        self.position += count as u64;
        self.has_ended = result? == 0;
        Ok(())
    }

    fn copy(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let start = usize::try_from(offset - self.start()).unwrap_or(usize::MAX);
        let rest = self.kept.get(start..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        length
    }
}

/// A source from an offset on, as [`Read`]. A part that ends before its size is cut off, which is an error.
pub(super) struct Reading<'a> {
    source: Rc<dyn Source + 'a>,
    position: u64,
    is_whole: bool,
}

impl<'a> Reading<'a> {
    /// Reads to the end of the source; `is_whole` says that the source must have all the bytes of its size.
    pub(super) fn new(source: Rc<dyn Source + 'a>, position: u64, is_whole: bool) -> Self {
        Self {
            source,
            position,
            is_whole,
        }
    }
}

impl Read for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(self.position, buffer)?;
        self.position += count as u64;
        let is_cut = count == 0 && !buffer.is_empty() && self.position < self.source.size();
        if is_cut && self.is_whole {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

/// What a file may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimit {
    /// How often its own size.
    pub ratio: u64,
    /// What a small file may unpack to in any case, in bytes.
    pub allowance: u64,
}

impl Default for UnpackLimit {
    /// Text packs to a tenth and repetitive rows to a fiftieth; a bomb packs to a thousandth.
    fn default() -> Self {
        Self {
            ratio: 100,
            allowance: 64 << 20,
        }
    }
}

/// How much may still be unpacked in a pass over the file.
pub(super) struct Budget {
    of: UnpackLimit,
    limit: u64,
    left: Cell<u64>,
}

impl Budget {
    pub(super) fn of(packed: u64, of: UnpackLimit) -> Self {
        let limit = packed.saturating_mul(of.ratio).saturating_add(of.allowance);
        Self {
            of,
            limit,
            left: Cell::new(limit),
        }
    }

    pub(super) fn refill(&self) {
        self.left.set(self.limit);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    pub(super) fn spend(&self, bytes: usize) -> io::Result<()> {
        let left = self.left.get().saturating_sub(bytes as u64);
        self.left.set(left);
        if left == 0 {
            return Err(io::Error::other(format!(
                "it unpacks to more than {} MiB, which is {} times its size and {} MiB",
                self.limit >> 20,
                self.of.ratio,
                self.of.allowance >> 20
            )));
        }
        Ok(())
    }
}
