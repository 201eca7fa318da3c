//! Buckets of S3, Google Cloud Storage and Azure.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, RetryConfig};
use synix_core::loopback::is_loopback;
use url::Url;

use crate::connector::Connector;
use crate::error::Secrets;
use crate::open::InvalidStore;

/// The variables of S3. What is not here could change where objects are or how they are created.
const S3_VARIABLES: [&str; 18] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SKIP_SIGNATURE",
    "AWS_REQUEST_PAYER",
    "AWS_ALLOW_HTTP",
];

const GOOGLE_VARIABLES: [&str; 6] = [
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_BEARER_TOKEN",
    "GOOGLE_SKIP_SIGNATURE",
];

const AZURE_VARIABLES: [&str; 15] = [
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_CLIENT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_STORAGE_CLIENT_SECRET",
    "AZURE_CLIENT_SECRET",
    "AZURE_STORAGE_TENANT_ID",
    "AZURE_TENANT_ID",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_TOKEN",
    "AZURE_STORAGE_ENDPOINT",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_STORAGE_AUTHORITY_HOST",
    "AZURE_ALLOW_HTTP",
];

/// A store that does not recover within seconds is away, and the build continues without it.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: Duration::from_secs(5),
    }
}

/// The variables that are set, as the library's keys, and what of them is secret.
struct Settings<K> {
    values: Vec<(K, String)>,
    secrets: Secrets,
}

impl<K: FromStr> Settings<K> {
    fn read(names: &[&str], variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut settings = Self {
            values: Vec::new(),
            secrets: Secrets::default(),
        };
        for name in names {
            let Some(value) = variable(name).filter(|value| !value.is_empty()) else {
                continue;
            };
            let is_secret = ["KEY", "SECRET", "TOKEN"]
                .iter()
                .any(|part| name.contains(part));
            if is_secret && !name.ends_with("FILE") {
                settings.secrets.add(&value);
            }
            if let Ok(key) = name.to_ascii_lowercase().parse() {
                settings.values.push((key, value));
            }
        }
        settings
    }

    /// Opens the store that `build` makes of the values.
    fn open<S: ObjectStore>(
        self,
        problem: &'static str,
        build: impl FnOnce(Vec<(K, String)>) -> object_store::Result<S>,
    ) -> Result<(Arc<dyn ObjectStore>, Secrets), InvalidStore> {
        match build(self.values) {
            Ok(store) => Ok((Arc::new(store), self.secrets)),
            Err(error) => Err(InvalidStore::because(problem, &error, &self.secrets)),
        }
    }
}

pub(crate) fn open(
    scheme: &str,
    bucket: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Arc<dyn ObjectStore>, Secrets), InvalidStore> {
    match scheme {
        "s3" => open_s3(bucket, variable),
        "gs" => open_google(bucket, variable),
        _ => open_azure(bucket, variable),
    }
}

fn open_s3(
    bucket: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Arc<dyn ObjectStore>, Secrets), InvalidStore> {
    let settings = Settings::<AmazonS3ConfigKey>::read(&S3_VARIABLES, variable);
    let endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
    let is_local = check_endpoint(endpoint.as_deref(), variable("AWS_ALLOW_HTTP").as_deref())?;
    let builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_retry(retry())
        .with_http_connector(Connector::new(is_local))
        .with_allow_http(true);
    settings.open("the variables AWS_… are invalid", |values| {
        let builder = values.into_iter().fold(builder, |builder, (key, value)| {
            builder.with_config(key, value)
        });
        builder.build()
    })
}

fn open_google(
    bucket: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Arc<dyn ObjectStore>, Secrets), InvalidStore> {
    let settings = Settings::<GoogleConfigKey>::read(&GOOGLE_VARIABLES, variable);
    let builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(bucket)
        .with_retry(retry())
        .with_http_connector(Connector::new(false));
    settings.open("the variables GOOGLE_… are invalid", |values| {
        let builder = values.into_iter().fold(builder, |builder, (key, value)| {
            builder.with_config(key, value)
        });
        builder.build()
    })
}

fn open_azure(
    container: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Arc<dyn ObjectStore>, Secrets), InvalidStore> {
    let settings = Settings::<AzureConfigKey>::read(&AZURE_VARIABLES, variable);
    let endpoint = variable("AZURE_STORAGE_ENDPOINT");
    let is_local = check_endpoint(endpoint.as_deref(), variable("AZURE_ALLOW_HTTP").as_deref())?;
    let builder = MicrosoftAzureBuilder::new()
        .with_container_name(container)
        .with_retry(retry())
        .with_http_connector(Connector::new(is_local))
        .with_allow_http(true);
    settings.open("the variables AZURE_… are invalid", |values| {
        let builder = values.into_iter().fold(builder, |builder, (key, value)| {
            builder.with_config(key, value)
        });
        builder.build()
    })
}

/// Returns whether an endpoint is on this machine. An unencrypted one elsewhere needs permission: it would see the answers.
fn check_endpoint(endpoint: Option<&str>, allow_http: Option<&str>) -> Result<bool, InvalidStore> {
    let Some(endpoint) = endpoint.filter(|endpoint| !endpoint.is_empty()) else {
        return Ok(false);
    };
    let Ok(url) = Url::parse(endpoint) else {
        return Err(InvalidStore::new(
            "the endpoint of the shared answers is no URL",
        ));
    };
    let is_local = url.host_str().is_some_and(is_loopback);
    if url.scheme() == "http" && !is_local && allow_http != Some("true") {
        return Err(InvalidStore::new(
            "the endpoint of the shared answers is unencrypted; use `https://`, or set AWS_ALLOW_HTTP or AZURE_ALLOW_HTTP to `true`",
        ));
    }
    Ok(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_has_a_key_of_the_library() {
        let all = |_: &str| Some("value".to_owned());
        let s3 = Settings::<AmazonS3ConfigKey>::read(&S3_VARIABLES, &all);
        assert_eq!(s3.values.len(), S3_VARIABLES.len());
        let google = Settings::<GoogleConfigKey>::read(&GOOGLE_VARIABLES, &all);
        assert_eq!(google.values.len(), GOOGLE_VARIABLES.len());
        let azure = Settings::<AzureConfigKey>::read(&AZURE_VARIABLES, &all);
        assert_eq!(azure.values.len(), AZURE_VARIABLES.len());
    }

    #[test]
    fn an_unencrypted_endpoint_elsewhere_needs_permission() {
        assert!(check_endpoint(Some("http://127.0.0.1:9000"), None).unwrap());
        assert!(!check_endpoint(Some("https://minio.example"), None).unwrap());
        assert!(check_endpoint(Some("http://minio.example"), None).is_err());
        assert!(!check_endpoint(Some("http://minio.example"), Some("true")).unwrap());
    }
}
