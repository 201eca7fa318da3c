//! The OCI distribution API as far as a plugin needs it: a token, a manifest, a blob.
//!
//! What is asked goes through [`super::http`], whose size, redirects and
//! addresses are bounded.

use reqwest::Url;
use serde::Deserialize;

use super::error::FetchFault;
use super::handshake;
use super::http::{self, Ask, Authorization};
use super::login::Logins;
use super::reach::Reach;
use synix_core::digest::Digest;
use synix_core::loopback::is_loopback;
use synix_manifest::{Image, sha256};

/// The media types of a layer that is a component.
const WASM: [&str; 2] = [
    "application/wasm",
    "application/vnd.wasm.content.layer.v1+wasm",
];
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.index.v1+json";
/// As much as registries must take.
const MANIFEST_BYTES: u64 = 4 << 20;
/// What is shown of a registry's words.
const SHOWN: usize = 200;

/// What a registry knows under a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    /// One image.
    Image { layers: Vec<Descriptor> },
    /// Several, for the reader to choose from; they are not looked at.
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

/// An open way to one registry.
pub(super) struct Door {
    base: String,
    authorization: Authorization,
    reach: Reach,
}

/// A layer that is a component.
#[derive(Debug, PartialEq)]
pub(super) struct Layer {
    pub(super) digest: Digest,
    pub(super) size: u64,
}

impl Layer {
    /// Refuses a layer that is not as long as its manifest says.
    pub(super) fn check_size(&self, found: u64) -> Result<(), FetchFault> {
        if found == self.size {
            return Ok(());
        }
        Err(FetchFault::Manifest(format!(
            "it says that the layer has {} bytes, and it has {found}",
            self.size
        )))
    }
}

impl Door {
    /// Asks the registry for a token, if it wants one.
    pub(super) async fn open(
        image: &Image,
        logins: &Logins,
        reach: Reach,
    ) -> Result<Self, FetchFault> {
        let registry = image.address();
        let scheme = if is_loopback(registry) {
            "http"
        } else {
            "https"
        };
        let base = Url::parse(&format!("{scheme}://{registry}/"))
            .map_err(|error| FetchFault::Url(error.to_string()))?;
        let login = logins.of(image.registry());
        let authorization = handshake::authorize(&base, image.repository(), login, reach).await?;
        Ok(Self {
            base: format!("{scheme}://{registry}/v2/{}", image.repository()),
            authorization,
            reach,
        })
    }

    /// Returns the one layer of an image that is a component.
    pub(super) async fn layer(&self, image: &Image) -> Result<Layer, FetchFault> {
        let name = image.version();
        let bytes = self
            .get(
                &format!("manifests/{name}"),
                Some(MANIFESTS),
                MANIFEST_BYTES,
            )
            .await?;
        if let Some(expected) = image.digest() {
            let found = Digest::of(&bytes);
            if found != expected {
                return Err(FetchFault::OtherDigest { expected });
            }
        }
        match serde_json::from_slice(&bytes) {
            Ok(Manifest::Image { layers }) => component(&layers).map_err(FetchFault::Manifest),
            Ok(Manifest::Index { .. }) => Err(FetchFault::Manifest(
                "it is an index of several images; name one of them by its digest".to_owned(),
            )),
            Err(_) => Err(FetchFault::Manifest("it is no OCI manifest".to_owned())),
        }
    }

    /// Returns a blob; its digest is for the caller to check.
    pub(super) async fn blob(&self, digest: Digest, most: u64) -> Result<Vec<u8>, FetchFault> {
        self.get(&format!("blobs/sha256:{digest}"), None, most)
            .await
    }

    async fn get(
        &self,
        path: &str,
        accept: Option<&str>,
        most: u64,
    ) -> Result<Vec<u8>, FetchFault> {
        let url = Url::parse(&format!("{}/{path}", self.base))
            .map_err(|error| FetchFault::Url(error.to_string()))?;
        let ask = Ask {
            url: &url,
            accept,
            authorization: &self.authorization,
            most,
            admitted: self.reach.into(),
        };
        http::get(ask).await
    }
}

fn component(layers: &[Descriptor]) -> Result<Layer, String> {
    let mut components = layers
        .iter()
        .filter(|layer| WASM.contains(&layer.media_type.as_str()));
    let layer = components.next().ok_or_else(|| {
        let types: Vec<&str> = layers
            .iter()
            .map(|layer| layer.media_type.as_str())
            .collect();
        let found = cut(&types.join(", "));
        format!("no layer has the media type {}, only [{found}]", WASM[0])
    })?;
    let more = components.count();
    if more > 0 {
        return Err(format!(
            "{} layers are components, and a plugin is one",
            more + 1
        ));
    }
    Ok(Layer {
        digest: sha256(&layer.digest)
            .ok_or_else(|| format!("the layer's digest is no SHA-256: {:?}", cut(&layer.digest)))?,
        size: u64::try_from(layer.size).map_err(|_| "the layer's size is negative".to_owned())?,
    })
}

fn cut(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layers(types: &[&str], digest: &str) -> Result<Layer, String> {
        let layers: Vec<_> = types
            .iter()
            .map(|media_type| json!({"mediaType": media_type, "digest": digest, "size": 7}))
            .collect();
        let config = json!({"mediaType": "application/vnd.wasm.config.v0+json", "digest": digest, "size": 2});
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        match serde_json::from_value(manifest).unwrap() {
            Manifest::Image { layers } => component(&layers),
            Manifest::Index { .. } => panic!("read as an index"),
        }
    }

    #[test]
    fn an_index_of_images_is_told_from_an_image() {
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
    fn the_one_layer_that_is_a_component_is_taken() {
        let digest = Digest::of(b"a");
        let text = format!("sha256:{digest}");
        for wasm in WASM {
            let taken = layers(&["text/markdown", wasm], &text);
            assert_eq!(taken, Ok(Layer { digest, size: 7 }));
        }
        let message = |types: &[&str], digest: &str| layers(types, digest).unwrap_err();
        assert!(message(&["text/plain"], &text).contains("only [text/plain]"));
        assert!(message(&WASM, &text).contains("2 layers"));
        assert!(message(&WASM[..1], "sha512:abc").contains("no SHA-256"));
    }
}
