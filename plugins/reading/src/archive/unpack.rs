//! Unpacks what is in an archive: deflate, gzip and zstd, with checksums and a budget.

use std::io::{self, BufRead, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::StreamingDecoder;

use super::source::Budget;

/// What a reader of unpacked bytes asks for at once.
const BUFFER_BYTES: usize = 128 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Raw deflate. An end without the last block is an error.
pub(super) struct Inflate<R> {
    packed: R,
    state: Decompress,
    has_ended: bool,
}

impl<R: BufRead> Inflate<R> {
    pub(super) fn new(packed: R) -> Self {
        Self {
            packed,
            state: Decompress::new(false),
            has_ended: false,
        }
    }

    /// Returns how many packed bytes were taken.
    pub(super) fn taken(&self) -> u64 {
        self.state.total_in()
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while !self.has_ended {
            let input = self.packed.fill_buf()?;
            let is_end = input.is_empty();
            let (before, made) = (self.state.total_in(), self.state.total_out());
            let status = self
                .state
                .decompress(input, buffer, FlushDecompress::None)
                .map_err(|_| damaged("its packed bytes are damaged"))?;
            let taken = self.state.total_in() - before;
            self.packed.consume(usize::try_from(taken).unwrap_or(0));
            self.has_ended = status == Status::StreamEnd;
            let count = usize::try_from(self.state.total_out() - made).unwrap_or(0);
            if count > 0 {
                return Ok(count);
            }
            if is_end && !self.has_ended {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(0)
    }
}

/// The frames of a zstd file, one after the other. Their checksums would need another crate, and are not compared.
pub(super) struct Zstd<R: BufRead> {
    state: ZstdState<R>,
}

enum ZstdState<R: BufRead> {
    Between(R),
    Inside(Box<StreamingDecoder<Frame<R>, ruzstd::decoding::FrameDecoder>>),
    Ended,
}

/// A frame from its start on, of which the magic number was read.
type Frame<R> = io::Chain<Cursor<Vec<u8>>, R>;

impl<R: BufRead> Zstd<R> {
    pub(super) fn new(packed: R) -> Self {
        Self {
            state: ZstdState::Between(packed),
        }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // An error leaves the end behind, so that nothing is read of a damaged stream.
            match std::mem::replace(&mut self.state, ZstdState::Ended) {
                ZstdState::Ended => return Ok(0),
                ZstdState::Between(mut packed) => {
                    let mut magic = Vec::with_capacity(4);
                    packed.by_ref().take(4).read_to_end(&mut magic)?;
                    if magic.is_empty() {
                        return Ok(0);
                    }
                    if is_skipped(&magic) {
                        skip_frame(&mut packed)?;
                        self.state = ZstdState::Between(packed);
                        continue;
                    }
                    let decoder = StreamingDecoder::new(Cursor::new(magic).chain(packed))
                        .map_err(|error| damaged(&error.to_string()))?;
                    self.state = ZstdState::Inside(Box::new(decoder));
                }
                ZstdState::Inside(mut decoder) => {
                    let count = decoder.read(buffer).map_err(zstd_error)?;
                    if count == 0 && !buffer.is_empty() {
                        let (_, packed) = decoder.into_inner().into_inner();
                        self.state = ZstdState::Between(packed);
                        continue;
                    }
                    self.state = ZstdState::Inside(decoder);
                    return Ok(count);
                }
            }
        }
    }
}

/// The decoder wraps the error that says that the bytes have ended.
fn zstd_error(error: io::Error) -> io::Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        let is_end = inner
            .downcast_ref::<io::Error>()
            .is_some_and(|inner| inner.kind() == io::ErrorKind::UnexpectedEof);
        if is_end {
            return io::ErrorKind::UnexpectedEof.into();
        }
        cause = inner.source();
    }
    error
}

/// Returns whether a frame holds no content, but an index for example, by its magic number: 0x184D2A50 to 0x184D2A5F, the
/// lowest byte first.
fn is_skipped(magic: &[u8]) -> bool {
    matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

/// Passes over what follows the magic number of a frame without content.
fn skip_frame(packed: &mut impl BufRead) -> io::Result<()> {
    let mut length = [0; 4];
    packed.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    io::copy(&mut packed.take(length), &mut io::sink())?;
    Ok(())
}

/// Counts what is unpacked, and compares its checksum at the end.
pub(super) struct Checked<R> {
    pub(super) reader: R,
    pub(super) sum: crc32fast::Hasher,
    pub(super) expected: Option<u32>,
    pub(super) budget: Rc<Budget>,
}

impl<R: Read> Checked<R> {
    pub(super) fn new(reader: R, expected: Option<u32>, budget: Rc<Budget>) -> Self {
        Self {
            reader,
            sum: crc32fast::Hasher::new(),
            expected,
            budget,
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.budget.spend(count)?;
        if let Some(expected) = self.expected {
            self.sum.update(&buffer[..count]);
            if count == 0 && !buffer.is_empty() {
                self.expected = None;
                if self.sum.clone().finalize() != expected {
                    return Err(damaged("its checksum does not match"));
                }
            }
        }
        Ok(count)
    }
}

/// Unpacks gzip and zstd, which are known by their first bytes; other bytes pass as they are.
pub(super) fn transparent<'a>(
    mut reader: impl Read + 'a,
    budget: &Rc<Budget>,
) -> Box<dyn BufRead + 'a> {
    let mut head = Vec::with_capacity(4);
    let result = reader.by_ref().take(4).read_to_end(&mut head);
    if let Err(error) = result {
        return Box::new(Cursor::new(head).chain(Closed(error)));
    }
    let is = |magic: &[u8]| head.starts_with(magic);
    let (is_gzip, is_zstd) = (is(GZIP), is(ZSTD));
    let whole = Cursor::new(head).chain(buffered(reader));
    if is_gzip {
        let checked = Checked::new(MultiGzDecoder::new(whole), None, Rc::clone(budget));
        Box::new(buffered(checked))
    } else if is_zstd {
        Box::new(buffered(Checked::new(
            Zstd::new(whole),
            None,
            Rc::clone(budget),
        )))
    } else {
        Box::new(whole)
    }
}

/// Bytes that cannot be opened, which the first read says.
pub(super) struct Closed(pub(super) io::Error);

impl Read for Closed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.fill_buf().map(<[u8]>::len)
    }
}

impl BufRead for Closed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Err(io::Error::new(self.0.kind(), self.0.to_string()))
    }

    fn consume(&mut self, _: usize) {}
}

pub(super) fn buffered<R: Read>(reader: R) -> io::BufReader<R> {
    io::BufReader::with_capacity(BUFFER_BYTES, reader)
}

pub(super) fn damaged(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_owned())
}
