//! Tells a server of Restate where a worker or a service is.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::ProjectError;
use synix_core::causes::with_causes;
use synix_manifest::check_engine_url;

/// The pauses before the server is told again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What a server said when it was told where an endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// The server knows the endpoint.
    Known {
        /// The URL of its admin API.
        server: String,
        /// The URL under which it reaches the endpoint.
        endpoint: String,
    },
    /// The server does not know the endpoint yet; it is told again.
    Waiting {
        /// Why.
        reason: String,
    },
}

/// Which server is told where an endpoint is, and under which URL.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// The admin API of the server. `None`: nobody is told.
    admin: Option<Url>,
    /// `None`: the address at which the endpoint listens.
    advertised: Option<Url>,
}

impl Announcement {
    /// Reads the values of `--register` and `--advertise`.
    pub fn parse(register: Option<&str>, advertise: Option<&str>) -> Result<Self, ProjectError> {
        let read = |option, url: Option<&str>| url.map(|url| endpoint_url(option, url)).transpose();
        Ok(Self {
            admin: read("--register", register)?,
            advertised: read("--advertise", advertise)?,
        })
    }

    /// Returns the URL of an endpoint that listens at this address.
    pub fn url(&self, listen: SocketAddr) -> Result<Url, ProjectError> {
        match &self.advertised {
            Some(url) => Ok(url.clone()),
            None => endpoint_url("--listen", &format!("http://{listen}")),
        }
    }

    /// Tells the server where the endpoint is, until it knows. Never ends.
    pub async fn announce(&self, endpoint: &Url, observer: &dyn Fn(&Registration)) {
        if let Some(admin) = &self.admin {
            register(admin, endpoint, observer).await;
        }
        std::future::pending::<()>().await;
    }
}

/// Tells the server with this admin API where an endpoint is, until it knows. A reason is reported once.
async fn register(admin: &Url, endpoint: &Url, observer: &dyn Fn(&Registration)) {
    let mut pause = FIRST_PAUSE;
    let mut reported = String::new();
    loop {
        match synix_restate::register(admin, endpoint).await {
            Ok(()) => {
                observer(&Registration::Known {
                    server: admin.to_string(),
                    endpoint: endpoint.to_string(),
                });
                return;
            }
            Err(error) => {
                let reason = with_causes(&error);
                if reason != reported {
                    reported.clone_from(&reason);
                    observer(&Registration::Waiting { reason });
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Parses the URL of a server or an endpoint, which an option names.
pub fn endpoint_url(option: &str, url: &str) -> Result<Url, ProjectError> {
    if let Err(rule) = check_engine_url(url) {
        return Err(ProjectError::Usage(format!(
            "the URL of {option} must {rule}"
        )));
    }
    Url::parse(url)
        .map_err(|error| ProjectError::Usage(format!("the URL of {option} is invalid: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_url_is_reported_with_its_option_and_the_reason() {
        let parsed = |url| Announcement::parse(Some(url), None);
        let message = |url| parsed(url).unwrap_err().to_string();
        assert_eq!(
            message("ftp://server"),
            "the URL of --register must start with `http://` or `https://`"
        );
        assert_eq!(
            message("http://server:99999"),
            "the URL of --register is invalid: invalid port number"
        );
    }
}
