//! Compiled components in the user's cache folder.
//!
//! ```text
//! magic line · seal of everything after it · length of the descriptor · descriptor as JSON · machine code
//! ```
//!
//! The engine runs machine code unchecked, so synix loads only code that this user's synix compiled from the same
//! component. A secret of the user seals each file. The secret is in another folder: somebody who can write the file,
//! such as the author of a cloned project, cannot seal it. The seal covers the component's digest and the engine's
//! settings, so a file is useless under another name. Any other file is treated as missing, and replaced after the
//! component is compiled again.

use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::path::PathBuf;

use wasmtime::Engine;
use wasmtime::component::Component;

use super::descriptor::Descriptor;
use synix_core::digest::{Digest, Encoder};
use synix_disk::{DiskError, Folder, SymlinkPolicy};
use synix_native::{NativeCode, SEAL_BYTES, SECRET_BYTES, Seal};

const MAGIC: &[u8] = b"synix compiled component 2\n";
const LENGTH_BYTES: usize = 8;

/// No component compiles to more than this.
const MAX_BYTES: u64 = 2 << 30;

const SECRET: &str = "compile-cache-secret";

/// Where compiled code is stored.
#[derive(Debug, Clone)]
pub struct CompileCache {
    /// The folder of the compiled code. You can delete it at any time.
    pub folder: PathBuf,
    /// The folder of the secret that seals the code. It belongs to this user alone and is outside every project.
    pub secrets: PathBuf,
}

/// A folder of compiled components.
pub(super) struct Cache {
    folder: Folder,
    settings: u64,
    owner: Owner,
    seal: Seal,
}

impl Cache {
    /// Opens the cache; returns `None` if the code or the secret cannot be written.
    pub(super) fn open(cache: &CompileCache, engine: &Engine) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let open = || -> Result<Self, DiskError> {
            let folder = Folder::open_or_create(&cache.folder, SymlinkPolicy::Follow)?;
            let owner = Owner::of(&folder)?;
            let secrets = Folder::open_or_create(&cache.secrets, SymlinkPolicy::Follow)?;
            Ok(Self {
                seal: Seal::new(&read_or_create_secret(&secrets, &owner)?, hasher.finish()),
                folder,
                settings: hasher.finish(),
                owner,
            })
        };
        match open() {
            Ok(cache) => Some(cache),
            Err(error) => {
                tracing::debug!(folder = %cache.folder.display(), %error, "no compile cache");
                None
            }
        }
    }

    /// Returns the compiled component if the cache has a valid file for it.
    pub(super) fn get(
        &self,
        engine: &Engine,
        component: Digest,
    ) -> Option<(Component, Descriptor)> {
        let bytes = self.read(&self.name(component))?;
        let (descriptor, code) = self.unpack(component, &bytes)?;
        Some((code.load(engine).ok()?, descriptor))
    }

    /// Stores a compiled component. A failure costs only time, so it is only logged.
    pub(super) fn put(&self, component: Digest, compiled: &Component, descriptor: &Descriptor) {
        let name = self.name(component);
        let packed = compiled
            .serialize()
            .ok()
            .and_then(|code| self.pack(component, descriptor, &code));
        match packed.map(|bytes| self.folder.replace(&name, &bytes)) {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::debug!(name, %error, "cannot store compiled code"),
            None => tracing::debug!(name, "cannot serialise compiled code"),
        }
    }

    fn name(&self, component: Digest) -> String {
        let name = Encoder::new("synix.compiled.v2")
            .digest(component)
            .number(self.settings)
            .finish();
        format!("{name}.cwasm")
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        let file = self.folder.open_file(name).ok()??;
        let metadata = file.metadata().ok()?;
        if !self.owner.is_only_writer(&metadata) || metadata.len() > MAX_BYTES {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?);
        file.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn pack(&self, component: Digest, descriptor: &Descriptor, code: &[u8]) -> Option<Vec<u8>> {
        let descriptor = serde_json::to_vec(descriptor).ok()?;
        let start = MAGIC.len() + SEAL_BYTES;
        let mut bytes = Vec::with_capacity(start + LENGTH_BYTES + descriptor.len() + code.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[0; SEAL_BYTES]);
        bytes.extend_from_slice(&(descriptor.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&descriptor);
        bytes.extend_from_slice(code);
        let seal = self.seal.seal(component, &bytes[start..]);
        bytes[MAGIC.len()..start].copy_from_slice(&seal);
        Some(bytes)
    }

    fn unpack<'a>(
        &self,
        component: Digest,
        bytes: &'a [u8],
    ) -> Option<(Descriptor, NativeCode<'a>)> {
        let (seal, body) = bytes
            .strip_prefix(MAGIC)?
            .split_first_chunk::<SEAL_BYTES>()?;
        let sealed = self.seal.open(component, body, seal)?;
        let length = sealed.body().first_chunk::<LENGTH_BYTES>()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (head, code) = sealed.split_at(LENGTH_BYTES.checked_add(length)?)?;
        let descriptor = head.get(LENGTH_BYTES..)?;
        Some((serde_json::from_slice(descriptor).ok()?, code))
    }
}

/// Returns the user's secret. Creates one if there is none that only this user can read.
fn read_or_create_secret(folder: &Folder, owner: &Owner) -> Result<[u8; SECRET_BYTES], DiskError> {
    if let Some(known) = read_secret(folder, owner)? {
        return Ok(known);
    }
    let (mut secret, mut suffix) = ([0; SECRET_BYTES], [0; 8]);
    getrandom::fill(&mut secret)
        .and_then(|()| getrandom::fill(&mut suffix))
        .map_err(|error| DiskError {
            action: "create a secret in",
            path: folder.path().to_owned(),
            source: io::Error::other(error.to_string()),
        })?;
    // If several processes start at once, one of them creates the secret for all: the rename fails for the others.
    let temporary = format!(".{SECRET}-{}", Digest::of(&suffix).short());
    folder.replace(&temporary, &secret)?;
    if folder.rename(&temporary, SECRET)? {
        return Ok(secret);
    }
    folder.remove(&temporary)?;
    if let Some(known) = read_secret(folder, owner)? {
        return Ok(known);
    }
    folder.replace(SECRET, &secret)?;
    Ok(secret)
}

fn read_secret(folder: &Folder, owner: &Owner) -> Result<Option<[u8; SECRET_BYTES]>, DiskError> {
    // synix never creates a link or a pipe here, so it replaces one.
    let Ok(Some(file)) = folder.open_file(SECRET) else {
        return Ok(None);
    };
    let mut secret = Vec::new();
    let read = file.metadata().and_then(|metadata| {
        file.take(SECRET_BYTES as u64 + 1)
            .read_to_end(&mut secret)?;
        Ok(owner.is_only_reader(&metadata))
    });
    let is_ours = read.map_err(|source| DiskError {
        action: "read",
        path: folder.path().join(SECRET),
        source,
    })?;
    Ok(secret.try_into().ok().filter(|_| is_ours))
}

/// The user whose files the cache trusts.
struct Owner {
    #[cfg(unix)]
    user: u32,
}

#[cfg(unix)]
impl Owner {
    /// Finds the user whom this process runs as, by writing a temporary file. Removes the access of other users to the
    /// folder.
    fn of(folder: &Folder) -> Result<Self, DiskError> {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let find_owner = || {
            let user = tempfile::tempfile_in(folder.path())?.metadata()?.uid();
            let found = std::fs::metadata(folder.path())?;
            if found.uid() != user {
                return Err(io::Error::other("the folder belongs to another user"));
            }
            if found.mode() & 0o077 != 0 {
                let closed = std::fs::Permissions::from_mode(0o700);
                std::fs::set_permissions(folder.path(), closed)?;
            }
            Ok(Self { user })
        };
        find_owner().map_err(|source| DiskError {
            action: "use",
            path: folder.path().to_owned(),
            source,
        })
    }

    fn is_only_writer(&self, file: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        const OTHERS_WRITE: u32 = 0o022;
        file.uid() == self.user && file.mode() & OTHERS_WRITE == 0
    }

    fn is_only_reader(&self, file: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        const OTHERS: u32 = 0o077;
        file.uid() == self.user && file.mode() & OTHERS == 0
    }
}

#[cfg(not(unix))]
impl Owner {
    fn of(folder: &Folder) -> Result<Self, DiskError> {
        let owner = tempfile::tempfile_in(folder.path()).map(|_| Self {});
        owner.map_err(|source| DiskError {
            action: "use",
            path: folder.path().to_owned(),
            source,
        })
    }

    /// On other systems only the user can access the user's cache folder.
    fn is_only_writer(&self, _: &Metadata) -> bool {
        true
    }

    fn is_only_reader(&self, _: &Metadata) -> bool {
        true
    }
}
