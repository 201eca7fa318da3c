//! What the tests of readers share: small archives, odd ones included, and files in parts.

use std::cell::RefCell;
use std::io::Write as _;
use std::rc::Rc;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use synix_plugin::Reader;
use synix_plugin::testing::{FileBytes, read_each};

/// A zip that is being made. The fields apply to the entries that are added after they are set.
#[derive(Debug, Default)]
pub struct ZipMaker {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
    /// Bits of the general purpose flag, such as 1 for encrypted.
    pub flags: u16,
    /// The number of the method that is written, whatever the bytes are packed by.
    pub method: Option<u16>,
    /// The type and the rights in Unix.
    pub mode: u32,
    /// Whether the sizes follow the bytes.
    pub streams: bool,
}

impl ZipMaker {
    /// Makes a zip whose entries have their sizes behind them, as a program that writes to a pipe does.
    pub fn streaming() -> Self {
        Self {
            streams: true,
            ..Self::default()
        }
    }

    /// Adds bytes as they are.
    #[must_use]
    pub fn stored(self, name: &str, bytes: &[u8]) -> Self {
        self.add(name.as_bytes(), bytes, bytes, 0)
    }

    /// Adds bytes deflated.
    #[must_use]
    pub fn deflated(self, name: &str, bytes: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), level(bytes));
        let packed = encoder
            .write_all(bytes)
            .and_then(|()| encoder.finish())
            .unwrap_or_default();
        self.add(name.as_bytes(), bytes, &packed, 8)
    }

    /// Adds packed bytes under a name of any bytes.
    #[must_use]
    pub fn add(mut self, name: &[u8], bytes: &[u8], packed: &[u8], method: u16) -> Self {
        let method = self.method.unwrap_or(method);
        let flags = self.flags | if self.streams { 8 } else { 0 };
        let sum = crc32fast::hash(bytes);
        let offset = u32_of(self.bytes.len());
        let sizes = [sum, u32_of(packed.len()), u32_of(bytes.len())];
        let local = if self.streams { [0; 3] } else { sizes };
        let head = |version: &[u16], sizes: [u32; 3]| {
            let mut head = Vec::new();
            for number in version.iter().chain(&[flags, method, 0, 0]) {
                head.extend(number.to_le_bytes());
            }
            head.extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
            head.extend(u16_of(name.len()).to_le_bytes());
            head.extend([0, 0]);
            head
        };
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(head(&[20], local));
        self.bytes.extend(name);
        self.bytes.extend(packed);
        if self.streams {
            self.bytes.extend(b"PK\x07\x08");
            self.bytes
                .extend(sizes.iter().flat_map(|size| size.to_le_bytes()));
        }
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(head(&[20 | 3 << 8, 20], sizes));
        self.directory.extend([0; 6]);
        self.directory.extend((self.mode << 16).to_le_bytes());
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name);
        self.entries += 1;
        self
    }

    /// Returns the archive.
    pub fn finish(self) -> Vec<u8> {
        let Self {
            mut bytes,
            directory,
            entries,
            ..
        } = self;
        let start = u32_of(bytes.len());
        bytes.extend(&directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend(entries.to_le_bytes());
        bytes.extend(entries.to_le_bytes());
        bytes.extend(u32_of(directory.len()).to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }
}

/// Packs bytes with gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level(bytes));
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .unwrap_or_default()
}

/// Puts bytes into a zstd frame, unpacked.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    // A frame without a window's size or a checksum: the size of the content has 4 bytes.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
    frame.extend(u32_of(bytes.len()).to_le_bytes());
    let mut blocks = bytes.chunks(100_000).peekable();
    if blocks.peek().is_none() {
        frame.extend([1, 0, 0]);
    }
    while let Some(block) = blocks.next() {
        let is_last = u32::from(blocks.peek().is_none());
        let head = u32_of(block.len()) << 3 | is_last;
        frame.extend(&head.to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame
}

/// A file whose every read returns one byte, as a host may do.
struct SingleBytes<'a>(&'a [u8]);

impl FileBytes for SingleBytes<'_> {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, length: u32) -> Vec<u8> {
        self.0.read(offset, length.min(1))
    }
}

/// Panics unless a reader makes the same of a file, packed in each way, whether it is read at once or byte by byte.
///
/// # Panics
///
/// If the reader relies on the length of what one read returns, or makes no artifact of the file.
pub fn assert_single_bytes_suffice<R: Reader>(name: &str, file: &[u8], config: &str) {
    let zip = ZipMaker::default()
        .deflated(name, file)
        .stored(&format!("stored/{name}"), file);
    let files = [
        (name.to_owned(), file.to_vec()),
        (format!("gzip/{name}"), gzip(file)),
        (format!("zstd/{name}"), zstd(file)),
        ("a.zip".to_owned(), zip.finish()),
    ];
    for (name, file) in files {
        let at_once = all_of::<R>(&name, file.as_slice(), config);
        assert!(at_once.contains("Output"), "{name}: {at_once}");
        let in_parts = all_of::<R>(&name, SingleBytes(&file), config);
        assert_eq!(in_parts, at_once, "{name}");
    }
}

/// Returns everything that a reader makes of a file.
fn all_of<R: Reader>(name: &str, file: impl FileBytes, config: &str) -> String {
    let seen = Rc::new(RefCell::new(String::new()));
    let text = Rc::clone(&seen);
    let run = read_each::<R>(name, file, config, move |place, output| {
        text.borrow_mut()
            .push_str(&format!("{place}: {output:#?}\n"));
    });
    let outputs = seen.borrow();
    format!("{outputs}{:#?}\n{:?}", run.skipped, run.result)
}

/// Most files of tests are small and only need to be packed; a large one is a bomb, which has to pack well.
fn level(bytes: &[u8]) -> Compression {
    if bytes.len() < 1 << 20 {
        Compression::fast()
    } else {
        Compression::default()
    }
}

fn u16_of(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

fn u32_of(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
