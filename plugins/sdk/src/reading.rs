//! The file that a reader reads, and where its artifacts go.

use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

pub use crate::bindings::reader::synix::plugin::reading::Reason;

use crate::Output;

/// The most that one call of [`File::read_at`] returns.
pub const MAX_READ_BYTES: u32 = 1024 * 1024;

/// What [`File::reader`] asks for at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// A file of the project. It does not change while it is read.
pub struct File<'a> {
    #[cfg(target_arch = "wasm32")]
    handle: &'a crate::bindings::reader::synix::plugin::reading::File,
    #[cfg(not(target_arch = "wasm32"))]
    handle: &'a dyn crate::testing::FileBytes,
    #[cfg(not(target_arch = "wasm32"))]
    name: &'a str,
}

#[cfg(target_arch = "wasm32")]
impl<'a> File<'a> {
    pub(crate) fn new(handle: &'a crate::bindings::reader::synix::plugin::reading::File) -> Self {
        Self { handle }
    }

    /// Returns the path below the project folder, with `/` as the separator.
    pub fn name(&self) -> String {
        self.handle.name()
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// Reads up to `length` bytes from `offset`.
    ///
    /// The result is shorter at the end of the file, empty beyond it, and at most [`MAX_READ_BYTES`] long.
    pub fn read_at(&self, offset: u64, length: u32) -> Vec<u8> {
        self.handle.read(offset, length)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<'a> File<'a> {
    pub(crate) fn new(name: &'a str, handle: &'a dyn crate::testing::FileBytes) -> Self {
        Self { handle, name }
    }

    /// Returns the path below the project folder, with `/` as the separator.
    pub fn name(&self) -> String {
        self.name.to_owned()
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }

    /// Reads up to `length` bytes from `offset`.
    ///
    /// The result is shorter at the end of the file, empty beyond it, and at most [`MAX_READ_BYTES`] long.
    pub fn read_at(&self, offset: u64, length: u32) -> Vec<u8> {
        self.handle.read(offset, length.min(MAX_READ_BYTES))
    }
}

impl File<'_> {
    /// Returns a buffered reader over the file, from its start.
    pub fn reader(&self) -> BufReader<FileReader<'_>> {
        BufReader::with_capacity(
            BUFFER_BYTES,
            FileReader {
                file: self,
                position: 0,
            },
        )
    }
}

impl fmt::Debug for File<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("File")
            .field("name", &self.name())
            .field("size", &self.size())
            .finish()
    }
}

/// A [`File`] as [`Read`] and [`Seek`]. Each call asks the host, so buffer it.
#[derive(Debug)]
pub struct FileReader<'a> {
    file: &'a File<'a>,
    position: u64,
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let bytes = self.file.read_at(self.position, length.min(MAX_READ_BYTES));
        let target = buffer
            .get_mut(..bytes.len())
            .ok_or_else(|| io::Error::other("the host returned more bytes than were asked for"))?;
        target.copy_from_slice(&bytes);
        self.position += bytes.len() as u64;
        Ok(bytes.len())
    }
}

impl Seek for FileReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(step) => self.position.checked_add_signed(step),
            SeekFrom::End(step) => self.file.size().checked_add_signed(step),
        };
        self.position = target.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "cannot seek to before the start of the file",
            )
        })?;
        Ok(self.position)
    }
}

/// Names the place in the file that the next outputs and skipped parts come from, such as `line 12`.
pub fn at(place: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::reader::synix::plugin::reading::at(place);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::at(place);
}

/// Hands over one artifact. Its label is unique within the layer.
#[cfg_attr(
    target_arch = "wasm32",
    expect(
        clippy::needless_pass_by_value,
        reason = "the same signature as in a test, where it is kept"
    )
)]
pub fn emit(output: Output) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::reader::synix::plugin::reading::emit(&output);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::emit(output);
}

/// Reports something that the reader leaves out; `what` names it for people, such as a title or an identifier.
#[cfg_attr(
    target_arch = "wasm32",
    expect(
        clippy::needless_pass_by_value,
        reason = "the same signature as in a test, where it is kept"
    )
)]
pub fn skip(what: &str, reason: Reason) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::reader::synix::plugin::reading::skip(what, &reason);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::skip(what, reason);
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, Read as _, Seek as _, SeekFrom};

    use super::File;

    #[test]
    fn a_file_is_read_in_parts_and_from_any_place() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|byte| (byte % 251) as u8).collect();
        let file = File::new("a.bin", &bytes);
        assert_eq!(file.read_at(0, u32::MAX).len(), 1024 * 1024);
        assert_eq!(file.read_at(2_999_999, 5), [bytes[2_999_999]]);
        assert!(file.read_at(u64::MAX, 5).is_empty());

        let mut whole = Vec::new();
        file.reader().read_to_end(&mut whole).unwrap();
        assert!(whole == bytes);

        let mut reader = file.reader();
        reader.seek(SeekFrom::End(-3)).unwrap();
        assert_eq!(reader.fill_buf().unwrap(), &bytes[2_999_997..]);
        assert!(reader.seek(SeekFrom::Current(-3_000_001)).is_err());
    }
}
