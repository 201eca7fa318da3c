//! References to plugins: the values of `transform = "…"` and `read = "…"`.

use super::error_kind::PipelineErrorKind;
use super::image_reference::ImageReference;
use reqwest::Url;
use synix_core::digest::Digest;
use synix_core::ids::check_name;
use synix_core::loopback::is_loopback;

const OCI: &str = "oci://";

/// A reference to a transform or a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginRef {
    /// A plugin that comes with synix.
    FirstParty(String),
    /// The path of a component, relative to the pipeline file.
    File(String),
    /// A component at a URL.
    Url {
        /// The reference as written.
        reference: String,
        /// The URL without the digest.
        url: String,
        /// The digest of the component.
        digest: Digest,
    },
    /// A component in an OCI registry.
    Oci {
        /// The reference as written.
        reference: String,
        /// The reference to the image.
        image: Box<ImageReference>,
    },
}

impl PluginRef {
    /// Returns the reference as written.
    pub fn text(&self) -> &str {
        match self {
            Self::FirstParty(text) | Self::File(text) => text,
            Self::Url { reference, .. } | Self::Oci { reference, .. } => reference,
        }
    }

    /// Returns the server of the component, perhaps with a port.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Url { url, .. } => {
                let url = Url::parse(url).ok()?;
                let host = url.host_str()?;
                Some(match url.port() {
                    Some(port) => format!("{host}:{port}"),
                    None => host.to_owned(),
                })
            }
            Self::Oci { image, .. } => Some(image.address().to_owned()),
            Self::FirstParty(_) | Self::File(_) => None,
        }
    }

    /// Returns the digest of the component if the reference contains it. (The digest of an image is that of its manifest.)
    pub fn stated_digest(&self) -> Option<Digest> {
        match self {
            Self::Url { digest, .. } => Some(*digest),
            Self::FirstParty(_) | Self::File(_) | Self::Oci { .. } => None,
        }
    }

    /// Returns whether the reference allows a component with this digest.
    pub fn accepts(&self, component: Digest) -> bool {
        self.stated_digest()
            .is_none_or(|digest| digest == component)
    }

    /// Parses the value of `key`, which is `transform` or `read`.
    pub fn parse(key: &'static str, text: &str) -> Result<Self, PipelineErrorKind> {
        let rule = |rule: String| PipelineErrorKind::BadValue(rule);
        if let Some(image) = text.strip_prefix(OCI) {
            return Ok(Self::Oci {
                reference: text.to_owned(),
                image: Box::new(ImageReference::parse(image).map_err(rule)?),
            });
        }
        if text.contains("://") {
            return parse_url(text).map_err(rule);
        }
        let is_component = text
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extension == "wasm");
        if !(text.starts_with("./") || text.starts_with("../") || is_component) {
            check_name(key, text).map_err(PipelineErrorKind::Name)?;
            return Ok(Self::FirstParty(text.to_owned()));
        }
        check_path(text).map_err(|message| rule(message.to_owned()))?;
        Ok(Self::File(text.to_owned()))
    }
}

fn check_path(text: &str) -> Result<(), &'static str> {
    if text.contains('\\') {
        return Err("separate folders by `/`");
    }
    if text.starts_with('/') || text.as_bytes().get(1) == Some(&b':') {
        return Err("be relative to the pipeline file");
    }
    if text.ends_with('/') {
        return Err("name a file");
    }
    Ok(())
}

fn parse_url(text: &str) -> Result<PluginRef, String> {
    let mut url = Url::parse(text).map_err(|error| format!("be a URL: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => {
            return Err("start with `https://`; `http://` is only allowed for this machine".into());
        }
        _ => return Err("start with `https://` or `oci://`, or be a path or a name".into()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("not contain a user or a password".into());
    }
    let digest = url
        .fragment()
        .and_then(|fragment| fragment.strip_prefix("sha256=")?.parse().ok())
        .ok_or("end with the component's digest, `#sha256=` and 64 lower-case hex digits")?;
    url.set_fragment(None);
    Ok(PluginRef::Url {
        reference: text.to_owned(),
        url: url.into(),
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn refused(text: &str) -> String {
        PluginRef::parse("transform", text).unwrap_err().to_string()
    }

    #[test]
    fn a_url_is_separated_from_its_digest() {
        let text = format!("https://example.com/a.wasm?v=1#sha256={HEX}");
        let PluginRef::Url { url, digest, .. } = PluginRef::parse("transform", &text).unwrap()
        else {
            panic!("no URL");
        };
        assert_eq!(url, "https://example.com/a.wasm?v=1");
        assert_eq!(digest.to_string(), HEX);
    }

    #[test]
    fn a_url_must_have_a_digest_and_use_https() {
        for (text, rule) in [
            (
                "https://example.com/a.wasm".to_owned(),
                "end with the component's digest",
            ),
            (
                "https://example.com/a.wasm#sha256=abc".to_owned(),
                "end with the component's digest",
            ),
            (
                format!("http://example.com/a.wasm#sha256={HEX}"),
                "start with `https://`",
            ),
            (
                format!("http://127.0.0.1.example.com/#sha256={HEX}"),
                "start with `https://`",
            ),
            (
                format!("https://me:secret@example.com/#sha256={HEX}"),
                "not contain a user",
            ),
            (
                format!("ftp://example.com/a.wasm#sha256={HEX}"),
                "start with `https://` or",
            ),
        ] {
            let message = refused(&text);
            assert!(
                message.contains(rule) && !message.contains("secret"),
                "{message}"
            );
        }
        assert!(
            PluginRef::parse("transform", &format!("http://127.0.0.1:80/a#sha256={HEX}")).is_ok()
        );
    }

    #[test]
    fn an_image_must_have_a_registry_a_repository_and_a_tag_or_digest() {
        for text in [
            "oci://ghcr.io/team/plugin:1.0".to_owned(),
            "oci://localhost/plugin:1.0".to_owned(),
            "oci://127.0.0.1:5000/plugin:1.0".to_owned(),
            format!("oci://ghcr.io/team/plugin@sha256:{HEX}"),
        ] {
            let read = PluginRef::parse("transform", &text);
            assert!(
                matches!(&read, Ok(PluginRef::Oci { .. })),
                "{text}: {read:?}"
            );
        }
        for (text, rule) in [
            (
                "oci://plugin:1.0".to_owned(),
                "as in `oci://ghcr.io/team/plugin:1.0`",
            ),
            ("oci://team/plugin:1.0".to_owned(), "name a registry"),
            (
                "oci://ghcr.io/team/plugin".to_owned(),
                "name a tag or a digest",
            ),
            (
                "oci://ghcr.io/Team/plugin:1".to_owned(),
                "name a registry, a repository",
            ),
            (
                format!("oci://ghcr.io/a/b@sha512:{HEX}{HEX}"),
                "a digest of the form",
            ),
        ] {
            assert!(refused(&text).contains(rule), "{text}: {}", refused(&text));
        }
    }
}
