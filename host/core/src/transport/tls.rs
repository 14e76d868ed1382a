//! What TLS needs of files: certificates to trust, and one of our own to show. What is wrong with a
//! file is said in words that name it.

use std::path::{Path, PathBuf};

use super::client::ClientOptions;
use super::error::TransportError;
use super::failure::innermost;

/// The variable that names the certificates to trust in place of the system's.
const CERT_FILE: &str = "SSL_CERT_FILE";

/// Adds what the options say of TLS, and loads what their files hold.
pub(super) fn apply(
    builder: reqwest::ClientBuilder,
    options: &ClientOptions,
) -> Result<reqwest::ClientBuilder, TransportError> {
    let mut trusted = match &options.ca_file {
        Some(path) => certificates(path)?,
        None => vec![],
    };
    let builder = match identity(options)? {
        Some(identity) => builder.identity(identity),
        None => builder,
    };
    let roots = roots_of_our_own();
    if !roots.is_empty() {
        trusted.extend(roots);
        return Ok(builder.tls_certs_only(trusted));
    }
    match trusted.is_empty() {
        true => Ok(builder),
        false => Ok(builder.tls_certs_merge(trusted)),
    }
}

/// What keeps the client from being set up.
pub(super) fn unusable(error: &reqwest::Error, options: &ClientOptions) -> TransportError {
    let reason = innermost(error);
    if !reason.contains("No CA certificates") {
        return setup(match (&options.client_cert, &options.ca_file) {
            (Some(path), _) if reason.to_lowercase().contains("key") => format!(
                "the client certificate in {} and its key cannot be used: {reason}",
                path.display()
            ),
            (_, Some(path)) => format!("with the certificates in {}: {reason}", path.display()),
            _ => reason,
        });
    }
    match std::env::var_os(CERT_FILE).filter(|file| !file.is_empty()) {
        Some(file) => {
            let file = PathBuf::from(file);
            let fault = certificates(&file).err();
            let why = fault.map_or_else(
                || "it holds no usable certificate".to_owned(),
                |fault| match fault {
                    TransportError::Setup { reason } => reason,
                    other => other.to_string(),
                },
            );
            setup(format!("SSL_CERT_FILE names {}: {why}", file.display()))
        }
        None => setup(
            "this system's root certificates cannot be used: install them anew (the package is often \
             called ca-certificates), or name a PEM file in SSL_CERT_FILE"
                .to_owned(),
        ),
    }
}

fn setup(reason: String) -> TransportError {
    TransportError::Setup { reason }
}

/// The certificates of a PEM file; at least one.
fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, TransportError> {
    let unusable = |reason: String| {
        setup(format!(
            "the certificates in {} cannot be used: {reason}",
            path.display()
        ))
    };
    let bytes = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    match reqwest::Certificate::from_pem_bundle(&bytes) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(unusable(what_instead(&bytes, "certificate"))),
        Err(error) if holds(&bytes, "-----BEGIN CERTIFICATE-----") => Err(unusable(format!(
            "a certificate in it is damaged ({})",
            innermost(&error)
        ))),
        Err(_) => Err(unusable(what_instead(&bytes, "certificate"))),
    }
}

/// The certificate to show, with its key, if the options name one.
fn identity(options: &ClientOptions) -> Result<Option<reqwest::Identity>, TransportError> {
    let Some(cert_path) = &options.client_cert else {
        return Ok(None);
    };
    let key_path = options.client_key.as_ref().unwrap_or(cert_path);
    let read = |path: &Path, key: &str, marks: &[&str], wanted: &str| {
        let unusable = |reason: String| setup(format!("{key} {}: {reason}", path.display()));
        let bytes = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
        let is_there = marks.iter().any(|mark| holds(&bytes, mark));
        match is_there {
            _ if wanted == "private key" && holds(&bytes, "ENCRYPTED") => Err(unusable(
                "its key is encrypted: take the passphrase away with \"openssl pkey -in FILE -out FILE\""
                    .to_owned(),
            )),
            true => Ok(bytes),
            false => Err(unusable(what_instead(&bytes, wanted))),
        }
    };
    let key_name = match &options.client_key {
        Some(_) => "client_key",
        None => "client_cert (and no client_key)",
    };
    let cert = read(
        cert_path,
        "client_cert",
        &["-----BEGIN CERTIFICATE-----"],
        "certificate",
    )?;
    let mut pem = read(key_path, key_name, &["PRIVATE KEY-----"], "private key")?;
    if key_path != cert_path {
        pem.push(b'\n');
        pem.extend_from_slice(&cert);
    }
    reqwest::Identity::from_pem(&pem)
        .map(Some)
        .map_err(|error| {
            setup(format!(
                "the client certificate in {} and its key cannot be used: {}",
                cert_path.display(),
                innermost(&error)
            ))
        })
}

fn holds(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

/// What a file holds that does not hold what was wanted.
fn what_instead(bytes: &[u8], wanted: &str) -> String {
    let is_der = bytes.starts_with(&[0x30]) && bytes.get(1).is_some_and(|byte| *byte >= 0x80);
    let tool = match wanted {
        "certificate" => "x509",
        _ => "pkey",
    };
    match () {
        () if bytes.trim_ascii().is_empty() => "it is empty".to_owned(),
        () if is_der => format!(
            "it is in DER form: make PEM of it with \
             \"openssl {tool} -inform der -in FILE -out FILE.pem\""
        ),
        () if holds(bytes, "CERTIFICATE REQUEST-----") => {
            format!("it holds a request for a certificate and no {wanted}")
        }
        () if wanted == "certificate" && holds(bytes, "PRIVATE KEY-----") => {
            "it holds a private key and no certificate: name the certificate's file".to_owned()
        }
        () if holds(bytes, "-----BEGIN CERTIFICATE-----") => {
            format!("it holds a certificate and no {wanted}: name the file of the key")
        }
        () if holds(bytes, "-----BEGIN PKCS7-----") => "it holds PKCS #7: make PEM of it with \
             \"openssl pkcs7 -print_certs -in FILE -out FILE.pem\""
            .to_owned(),
        () => format!("it holds no {wanted} in PEM form (-----BEGIN …-----)"),
    }
}

/// Roots where the client's own loader would find none: the system's where [`CERT_FILE`] is set to nothing,
/// which that loader takes for the name of a file, and the ones that Mozilla's browser trusts where the system
/// has no store at all, as an empty container has none. A store that is there, or a variable that names
/// one, is never added to.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn roots_of_our_own() -> Vec<reqwest::Certificate> {
    let is_empty = |name| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set(CERT_FILE) || is_set("SSL_CERT_DIR") {
        return vec![];
    }
    let places = openssl_probe::probe();
    let file = places.cert_file.filter(|file| file.is_file());
    if !is_store(file.as_deref(), &places.cert_dir) {
        return carried_roots();
    }
    if !is_empty(CERT_FILE) {
        return vec![];
    }
    let found = match (&file, places.cert_dir.first()) {
        (Some(file), _) => rustls_native_certs::load_certs_from_paths(Some(file), None),
        (None, folder) => {
            rustls_native_certs::load_certs_from_paths(None, folder.map(PathBuf::as_path))
        }
    };
    parsed(&found.certs)
}

/// Whether a system keeps roots in one of these places.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn is_store(file: Option<&Path>, folders: &[PathBuf]) -> bool {
    let holds_something = |folder: &PathBuf| {
        std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
    };
    file.is_some() || folders.iter().any(holds_something)
}

/// The roots that came with the program.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn carried_roots() -> Vec<reqwest::Certificate> {
    tracing::debug!("the system has no root certificates: the built-in ones are used");
    parsed(webpki_root_certs::TLS_SERVER_ROOT_CERTS)
}

#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
fn parsed(certificates: &[rustls::pki_types::CertificateDer<'_>]) -> Vec<reqwest::Certificate> {
    let certificates = certificates.iter();
    certificates
        .filter_map(|certificate| reqwest::Certificate::from_der(certificate).ok())
        .collect()
}

/// Elsewhere the variable means nothing, and the system always has a store.
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
fn roots_of_our_own() -> Vec<reqwest::Certificate> {
    vec![]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
    #[test]
    fn a_system_without_a_store_gets_the_roots_that_came_with_the_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = [folder.path().join("nowhere"), folder.path().to_path_buf()];
        assert!(!is_store(None, &empty));
        let roots = carried_roots();
        assert!(roots.len() > 100, "{}", roots.len());
        // Somebody else of this process may have said so already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().tls_certs_only(roots);
        assert!(client.build().is_ok(), "they are usable");

        let file = folder.path().join("store.pem");
        std::fs::write(&file, "x").expect("written");
        assert!(is_store(None, &empty) && is_store(Some(&file), &[]));
    }

    #[test]
    fn a_file_that_holds_something_else_is_told_by_what_it_holds() {
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let certificate = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (bytes, wanted, says) in [
            (
                &b"no certificate"[..],
                "certificate",
                "no certificate in PEM form",
            ),
            (b"\n ", "certificate", "it is empty"),
            (
                b"\x30\x82\x01\x0a\x02",
                "certificate",
                "openssl x509 -inform der",
            ),
            (
                b"\x30\x82\x01\x0a\x02",
                "private key",
                "openssl pkey -inform der",
            ),
            (key, "certificate", "a private key and no certificate"),
            (
                certificate,
                "private key",
                "a certificate and no private key",
            ),
            (
                b"-----BEGIN CERTIFICATE REQUEST-----",
                "certificate",
                "a request for a certificate",
            ),
            (b"-----BEGIN PKCS7-----", "certificate", "openssl pkcs7"),
        ] {
            let said = what_instead(bytes, wanted);
            assert!(said.contains(says), "{said}");
        }
    }
}
