//! Components from elsewhere: downloads them, keeps them in the user's cache, pins them in a lock file.
//!
//! Whatever a server says, a component is its digest: bytes with another one
//! are not kept and not returned, neither from the network nor from the cache.
//! Whether the network may be asked is for the caller.
//!
//! ```
//! use synix_fetch::{Lock, Pin};
//!
//! let mut lock = Lock::default();
//! lock.pin("oci://ghcr.io/team/plugin:1.0", Pin::of(b"the component"));
//! let text = lock.to_text()?;
//! assert_eq!(Lock::parse("synix.lock", text.as_bytes())?, lock);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod cache;
mod error;
mod handshake;
mod http;
mod lock;
mod login;
mod oci;
mod reach;
mod site;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::Url;

use synix_core::digest::Digest;
use synix_manifest::TransformRef;

pub use error::{FetchFault, RegistryError};
pub use lock::{Lock, LockChange, LockError, Pin};
pub use login::Logins;
pub use reach::Reach;

use cache::Cache;
use http::{Ask, Authorization};

/// Says whether an address is one that anybody can reach, and not only this machine or its neighbours.
pub fn is_public(address: IpAddr) -> bool {
    reach::Zone::of(address) == reach::Zone::Public
}

/// What a download may take.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// The largest component.
    pub bytes: u64,
    /// The longest time for one component, everything included.
    pub time: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            time: Duration::from_secs(300),
        }
    }
}

/// A component with what pins it.
#[derive(Debug, Clone)]
pub struct Component {
    /// Digest and size of the bytes.
    pub pin: Pin,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Component {
    /// Wraps bytes, whatever they are.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self {
            pin: Pin::of(&bytes),
            bytes,
        }
    }
}

/// The way to components from elsewhere.
pub struct Registry {
    cache: Option<Cache>,
    logins: Logins,
    limits: FetchLimits,
}

impl Registry {
    /// Opens no connection yet. Components are kept below the folder `cache`, if there is one.
    pub fn new(cache: Option<&Path>, logins: Logins, limits: FetchLimits) -> Self {
        Self {
            cache: cache.map(Cache::below),
            logins,
            limits,
        }
    }

    /// Returns a component that the cache has.
    pub fn cached(&self, digest: Digest) -> Option<Component> {
        self.cache.as_ref()?.get(digest).map(Component::of)
    }

    /// Returns what a reference stands for now. A registry is asked; the bytes come from the cache if it has them.
    pub async fn newest(
        &self,
        reference: &TransformRef,
        reach: Reach,
    ) -> Result<Component, RegistryError> {
        self.within(reference, async {
            match reference {
                TransformRef::Url { digest, .. } => self.get(reference, *digest, reach).await,
                TransformRef::Oci { image, .. } => {
                    let door = oci::Door::open(image, &self.logins, reach).await?;
                    let layer = door.layer(image).await?;
                    if layer.size > self.limits.bytes {
                        return Err(self.too_large());
                    }
                    let component = match self.cached(layer.digest) {
                        Some(cached) => cached,
                        None => {
                            let bytes = door.blob(layer.digest, self.limits.bytes).await?;
                            self.keep(bytes, layer.digest)?
                        }
                    };
                    layer.check_size(component.pin.size)?;
                    Ok(component)
                }
                TransformRef::FirstParty(_) | TransformRef::File(_) => Err(FetchFault::NotRemote),
            }
        })
        .await
    }

    /// Returns the component that a reference was pinned to, wherever its tag points now.
    pub async fn pinned(
        &self,
        reference: &TransformRef,
        digest: Digest,
        reach: Reach,
    ) -> Result<Component, RegistryError> {
        self.within(reference, self.get(reference, digest, reach))
            .await
    }

    async fn get(
        &self,
        reference: &TransformRef,
        digest: Digest,
        reach: Reach,
    ) -> Result<Component, FetchFault> {
        if let Some(cached) = self.cached(digest) {
            return Ok(cached);
        }
        let most = self.limits.bytes;
        let bytes = match reference {
            TransformRef::Url { url, .. } => {
                let url = Url::parse(url).map_err(|error| FetchFault::Url(error.to_string()))?;
                let ask = Ask {
                    url: &url,
                    accept: None,
                    authorization: &Authorization::None,
                    most,
                    admitted: reach.into(),
                };
                http::get(ask).await?
            }
            TransformRef::Oci { image, .. } => {
                let door = oci::Door::open(image, &self.logins, reach).await?;
                door.blob(digest, most).await?
            }
            TransformRef::FirstParty(_) | TransformRef::File(_) => {
                return Err(FetchFault::NotRemote);
            }
        };
        self.keep(bytes, digest)
    }

    fn keep(&self, bytes: Vec<u8>, expected: Digest) -> Result<Component, FetchFault> {
        let component = Component::of(bytes);
        if component.pin.digest != expected {
            return Err(FetchFault::OtherDigest { expected });
        }
        if let Some(cache) = &self.cache {
            cache.put(expected, &component.bytes)?;
        }
        Ok(component)
    }

    fn too_large(&self) -> FetchFault {
        FetchFault::TooLarge {
            limit: self.limits.bytes,
        }
    }

    async fn within<T>(
        &self,
        reference: &TransformRef,
        work: impl Future<Output = Result<T, FetchFault>>,
    ) -> Result<T, RegistryError> {
        let after = self.limits.time;
        tokio::time::timeout(after, work)
            .await
            .unwrap_or(Err(FetchFault::TimedOut { after }))
            .map_err(|source| RegistryError::new(reference.text(), source))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_server_that_never_answers_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/a.wasm", silent.local_addr().unwrap());
        let digest = Digest::of(b"a");
        let reference = TransformRef::Url {
            reference: format!("{url}#sha256={digest}"),
            url,
            digest,
        };
        let limits = FetchLimits {
            time: Duration::ZERO,
            ..FetchLimits::default()
        };
        let registry = Registry::new(None, Logins::default(), limits);
        let error = registry
            .newest(&reference, Reach::Anywhere)
            .await
            .unwrap_err();
        assert!(
            matches!(error.source, FetchFault::TimedOut { .. }),
            "{error:?}"
        );
    }
}
