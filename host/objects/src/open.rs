//! Opens a store from its URL.

use std::error::Error;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use synix_shared::{DEFAULT_NAMESPACE, Objects, is_namespace};
use url::Url;

use crate::error::Secrets;
use crate::store::Store;

/// A store, and what its URL says.
#[derive(Debug)]
pub struct OpenedStore {
    /// The store.
    pub objects: Arc<dyn Objects>,
    /// The URL for messages.
    pub name: String,
    /// The namespace: the path in a bucket, or `default`. The path of `file:///` is the folder, whose namespace is
    /// always `default`.
    pub namespace: String,
}

/// The URL or the credentials of a store are invalid. Contains no credential.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct InvalidStore {
    reason: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl InvalidStore {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            source: None,
        }
    }

    pub(crate) fn because(reason: &str, error: &object_store::Error, secrets: &Secrets) -> Self {
        Self {
            reason: reason.to_owned(),
            source: Some(secrets.redact(error).into()),
        }
    }
}

/// Opens a store. Contacts nobody; only a folder of `file:///` must exist.
///
/// `variable` returns the value of an environment variable. It is asked for those of the store's kind: `AWS_…` for
/// `s3://`, `GOOGLE_…` for `gs://`, `AZURE_…` for `az://`.
pub fn open(
    url: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<OpenedStore, InvalidStore> {
    // The text is not repeated in errors: it may contain a password.
    let parsed = Url::parse(url).map_err(|error| InvalidStore {
        reason: "the URL of the shared answers is invalid".to_owned(),
        source: Some(error.into()),
    })?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(InvalidStore::new(
            "the URL of the shared answers contains a name or password; set the variables of the store instead",
        ));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(InvalidStore::new(
            "the URL of the shared answers has a `?` or `#`; write only the store and the namespace",
        ));
    }
    let (store, secrets, namespace) = match parsed.scheme() {
        "file" => {
            let folder = open_folder(&parsed)?;
            (folder, Secrets::default(), DEFAULT_NAMESPACE.to_owned())
        }
        "s3" | "gs" | "az" => {
            let (store, secrets) = open_bucket(&parsed, variable)?;
            (store, secrets, namespace_of(&parsed)?)
        }
        other => {
            return Err(InvalidStore::new(format!(
                "`{other}://` is no store of shared answers; use `s3://BUCKET`, `gs://BUCKET`, `az://CONTAINER` or `file:///FOLDER`"
            )));
        }
    };
    Ok(OpenedStore {
        objects: Arc::new(Store::new(store, secrets)),
        name: url.to_owned(),
        namespace,
    })
}

fn open_folder(url: &Url) -> Result<Arc<dyn ObjectStore>, InvalidStore> {
    let Ok(path) = url.to_file_path() else {
        return Err(InvalidStore::new(
            "the folder of the shared answers is not absolute; write `file:///` and the complete path",
        ));
    };
    let shown = path.display();
    if !path.is_dir() {
        return Err(InvalidStore::new(format!(
            "the folder of the shared answers, `{shown}`, does not exist; create it, or mount it"
        )));
    }
    let opened = LocalFileSystem::new_with_prefix(&path).map_err(|error| {
        let reason = format!("cannot open the folder of the shared answers, `{shown}`");
        InvalidStore::because(&reason, &error, &Secrets::default())
    })?;
    // Without fsync, a power cut could leave an empty answer, which would never be overwritten.
    let opened = opened.with_fsync(true).with_automatic_cleanup(true);
    Ok(Arc::new(opened))
}

#[cfg(feature = "cloud")]
fn open_bucket(
    url: &Url,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Arc<dyn ObjectStore>, Secrets), InvalidStore> {
    let bucket = url.host_str().unwrap_or_default();
    if bucket.is_empty() || url.port().is_some() {
        return Err(InvalidStore::new(
            "the URL of the shared answers names no bucket; write `s3://BUCKET` or `s3://BUCKET/NAMESPACE`",
        ));
    }
    crate::cloud::open(url.scheme(), bucket, variable)
}

#[cfg(not(feature = "cloud"))]
fn open_bucket(
    url: &Url,
    _: &dyn Fn(&str) -> Option<String>,
) -> Result<(Arc<dyn ObjectStore>, Secrets), InvalidStore> {
    Err(InvalidStore::new(format!(
        "this synix was built without `{}://`; use `file:///FOLDER`, or a synix with the feature `cloud`",
        url.scheme()
    )))
}

fn namespace_of(url: &Url) -> Result<String, InvalidStore> {
    let path = url.path().trim_matches('/');
    if path.is_empty() {
        return Ok(DEFAULT_NAMESPACE.to_owned());
    }
    if is_namespace(path) {
        return Ok(path.to_owned());
    }
    Err(InvalidStore::new(format!(
        "`{path}` is no namespace of shared answers; use letters, digits, `-`, `_`, `.` and `/`, and no segment `answers`, `claims` or `holders`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        open(url, &|_| None).unwrap_err().to_string()
    }

    #[test]
    fn the_path_of_a_bucket_is_the_namespace() {
        let keys = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".to_owned()),
            _ => None,
        };
        for (url, namespace) in [
            ("s3://bucket", "default"),
            ("s3://bucket/", "default"),
            ("s3://bucket/team/a", "team/a"),
        ] {
            assert_eq!(open(url, &keys).unwrap().namespace, namespace, "{url}");
        }
        assert!(error("s3://bucket/claims").contains("no namespace"));
    }

    #[test]
    fn no_error_repeats_a_password() {
        for url in [
            "s3://name:hunter2@bucket",
            "s3://bucket?key=hunter2",
            "hunter2",
            "s3://hunter2:x",
        ] {
            let failed = open(url, &|_| None).unwrap_err();
            assert!(!format!("{failed:?} {failed}").contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn each_wrong_url_is_explained() {
        assert!(error("ftp://x/y").contains("use `s3://BUCKET`"));
        assert!(error("s3:///x").contains("names no bucket"));
        assert!(error("file:///does/not/exist").contains("create it, or mount it"));
        assert!(error("file://host/x").contains("not absolute"));
    }
}
