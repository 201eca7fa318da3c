//! Compiled components in the user's cache folder.
//!
//! ```text
//! magic line · SHA-256 of all that follows · length of the descriptor · descriptor as JSON · machine code
//! ```
//!
//! A file stands under the digest of its component and of the engine's
//! settings. Machine code is run as it is, so only files that this user wrote
//! and that are whole are taken; any other is treated as not there, and
//! replaced after the component is compiled again.

use std::fs::{File, Metadata};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

use super::descriptor::Descriptor;
use crate::digest::{Digest, Encoder};
use crate::disk;

const MAGIC: &[u8] = b"synix compiled component 1\n";
const DIGEST_BYTES: usize = 32;
const LENGTH_BYTES: usize = 8;

/// A folder of compiled components.
pub(super) struct Cache {
    folder: PathBuf,
    settings: u64,
    owner: Owner,
}

impl Cache {
    /// Opens the folder, or returns `None` where it cannot be written.
    pub(super) fn open(folder: PathBuf, engine: &Engine) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        match Owner::of_new_files(&folder) {
            Ok(owner) => Some(Self {
                folder,
                settings: hasher.finish(),
                owner,
            }),
            Err(error) => {
                tracing::debug!(folder = %folder.display(), %error, "no compile cache");
                None
            }
        }
    }

    /// Returns the compiled component if there is a usable file of it.
    pub(super) fn get(
        &self,
        engine: &Engine,
        component: Digest,
    ) -> Option<(Component, Descriptor)> {
        let bytes = self.read(&self.path(component))?;
        let (descriptor, code) = unpack(&bytes)?;
        #[expect(
            unsafe_code,
            reason = "loading compiled code is what this cache is for"
        )]
        // SAFETY: the code is the unchanged output of this engine's compiler: the
        // file belongs to this user, nobody else may write it, its digest holds,
        // and its name names the engine's version and settings, which the engine
        // checks once more.
        let component = unsafe { Component::deserialize(engine, code) }.ok()?;
        Some((component, descriptor))
    }

    /// Keeps a compiled component. A failure costs only time, so it is not reported.
    pub(super) fn put(&self, component: Digest, compiled: &Component, descriptor: &Descriptor) {
        let path = self.path(component);
        let packed = compiled
            .serialize()
            .ok()
            .and_then(|code| pack(descriptor, &code));
        match packed.map(|bytes| disk::replace(&path, &bytes)) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::debug!(path = %path.display(), %error, "cannot keep compiled code");
            }
            None => tracing::debug!(path = %path.display(), "cannot serialise compiled code"),
        }
    }

    fn path(&self, component: Digest) -> PathBuf {
        let name = Encoder::new("synix.compiled.v1")
            .digest(component)
            .number(self.settings)
            .finish();
        self.folder.join(format!("{name}.cwasm"))
    }

    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let mut file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || !self.owner.wrote(&metadata) {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

fn pack(descriptor: &Descriptor, code: &[u8]) -> Option<Vec<u8>> {
    let descriptor = serde_json::to_vec(descriptor).ok()?;
    let start = MAGIC.len() + DIGEST_BYTES;
    let mut bytes = Vec::with_capacity(start + LENGTH_BYTES + descriptor.len() + code.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[0; DIGEST_BYTES]);
    bytes.extend_from_slice(&(descriptor.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&descriptor);
    bytes.extend_from_slice(code);
    let digest = Digest::of(&bytes[start..]);
    bytes[MAGIC.len()..start].copy_from_slice(digest.as_bytes());
    Some(bytes)
}

fn unpack(bytes: &[u8]) -> Option<(Descriptor, &[u8])> {
    let (digest, body) = bytes
        .strip_prefix(MAGIC)?
        .split_first_chunk::<DIGEST_BYTES>()?;
    if Digest::of(body).as_bytes() != digest {
        return None;
    }
    let (length, rest) = body.split_first_chunk::<LENGTH_BYTES>()?;
    let (descriptor, code) =
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((serde_json::from_slice(descriptor).ok()?, code))
}

/// Who may have written a file that is trusted.
struct Owner {
    #[cfg(unix)]
    user: u32,
}

#[cfg(unix)]
impl Owner {
    /// Learns who owns what this process writes, which also shows that it can.
    fn of_new_files(folder: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::create_dir_all(folder)?;
        Ok(Self {
            user: tempfile::tempfile_in(folder)?.metadata()?.uid(),
        })
    }

    fn wrote(&self, file: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        const OTHERS_WRITE: u32 = 0o022;
        file.uid() == self.user && file.mode() & OTHERS_WRITE == 0
    }
}

#[cfg(not(unix))]
impl Owner {
    fn of_new_files(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        tempfile::tempfile_in(folder)?;
        Ok(Self {})
    }

    /// Elsewhere a user's cache folder is that user's alone.
    fn wrote(&self, _: &Metadata) -> bool {
        true
    }
}
