//! References to images in OCI registries: registry, repository, and tag or digest.
//!
//! The grammar is that of the OCI distribution specification.

use synix_core::digest::Digest;

/// The address of Docker's own registry differs from its name, and repositories without a folder are in `library`.
const DOCKER: &str = "docker.io";
const DOCKER_ADDRESS: &str = "index.docker.io";
const DOCKER_FOLDER: &str = "library";
const MAX_REPOSITORY_LENGTH: usize = 255;
const MAX_TAG_LENGTH: usize = 128;
const EXAMPLE: &str = "as in `oci://ghcr.io/team/plugin:1.0`";

/// A reference to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl ImageReference {
    /// Parses `registry/repository:tag`, with or without `@sha256:…`. On failure, returns the violated rule.
    ///
    /// Other tools have a default registry and tag. synix has none, because it would hide where code comes from.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (registry, rest) = text.split_once('/').unwrap_or((text, ""));
        if !(registry.contains(['.', ':']) || registry == "localhost") {
            return Err(format!("name a registry, {EXAMPLE}"));
        }
        let (name, digest) = match rest.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (rest, None),
        };
        let (repository, tag) = match name.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None => (name, None),
        };
        if !is_registry(registry) || !is_repository(repository) || !tag.is_none_or(is_tag) {
            return Err(format!(
                "name a registry, a repository and a tag, {EXAMPLE}"
            ));
        }
        if tag.is_none() && digest.is_none() {
            return Err(format!("name a tag or a digest, {EXAMPLE}"));
        }
        let rule = "have a digest of the form `@sha256:` and 64 lower-case hex digits";
        let digest = match digest {
            Some(digest) => Some(parse_sha256(digest).ok_or(rule)?),
            None => None,
        };
        let registry = match registry {
            DOCKER_ADDRESS => DOCKER,
            other => other,
        };
        let repository = if registry == DOCKER && !repository.contains('/') {
            format!("{DOCKER_FOLDER}/{repository}")
        } else {
            repository.to_owned()
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest,
        })
    }

    /// Returns the name of the registry, which identifies its credentials.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Returns the address of the registry: a host, perhaps with a port.
    pub fn address(&self) -> &str {
        match self.registry.as_str() {
            DOCKER => DOCKER_ADDRESS,
            registry => registry,
        }
    }

    /// Returns the repository, such as `team/plugin`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the digest of the manifest, if the reference contains it.
    pub const fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// Returns the digest, or the tag if there is no digest. The digest takes precedence, because a tag may move.
    pub fn tag_or_digest(&self) -> String {
        match self.digest {
            Some(digest) => format!("sha256:{digest}"),
            None => self.tag.clone().unwrap_or_default(),
        }
    }
}

/// Parses a digest in the notation of registries.
pub fn parse_sha256(text: &str) -> Option<Digest> {
    text.strip_prefix("sha256:")?.parse().ok()
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_part = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    host.split('.').all(is_part) && port.is_none_or(is_port)
}

fn is_repository(text: &str) -> bool {
    text.len() <= MAX_REPOSITORY_LENGTH && text.split('/').all(is_path_part)
}

/// Lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_path_part(part: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_between = |between: &str| {
        matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
    };
    part.starts_with(is_plain) && part.ends_with(is_plain) && part.split(is_plain).all(is_between)
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= MAX_TAG_LENGTH
        && text.bytes().next().is_some_and(is_word)
        && text
            .bytes()
            .all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn read(text: &str) -> ImageReference {
        ImageReference::parse(text).unwrap_or_else(|rule| panic!("{text}: {rule}"))
    }

    #[test]
    fn a_reference_is_split_into_its_parts() {
        let image = read("ghcr.io/a-team/my__plug.in/x--y:1.0_rc-1");
        assert_eq!(image.registry(), "ghcr.io");
        assert_eq!(image.address(), "ghcr.io");
        assert_eq!(image.repository(), "a-team/my__plug.in/x--y");
        assert_eq!(
            (image.tag_or_digest().as_str(), image.digest()),
            ("1.0_rc-1", None)
        );
        let local = read("localhost:5000/plugin:1");
        assert_eq!(local.address(), "localhost:5000");
    }

    #[test]
    fn a_digest_takes_precedence_over_a_tag() {
        let image = read(&format!("ghcr.io/a/b:1.0@sha256:{HEX}"));
        assert_eq!(image.tag_or_digest(), format!("sha256:{HEX}"));
        assert_eq!(image.digest(), HEX.parse().ok());
    }

    #[test]
    fn dockers_registry_has_a_different_address_and_a_default_folder() {
        for name in ["docker.io", "index.docker.io"] {
            let image = read(&format!("{name}/plugin:1"));
            assert_eq!(image.registry(), "docker.io");
            assert_eq!(image.address(), "index.docker.io");
            assert_eq!(image.repository(), "library/plugin");
        }
        assert_eq!(read("docker.io/team/plugin:1").repository(), "team/plugin");
    }

    #[test]
    fn an_invalid_reference_cannot_change_a_url() {
        let long = format!("ghcr.io/{}:1", "a".repeat(MAX_REPOSITORY_LENGTH + 1));
        let tag = format!("ghcr.io/a:{}", "a".repeat(MAX_TAG_LENGTH + 1));
        for bad in [
            "ghcr.io/../a:1",
            "ghcr.io/a//b:1",
            "ghcr.io/a?x=y:1",
            "ghcr.io/a#b:1",
            "ghcr.io/a%2e:1",
            "ghcr.io/a.:1",
            "ghcr.io/a___b:1",
            "ghcr.io/a._b:1",
            "ghcr.io/_a:1",
            "ghcr.io/a b:1",
            "ghcr.io/a:",
            "ghcr.io/a:.1",
            "ghcr.io/a:1/2",
            "ghcr.io/a:ü",
            "ghcr.io/:1",
            "ghcr.io",
            "me:pw@ghcr.io/a:1",
            "ghcr..io/a:1",
            "-ghcr.io/a:1",
            "ghcr.io:/a:1",
            "ghcr.io:x/a:1",
            "ghcr.io:80:80/a:1",
            &long,
            &tag,
        ] {
            assert!(ImageReference::parse(bad).is_err(), "{bad}");
        }
        for bad in [
            format!("ghcr.io/a@sha256:{}", &HEX[1..]),
            format!("ghcr.io/a@sha256:{}", HEX.to_uppercase()),
            format!("ghcr.io/a@md5:{HEX}"),
            "ghcr.io/a@".to_owned(),
        ] {
            let rule = ImageReference::parse(&bad).unwrap_err();
            assert!(rule.contains("a digest of the form"), "{bad}: {rule}");
        }
    }
}
