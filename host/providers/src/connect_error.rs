//! Advice for a connection that could not be opened.
//!
//! The errors of the libraries name their own types. This module explains them by URL, network and certificate.

use std::error::Error;
use std::io;

use rustls::{CertificateError, Error as TlsError};

/// Returns advice for a failed connection, if there is more to say than the innermost cause does.
pub(super) fn advice(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(tls) = tls_in(cause) {
            return tls_advice(tls);
        }
        if cause.to_string() == "dns error" {
            return Some(
                "the name has no known address; check the name in `base_url`, and the network of this machine",
            );
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
fn tls_advice(error: &TlsError) -> Option<&'static str> {
    match error {
        TlsError::InvalidCertificate(certificate) => Some(certificate_advice(certificate)),
        TlsError::InvalidMessage(_) => Some(
            "the server does not speak TLS; check the port in `base_url`, and write `http://` if the server takes unencrypted requests only",
        ),
        _ => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only these of the many TLS errors have advice"
)]
fn certificate_advice(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid at this time; check the clock of this machine, or tell whoever runs the server"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name; use that name in `base_url`"
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
        advice(&io::Error::other(io::Error::other(error)))
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
    fn other_errors_have_no_advice() {
        assert_eq!(tls(TlsError::DecryptError), None);
        assert_eq!(advice(&io::Error::other("connection refused")), None);
    }
}
