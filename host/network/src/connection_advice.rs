//! Advice for a connection that could not be opened.
//!
//! The errors of the libraries name their own types. This module explains them by URL, network and certificate.

use std::error::Error;
use std::io;

use rustls::{CertificateError, Error as TlsError};

/// The setting that names the server, for the texts that ask the user to check it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressSetting {
    /// `base_url` of a provider.
    BaseUrl,
    /// The value of `transform`: a URL or an image in a registry.
    PluginReference,
}

/// Returns advice for a failed connection, if there is more to say than the innermost cause does.
pub fn connection_advice(
    error: &(dyn Error + 'static),
    setting: AddressSetting,
) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(tls) = tls_in(cause) {
            return tls_advice(tls, setting);
        }
        // A server that takes unencrypted requests only may also close the connection without a reply.
        if cause.to_string() == "tls handshake eof" {
            return Some(no_tls_advice(setting));
        }
        if cause.to_string() == "dns error" {
            return Some(match setting {
                AddressSetting::BaseUrl => {
                    "the name has no known address; check the name in `base_url`, and the network of this machine"
                }
                AddressSetting::PluginReference => {
                    "the name has no known address; check the name in `transform`, and the network of this machine"
                }
            });
        }
        next = cause.source();
    }
    None
}

/// Finds a TLS error, also inside an I/O error, which does not return it as its source.
fn tls_in<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    if let Some(system) = cause.downcast_ref::<io::Error>() {
        return tls_in(system.get_ref()?);
    }
    cause.downcast_ref()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these of the many TLS errors have advice"
)]
fn tls_advice(error: &TlsError, setting: AddressSetting) -> Option<&'static str> {
    match error {
        TlsError::InvalidCertificate(certificate) => Some(certificate_advice(certificate, setting)),
        TlsError::InvalidMessage(_) => Some(no_tls_advice(setting)),
        _ => None,
    }
}

fn no_tls_advice(setting: AddressSetting) -> &'static str {
    match setting {
        AddressSetting::BaseUrl => {
            "the server does not speak TLS; check the port in `base_url`, and write `http://` if the server takes unencrypted requests only"
        }
        AddressSetting::PluginReference => {
            "the server does not speak TLS, which synix requires; check the port in `transform`"
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these of the many TLS errors have advice"
)]
fn certificate_advice(error: &CertificateError, setting: AddressSetting) -> &'static str {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid at this time; check the clock of this machine, or tell whoever runs the server"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            match setting {
                AddressSetting::BaseUrl => {
                    "the server's certificate is for another name; use that name in `base_url`"
                }
                AddressSetting::PluginReference => {
                    "the server's certificate is for another name; use that name in `transform`"
                }
            }
        }
        // A self-signed certificate causes one of several errors.
        _ => {
            "this machine does not trust the issuer of the server's certificate; if it is your own server, or a proxy of your network, set SSL_CERT_FILE to a file with the issuer's certificate"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(error: TlsError) -> Option<&'static str> {
        // The HTTP client wraps the error in two I/O errors.
        connection_advice(
            &io::Error::other(io::Error::other(error)),
            AddressSetting::BaseUrl,
        )
    }

    #[test]
    fn each_invalid_certificate_has_its_own_advice() {
        let certificate = |error| tls(TlsError::InvalidCertificate(error)).unwrap();
        assert!(certificate(CertificateError::Expired).contains("clock"));
        assert!(certificate(CertificateError::NotValidForName).contains("another name"));
        assert!(certificate(CertificateError::UnknownIssuer).contains("SSL_CERT_FILE"));
        let own = CertificateError::Other(rustls::OtherError(std::sync::Arc::new(
            io::Error::other("its own issuer"),
        )));
        assert!(certificate(own).contains("SSL_CERT_FILE"));
    }

    #[test]
    fn the_advice_names_the_setting_that_the_user_wrote() {
        let unknown = io::Error::other("dns error");
        let invalid = io::Error::other(TlsError::InvalidCertificate(
            CertificateError::NotValidForName,
        ));
        let plain = io::Error::other(TlsError::InvalidMessage(
            rustls::InvalidMessage::InvalidContentType,
        ));
        for error in [unknown, invalid, plain] {
            for (setting, key) in [
                (AddressSetting::BaseUrl, "`base_url`"),
                (AddressSetting::PluginReference, "`transform`"),
            ] {
                let advice = connection_advice(&error, setting).unwrap();
                assert!(advice.contains(key), "{advice}");
            }
        }
    }

    #[test]
    fn a_server_that_ends_the_handshake_does_not_speak_tls() {
        let closed = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        let advice = connection_advice(&closed, AddressSetting::BaseUrl).unwrap();
        assert!(advice.contains("does not speak TLS"), "{advice}");
    }

    #[test]
    fn other_errors_have_no_advice() {
        assert_eq!(tls(TlsError::DecryptError), None);
        let refused = io::Error::other("connection refused");
        assert_eq!(connection_advice(&refused, AddressSetting::BaseUrl), None);
    }
}
