//! Why no connection to a provider came about, in words that say what to do.
//!
//! The libraries below name their own types; whoever reads the error has a URL, a network and a certificate.

use std::error::Error;
use std::io;

use rustls::{CertificateError, Error as TlsError};

/// Returns what to say of a connection that failed, where there is more to say than the innermost cause does.
pub(super) fn words(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(tls) = tls_in(cause) {
            return of_tls(tls);
        }
        if cause.to_string() == "dns error" {
            return Some(
                "no address is known for this name; check the name in `base_url`, and the network of this machine",
            );
        }
        next = cause.source();
    }
    None
}

/// Finds an error of TLS, also inside one of the system, which does not name it as its source.
fn tls_in<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    if let Some(system) = cause.downcast_ref::<io::Error>() {
        return tls_in(system.get_ref()?);
    }
    cause.downcast_ref()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the many faults of TLS, these have advice of their own"
)]
fn of_tls(error: &TlsError) -> Option<&'static str> {
    match error {
        TlsError::InvalidCertificate(certificate) => Some(of_certificate(certificate)),
        TlsError::InvalidMessage(_) => Some(
            "the server does not speak TLS; check the port in `base_url`, and write `http://` if the server takes unencrypted requests only",
        ),
        _ => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the many faults of TLS, these have advice of their own"
)]
fn of_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid at this time; check the clock of this machine, and else tell whoever runs the server"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for another name; write the name that it is for in `base_url`"
        }
        // A certificate that is its own issuer comes as one of several errors.
        _ => {
            "nobody whom this machine trusts has signed the server's certificate; if it is your own server, or a proxy of your network, name a file with the issuer's certificate in SSL_CERT_FILE"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: TlsError) -> Option<&'static str> {
        // As the HTTP client hands it over: inside of two errors of the system.
        words(&io::Error::other(io::Error::other(error)))
    }

    #[test]
    fn each_fault_of_a_certificate_has_its_own_way_out() {
        let certificate = |error| told(TlsError::InvalidCertificate(error)).unwrap();
        assert!(certificate(CertificateError::Expired).contains("clock"));
        assert!(certificate(CertificateError::NotValidForName).contains("another name"));
        assert!(certificate(CertificateError::UnknownIssuer).contains("SSL_CERT_FILE"));
        let own = CertificateError::Other(rustls::OtherError(std::sync::Arc::new(
            io::Error::other("its own issuer"),
        )));
        assert!(certificate(own).contains("SSL_CERT_FILE"));
    }

    #[test]
    fn an_error_of_another_kind_speaks_for_itself() {
        assert_eq!(told(TlsError::DecryptError), None);
        assert_eq!(words(&io::Error::other("connection refused")), None);
    }
}
