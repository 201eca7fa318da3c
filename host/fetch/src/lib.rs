//! Downloads components from URLs and OCI registries, caches them, and pins them in a lock file.
//!
//! A component is identified by its digest. Bytes with a different digest are neither kept nor returned, whether they
//! come from the network or from the cache. The caller decides whether to use the network.
//!
//! ```
//! use synix_fetch::{LockFile, Pin};
//!
//! let mut lock = LockFile::default();
//! lock.pin("oci://ghcr.io/team/plugin:1.0", Pin::of(b"the component"));
//! let text = lock.to_text()?;
//! assert_eq!(LockFile::parse("synix.lock", text.as_bytes())?, lock);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod address_zone;
mod authorization;
mod cache;
mod connection_guard;
mod credentials;
mod error;
mod http;
mod lock_file;
mod oci;
mod token_server;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use reqwest::Url;

use synix_core::digest::Digest;
use synix_manifest::PluginRef;

pub use connection_guard::AddressPolicy;
pub use credentials::DockerCredentials;
pub use error::{FetchError, FetchErrorKind};
pub use lock_file::{LockFile, LockFileChange, LockFileError, Pin};

use address_zone::AddressZone;
use authorization::Authorization;
use cache::Cache;
use http::GetRequest;
use oci::RegistryClient;

/// Returns whether an address is public, rather than on this machine or a local network.
pub fn is_public_address(address: IpAddr) -> bool {
    AddressZone::of(address) == AddressZone::Public
}

/// The limits of a download.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    /// The maximum size of a component.
    pub bytes: u64,
    /// The maximum time for a component, including redirects and authorization.
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

/// A component and its pin.
#[derive(Debug, Clone)]
pub struct Component {
    /// Digest and size of the bytes.
    pub pin: Pin,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Component {
    /// Wraps any bytes.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self {
            pin: Pin::of(&bytes),
            bytes,
        }
    }
}

/// Fetches components, from the cache if possible.
pub struct PluginFetcher {
    cache: Option<Cache>,
    credentials: DockerCredentials,
    limits: FetchLimits,
}

impl PluginFetcher {
    /// Opens no connection yet. If there is a folder `cache`, components are kept in it.
    pub fn new(cache: Option<&Path>, credentials: DockerCredentials, limits: FetchLimits) -> Self {
        Self {
            cache: cache.map(Cache::new),
            credentials,
            limits,
        }
    }

    /// Returns a component from the cache.
    pub fn cached(&self, digest: Digest) -> Option<Component> {
        self.cache.as_ref()?.get(digest).map(Component::of)
    }

    /// Returns the component that a reference currently points to. Queries the registry, but prefers cached bytes.
    pub async fn resolve(
        &self,
        reference: &PluginRef,
        policy: AddressPolicy,
    ) -> Result<Component, FetchError> {
        self.with_timeout(reference, async {
            match reference {
                PluginRef::Url { digest, .. } => self.fetch(reference, *digest, policy).await,
                PluginRef::Oci { image, .. } => {
                    let client = RegistryClient::connect(image, &self.credentials, policy).await?;
                    let layer = client.component_layer(image).await?;
                    if layer.size > self.limits.bytes {
                        return Err(self.too_large());
                    }
                    let component = match self.cached(layer.digest) {
                        Some(cached) => cached,
                        None => {
                            let bytes = client.blob(layer.digest, self.limits.bytes).await?;
                            self.verify_and_cache(bytes, layer.digest)?
                        }
                    };
                    layer.check_size(component.pin.size)?;
                    Ok(component)
                }
                PluginRef::FirstParty(_) | PluginRef::File(_) => Err(FetchErrorKind::NotRemote),
            }
        })
        .await
    }

    /// Returns the component that a reference is pinned to, even if its tag has moved.
    pub async fn fetch_pinned(
        &self,
        reference: &PluginRef,
        digest: Digest,
        policy: AddressPolicy,
    ) -> Result<Component, FetchError> {
        self.with_timeout(reference, self.fetch(reference, digest, policy))
            .await
    }

    async fn fetch(
        &self,
        reference: &PluginRef,
        digest: Digest,
        policy: AddressPolicy,
    ) -> Result<Component, FetchErrorKind> {
        if let Some(cached) = self.cached(digest) {
            return Ok(cached);
        }
        let max_bytes = self.limits.bytes;
        let bytes = match reference {
            PluginRef::Url { url, .. } => {
                let url =
                    Url::parse(url).map_err(|error| FetchErrorKind::Url(error.to_string()))?;
                let request = GetRequest {
                    url: &url,
                    accept: None,
                    authorization: &Authorization::None,
                    max_bytes,
                    zones: policy.into(),
                };
                http::get(request).await?
            }
            PluginRef::Oci { image, .. } => {
                let client = RegistryClient::connect(image, &self.credentials, policy).await?;
                client.blob(digest, max_bytes).await?
            }
            PluginRef::FirstParty(_) | PluginRef::File(_) => {
                return Err(FetchErrorKind::NotRemote);
            }
        };
        self.verify_and_cache(bytes, digest)
    }

    fn verify_and_cache(
        &self,
        bytes: Vec<u8>,
        expected: Digest,
    ) -> Result<Component, FetchErrorKind> {
        let component = Component::of(bytes);
        if component.pin.digest != expected {
            return Err(FetchErrorKind::OtherDigest { expected });
        }
        if let Some(cache) = &self.cache {
            cache.put(expected, &component.bytes)?;
        }
        Ok(component)
    }

    fn too_large(&self) -> FetchErrorKind {
        FetchErrorKind::TooLarge {
            limit: self.limits.bytes,
        }
    }

    async fn with_timeout<T>(
        &self,
        reference: &PluginRef,
        work: impl Future<Output = Result<T, FetchErrorKind>>,
    ) -> Result<T, FetchError> {
        let limit = self.limits.time;
        tokio::time::timeout(limit, work)
            .await
            .unwrap_or(Err(FetchErrorKind::TimedOut { limit }))
            .map_err(|source| FetchError::new(reference.text(), source))
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_download_from_a_silent_server_times_out() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/a.wasm", silent.local_addr().unwrap());
        let digest = Digest::of(b"a");
        let reference = PluginRef::Url {
            reference: format!("{url}#sha256={digest}"),
            url,
            digest,
        };
        let limits = FetchLimits {
            time: Duration::ZERO,
            ..FetchLimits::default()
        };
        let fetcher = PluginFetcher::new(None, DockerCredentials::default(), limits);
        let error = fetcher
            .resolve(&reference, AddressPolicy::Any)
            .await
            .unwrap_err();
        assert!(
            matches!(error.source, FetchErrorKind::TimedOut { .. }),
            "{error:?}"
        );
    }
}
