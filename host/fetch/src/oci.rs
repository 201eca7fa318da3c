//! A client for the parts of the OCI distribution API that plugins need: tokens, manifests and blobs.
//!
//! All requests go through [`super::http`], which limits their size, redirects and addresses.

use reqwest::Url;
use serde::Deserialize;

use super::authorization::{Authorization, authorize};
use super::connection_guard::AddressPolicy;
use super::credentials::DockerCredentials;
use super::error::FetchErrorKind;
use super::http::{self, GetRequest};
use synix_core::digest::Digest;
use synix_core::loopback::is_loopback;
use synix_manifest::{ImageReference, parse_sha256};

/// The media types of a layer with a component.
const WASM_MEDIA_TYPES: [&str; 2] = [
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
];
const MANIFEST_MEDIA_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.index.v1+json";
/// The size that every registry must support.
const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// The maximum length of a registry's text in a message, in characters.
const MAX_SHOWN_CHARS: usize = 200;

/// The manifest of an image or of several images.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    /// A single image.
    Image { layers: Vec<Descriptor> },
    /// An index of several images, which synix does not support.
    Index {
        #[serde(rename = "manifests")]
        _manifests: Vec<serde::de::IgnoredAny>,
    },
}

#[derive(Deserialize)]
struct Descriptor {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: String,
    size: i64,
}

/// An authorized client for a repository of a registry.
pub(super) struct RegistryClient {
    base: String,
    authorization: Authorization,
    policy: AddressPolicy,
}

/// A layer with a component.
#[derive(Debug, PartialEq)]
pub(super) struct ComponentLayer {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl ComponentLayer {
    /// Returns an error if the size differs from the manifest.
    pub(super) fn check_size(&self, found: u64) -> Result<(), FetchErrorKind> {
        if found == self.size {
            return Ok(());
        }
        Err(FetchErrorKind::Manifest(format!(
            "it says that the layer has {} bytes, but the layer has {found}",
            self.size
        )))
    }
}

impl RegistryClient {
    /// Creates a client, with a token if the registry requires one.
    pub(super) async fn connect(
        image: &ImageReference,
        credentials: &DockerCredentials,
        policy: AddressPolicy,
    ) -> Result<Self, FetchErrorKind> {
        let registry = image.address();
        let scheme = if is_loopback(registry) {
            "http"
        } else {
            "https"
        };
        let base = Url::parse(&format!("{scheme}://{registry}/"))
            .map_err(|error| FetchErrorKind::Url(error.to_string()))?;
        let credentials = credentials.for_registry(image.registry());
        let authorization = authorize(&base, image.repository(), credentials, policy).await?;
        Ok(Self {
            base: format!("{scheme}://{registry}/v2/{}", image.repository()),
            authorization,
            policy,
        })
    }

    /// Returns the only layer of an image with a component.
    pub(super) async fn component_layer(
        &self,
        image: &ImageReference,
    ) -> Result<ComponentLayer, FetchErrorKind> {
        let name = image.tag_or_digest();
        let bytes = self
            .get(
                &format!("manifests/{name}"),
                Some(MANIFEST_MEDIA_TYPES),
                MAX_MANIFEST_BYTES,
            )
            .await?;
        if let Some(expected) = image.digest() {
            let found = Digest::of(&bytes);
            if found != expected {
                return Err(FetchErrorKind::OtherDigest { expected });
            }
        }
        match serde_json::from_slice(&bytes) {
            Ok(Manifest::Image { layers }) => {
                find_component(&layers).map_err(FetchErrorKind::Manifest)
            }
            Ok(Manifest::Index { .. }) => Err(FetchErrorKind::Manifest(
                "it is an index of several images; refer to one of them by its digest".to_owned(),
            )),
            Err(_) => Err(FetchErrorKind::Manifest(
                "it is not an OCI manifest".to_owned(),
            )),
        }
    }

    /// Downloads a blob. The caller must check its digest.
    pub(super) async fn blob(
        &self,
        digest: Digest,
        max_bytes: u64,
    ) -> Result<Vec<u8>, FetchErrorKind> {
        self.get(&format!("blobs/sha256:{digest}"), None, max_bytes)
            .await
    }

    async fn get(
        &self,
        path: &str,
        accept: Option<&str>,
        max_bytes: u64,
    ) -> Result<Vec<u8>, FetchErrorKind> {
        let url = Url::parse(&format!("{}/{path}", self.base))
            .map_err(|error| FetchErrorKind::Url(error.to_string()))?;
        let request = GetRequest {
            url: &url,
            accept,
            authorization: &self.authorization,
            max_bytes,
            zones: self.policy.into(),
        };
        http::get(request).await
    }
}

fn find_component(layers: &[Descriptor]) -> Result<ComponentLayer, String> {
    let mut components = layers
        .iter()
        .filter(|layer| WASM_MEDIA_TYPES.contains(&layer.media_type.as_str()));
    let layer = components.next().ok_or_else(|| {
        let types: Vec<&str> = layers
            .iter()
            .map(|layer| layer.media_type.as_str())
            .collect();
        let found = shorten(&types.join(", "));
        format!(
            "no layer has the media type {}, only [{found}]",
            WASM_MEDIA_TYPES[0]
        )
    })?;
    let more = components.count();
    if more > 0 {
        return Err(format!(
            "{} layers contain components, but a plugin has exactly one",
            more + 1
        ));
    }
    Ok(ComponentLayer {
        digest: parse_sha256(&layer.digest).ok_or_else(|| {
            format!(
                "the digest of the layer is not a SHA-256: {:?}",
                shorten(&layer.digest)
            )
        })?,
        size: u64::try_from(layer.size)
            .map_err(|_| "the size of the layer is negative".to_owned())?,
    })
}

fn shorten(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_SHOWN_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layers(types: &[&str], digest: &str) -> Result<ComponentLayer, String> {
        let layers: Vec<_> = types
            .iter()
            .map(|media_type| json!({"mediaType": media_type, "digest": digest, "size": 7}))
            .collect();
        let config = json!({"mediaType": "application/vnd.wasm.config.v0+json", "digest": digest, "size": 2});
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        match serde_json::from_value(manifest).unwrap() {
            Manifest::Image { layers } => find_component(&layers),
            Manifest::Index { .. } => panic!("read as an index"),
        }
    }

    #[test]
    fn an_index_and_an_image_are_distinguished() {
        let image = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "x", "size": 1});
        let read = |manifest| serde_json::from_value::<Manifest>(manifest);
        let index = read(json!({"schemaVersion": 2, "manifests": [image]}));
        assert!(matches!(index, Ok(Manifest::Index { .. })));
        for neither in [
            json!({"schemaVersion": 1}),
            json!({"layers": [{}]}),
            json!([]),
        ] {
            assert!(read(neither.clone()).is_err(), "{neither}");
        }
    }

    #[test]
    fn the_only_layer_with_a_component_is_used() {
        let digest = Digest::of(b"a");
        let text = format!("sha256:{digest}");
        for wasm in WASM_MEDIA_TYPES {
            let layer = layers(&["text/markdown", wasm], &text);
            assert_eq!(layer, Ok(ComponentLayer { digest, size: 7 }));
        }
        let message = |types: &[&str], digest: &str| layers(types, digest).unwrap_err();
        assert!(message(&["text/plain"], &text).contains("only [text/plain]"));
        assert!(message(&WASM_MEDIA_TYPES, &text).contains("2 layers"));
        assert!(message(&WASM_MEDIA_TYPES[..1], "sha512:abc").contains("not a SHA-256"));
    }
}
