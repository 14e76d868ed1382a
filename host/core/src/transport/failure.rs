//! Says what a client's error means: which part failed, why, and what to do.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::error::{ConnectCause, Phase, TransportError};
use super::proxy::Via;

/// Who was asked, and through whom.
pub(super) struct Peer<'a> {
    /// For messages: the proxy is named in it.
    pub(super) origin: &'a str,
    pub(super) proxy: Option<&'a Via>,
    /// A client certificate is shown to who asks for one.
    pub(super) shows_certificate: bool,
}

impl Peer<'_> {
    /// A failure before the head of the answer.
    pub(super) fn send_failure(&self, error: &reqwest::Error, connect: Duration) -> TransportError {
        if error.is_connect() || error.is_dns() {
            return self.connect_failure(error, connect);
        }
        // In TLS 1.3 a server looks at the client's certificate after the handshake.
        if let Some(TlsError::AlertReceived(alert)) = find::<TlsError>(error) {
            return self.not_connected(ConnectCause::Tls, &self.explain_alert(*alert));
        }
        let reason = ended(error).unwrap_or_else(|| innermost(error));
        let origin = self.origin.to_owned();
        match find::<hyper::Error>(error) {
            Some(hyper) if hyper.is_parse() => {
                let reason = format!(
                    "it does not speak HTTP ({reason}): is base_url right, and is it https?"
                );
                TransportError::Malformed { origin, reason }
            }
            Some(_) => TransportError::NoAnswer { origin, reason },
            None if ended(error).is_some() => TransportError::NoAnswer { origin, reason },
            None => TransportError::Other { origin, reason },
        }
    }

    /// A failure in the body, after so many bytes.
    pub(super) fn body_failure(
        error: &reqwest::Error,
        origin: &str,
        received: u64,
    ) -> TransportError {
        let origin = origin.to_owned();
        if let Some(reason) = ended(error) {
            return TransportError::Cut {
                origin,
                received,
                reason,
            };
        }
        let reason = innermost(error);
        let framing = find_io(error, |kind| {
            matches!(kind, ErrorKind::InvalidData | ErrorKind::InvalidInput)
        });
        match find::<hyper::Error>(error) {
            Some(_) if !framing => TransportError::Cut {
                origin,
                received,
                reason,
            },
            Some(_) => TransportError::Malformed { origin, reason },
            None => {
                let reason = format!("its content coding cannot be undone ({reason})");
                TransportError::Malformed { origin, reason }
            }
        }
    }

    fn connect_failure(&self, error: &reqwest::Error, connect: Duration) -> TransportError {
        let by_system = find_io(error, |kind| kind == ErrorKind::TimedOut);
        if error.is_timeout() && !by_system {
            let origin = self.origin.to_owned();
            return TransportError::Timeout {
                phase: Phase::Connect,
                origin,
                after: connect,
            };
        }
        match find::<TlsError>(error) {
            Some(TlsError::AlertReceived(alert)) => {
                return self.not_connected(ConnectCause::Tls, &self.explain_alert(*alert));
            }
            Some(error) => return self.not_connected(ConnectCause::Tls, &explain_tls(error)),
            None => {}
        }
        let (cause, what, fix) = why_unconnected(error);
        if let Some(proxy) = self.proxy {
            return TransportError::Proxy {
                proxy: proxy.origin.clone(),
                origin: self.origin.to_owned(),
                reason: tunnel(error).unwrap_or_else(|| format!("cannot be used ({what})")),
            };
        }
        self.not_connected(cause, &format!("{what}: {fix}"))
    }

    /// What a server means that ends TLS by this alert.
    fn explain_alert(&self, alert: AlertDescription) -> String {
        use AlertDescription as A;
        match (alert, self.shows_certificate) {
            (A::CertificateRequired, _) => {
                "the server wants a client certificate: name one with client_cert and client_key \
                 (PEM)"
                    .to_owned()
            }
            (
                A::BadCertificate
                | A::UnsupportedCertificate
                | A::CertificateRevoked
                | A::CertificateExpired
                | A::CertificateUnknown
                | A::UnknownCA
                | A::AccessDenied
                | A::DecryptError,
                true,
            ) => format!(
                "the server does not accept the client certificate of client_cert ({alert:?}): is it \
                 the right one, still valid, and with those that it is signed by?"
            ),
            (A::HandshakeFailure | A::BadCertificate, false) => format!(
                "the server refused the TLS handshake ({alert:?}): perhaps it wants a client \
                 certificate (client_cert and client_key)"
            ),
            _ => format!("the server refused the TLS handshake ({alert:?})"),
        }
    }

    fn not_connected(&self, cause: ConnectCause, reason: &str) -> TransportError {
        let origin = self.origin.to_owned();
        TransportError::Connect {
            cause,
            origin,
            reason: reason.to_owned(),
        }
    }
}

/// The last error of the chain, in its own words.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn why_unconnected(error: &reqwest::Error) -> (ConnectCause, String, &'static str) {
    if error.is_dns() {
        let what = "that name has no address".to_owned();
        return (ConnectCause::Dns, what, "check base_url and the network");
    }
    let kind = causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .find(|kind| *kind != ErrorKind::Other);
    let (cause, what, fix) = match kind {
        Some(ErrorKind::ConnectionRefused) => (
            ConnectCause::Refused,
            "connection refused",
            "is the server running, and is base_url right?",
        ),
        Some(ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) => (
            ConnectCause::Unreachable,
            "no way leads there",
            "check the network and base_url",
        ),
        Some(ErrorKind::TimedOut) => (
            ConnectCause::Unreachable,
            "nobody answered",
            "check the network and base_url",
        ),
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => (
            ConnectCause::Other,
            "the connection was closed at once",
            "does the server speak TLS, and is base_url right?",
        ),
        Some(ErrorKind::PermissionDenied) => (
            ConnectCause::Other,
            "the system does not permit it",
            "check firewall and sandbox",
        ),
        _ => {
            return (
                ConnectCause::Other,
                innermost(error),
                "check the network and base_url",
            );
        }
    };
    (cause, what.to_owned(), fix)
}

/// What a proxy did to a tunnel through it. The client library has no type for it, only words.
fn tunnel(error: &reqwest::Error) -> Option<String> {
    let words = causes(error)
        .map(ToString::to_string)
        .find(|words| words.starts_with("tunnel error"))?;
    Some(match words.as_str() {
        "tunnel error: proxy authorization required" => {
            "wants a user name and password (http://user:password@host:port)".to_owned()
        }
        "tunnel error: unsuccessful" => "refused to connect".to_owned(),
        "tunnel error: unexpected end of file" => "closed the connection".to_owned(),
        _ => format!("cannot be used ({})", innermost(error)),
    })
}

fn explain_tls(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(certificate) => explain_certificate(certificate),
        TlsError::InvalidMessage(_) => {
            "the server does not speak TLS: if it is a plain http server, \
             begin base_url with http://"
                .to_owned()
        }
        TlsError::PeerIncompatible(_) => {
            format!("the server offers no TLS 1.2 or 1.3 that can be used ({error})")
        }
        other => format!("TLS failed: {other}"),
    }
}

fn explain_certificate(error: &CertificateError) -> String {
    const TRUST: &str = "put the certificate of the authority that signed it (PEM) among the \
                         system's, or into a bundle that SSL_CERT_FILE names";
    match error {
        CertificateError::UnknownIssuer => format!(
            "its certificate is not trusted: it is self-signed or signed by an unknown authority, \
             perhaps that of a proxy which inspects TLS: {TRUST}"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired: check the server, and the clock of this machine"
                .to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet: check the clock of this machine".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is for another name: check base_url ({error})")
        }
        CertificateError::Revoked => "its certificate has been revoked".to_owned(),
        other => {
            let words = other.to_string();
            if words.contains("CaUsedAsEndEntity") {
                return "its certificate is not trusted: it is self-signed and marked as that of \
                        an authority, which no server may use: make one with \
                        basicConstraints=CA:FALSE, and put it (PEM) into a bundle that \
                        SSL_CERT_FILE names"
                    .to_owned();
            }
            format!("its certificate is not trusted ({words}): {TRUST}")
        }
    }
}

/// How the connection ended, if that is what happened.
fn ended(error: &(dyn Error + 'static)) -> Option<String> {
    if find::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message) {
        return Some("the connection was closed".to_owned());
    }
    let words = |kind| match kind {
        ErrorKind::UnexpectedEof => Some("the connection was closed"),
        ErrorKind::ConnectionReset => Some("the connection was reset"),
        ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Some("the connection broke"),
        _ => None,
    };
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .find_map(|error| words(error.kind()))
        .map(str::to_owned)
}

fn find_io(error: &(dyn Error + 'static), is: impl Fn(ErrorKind) -> bool) -> bool {
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| is(error.kind()))
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref::<T>())
}

/// The error and what is behind it. An I/O error's source is that of what it wraps, so it is
/// unwrapped by hand.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| behind(error))
}

fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
