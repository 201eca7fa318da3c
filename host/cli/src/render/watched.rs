//! Tells the failure of an output from that of whatever is written to it.

use std::io::{self, Write};

/// An output that remembers why it failed.
pub(super) struct Watched<W> {
    inner: W,
    pub(super) failure: Option<io::Error>,
}

impl<W: Write> Watched<W> {
    pub(super) const fn new(inner: W) -> Self {
        Self {
            inner,
            failure: None,
        }
    }

    fn watch<T>(&mut self, written: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &written
            && error.kind() != io::ErrorKind::Interrupted
        {
            let copy = match error.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(error.kind(), error.to_string()),
            };
            self.failure.get_or_insert(copy);
        }
        written
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes);
        self.watch(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.inner.flush();
        self.watch(flushed)
    }
}
