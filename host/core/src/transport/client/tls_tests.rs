//! TLS: certificates that are trusted, those that are not, and servers without TLS.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::super::error::ConnectCause;
use super::super::testing::answer;
use super::*;

/// A server with a certificate that it signed itself, for `name`; and the certificate.
async fn server(name: &str, is_ca: IsCa) -> (String, String) {
    let signing_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    let cert = params.self_signed(&signing_key).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream
                    .write_all(&answer("connection: close\r\n", b"safe"))
                    .await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (format!("https://localhost:{port}"), cert.pem())
}

async fn get(base: &str, ca_file: Option<PathBuf>) -> Result<bytes::Bytes, TransportError> {
    get_with(base, ca_file, None, None).await
}

async fn get_with(
    base: &str,
    ca_file: Option<PathBuf>,
    client_cert: Option<PathBuf>,
    client_key: Option<PathBuf>,
) -> Result<bytes::Bytes, TransportError> {
    let options = ClientOptions {
        proxy: ProxyChoice::None,
        ca_file,
        client_cert,
        client_key,
        ..ClientOptions::default()
    };
    let client = HttpClient::new(options);
    let url: Url = base.parse().unwrap();
    let outgoing = Outgoing {
        method: http::Method::GET,
        origin: url.origin().ascii_serialization(),
        url,
        headers: HeaderMap::new(),
        body: RequestBody::new(Vec::new()),
        redactor: Redactor::default(),
    };
    let mut response = client
        .exchange(outgoing, &ExchangeLimits::default())
        .await?;
    response.body.read_to_end().await
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[track_caller]
fn tls_failure(result: Result<bytes::Bytes, TransportError>) -> String {
    match result.unwrap_err() {
        error @ TransportError::Connect {
            cause: ConnectCause::Tls,
            ..
        } => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_foreign_certificate_is_refused_until_it_is_trusted() {
    let (base, certificate) = server("localhost", IsCa::NoCa).await;
    let message = tls_failure(get(&base, None).await);
    assert!(
        message.contains("self-signed") && message.contains("SSL_CERT_FILE"),
        "{message}"
    );
    let trusted = file(&certificate);
    let body = get(&base, Some(trusted.path().to_owned())).await;
    assert_eq!(body.unwrap(), "safe");
}

#[tokio::test]
async fn the_certificate_of_an_authority_is_none_for_a_server() {
    let (base, certificate) = server("localhost", IsCa::Ca(BasicConstraints::Unconstrained)).await;
    let trusted = file(&certificate);
    for ca_file in [None, Some(trusted.path().to_owned())] {
        let message = tls_failure(get(&base, ca_file).await);
        assert!(
            message.contains("self-signed") && message.contains("CA:FALSE"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn the_name_must_match() {
    let (base, certificate) = server("other.example", IsCa::NoCa).await;
    let trusted = file(&certificate);
    let message = tls_failure(get(&base, Some(trusted.path().to_owned())).await);
    assert!(message.contains("for another name"), "{message}");
}

#[tokio::test]
async fn a_server_without_tls_is_recognised() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read(&mut [0; 1000]).await;
    });
    let message = tls_failure(get(&base, None).await);
    assert!(message.contains("does not speak TLS"), "{message}");
}

#[tokio::test]
async fn a_useless_certificate_file_is_named() {
    for useless in [
        file("no certificate").path().to_owned(),
        PathBuf::from("/does/not/exist"),
    ] {
        let error = get("https://localhost:1", Some(useless)).await.unwrap_err();
        assert!(matches!(error, TransportError::Setup { .. }), "{error:?}");
    }
}

/// A certificate with its key, signed by this authority, or by itself.
fn signed(name: &str, by: Option<&Issuer<'_, KeyPair>>, is_ca: IsCa) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.is_ca = is_ca;
    let certificate = match by {
        Some(issuer) => params.signed_by(&key, issuer).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    (certificate, key)
}

/// A server that wants a certificate signed by this authority.
async fn demanding(authority: &Certificate) -> (String, String) {
    let (certificate, key) = signed("localhost", None, IsCa::NoCa);
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
        .build()
        .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 1000]).await;
                let _ = stream
                    .write_all(&answer("connection: close\r\n", b"known"))
                    .await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (format!("https://localhost:{port}"), certificate.pem())
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_lack_is_named() {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["authority".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let (base, server_pem) = demanding(&authority).await;
    let trusted = file(&server_pem);
    let trusted = Some(trusted.path().to_owned());

    let message = tls_failure(get(&base, trusted.clone()).await);
    assert!(
        message.contains("wants a client certificate") && message.contains("client_cert"),
        "{message}"
    );

    let (own, key) = signed("me", Some(&issuer), IsCa::NoCa);
    let (cert_file, key_file) = (file(&own.pem()), file(&key.serialize_pem()));
    let both = file(&format!("{}\n{}", key.serialize_pem(), own.pem()));
    let cert = || Some(cert_file.path().to_owned());
    let with_key = get_with(
        &base,
        trusted.clone(),
        cert(),
        Some(key_file.path().to_owned()),
    );
    assert_eq!(with_key.await.unwrap(), "known");
    let in_one = get_with(&base, trusted.clone(), Some(both.path().to_owned()), None);
    assert_eq!(in_one.await.unwrap(), "known");

    let (foreign, foreign_key) = signed("me", None, IsCa::NoCa);
    let foreign = file(&format!(
        "{}\n{}",
        foreign_key.serialize_pem(),
        foreign.pem()
    ));
    let refused = get_with(
        &base,
        trusted.clone(),
        Some(foreign.path().to_owned()),
        None,
    );
    let message = tls_failure(refused.await);
    assert!(
        message.contains("does not accept the client certificate"),
        "{message}"
    );

    let encrypted = file("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n");
    for (key, says) in [
        (None, "no client_key"),
        (cert(), "a certificate and no private key"),
        (Some(encrypted.path().to_owned()), "is encrypted"),
        (Some(PathBuf::from("/does/not/exist")), "/does/not/exist"),
    ] {
        let error = get_with(&base, trusted.clone(), cert(), key)
            .await
            .unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, TransportError::Setup { .. }), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

/// Frames of HTTP/2 (RFC 9113), as far as a server needs them that refuses everything.
async fn refuse_streams(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, seen: &AtomicUsize) {
    const PREFACE: usize = 24;
    let (headers, settings, reset) = (1, 4, 3);
    let mut preface = [0; PREFACE];
    let _ = stream.read_exact(&mut preface).await;
    let _ = stream.write_all(&[0, 0, 0, settings, 0, 0, 0, 0, 0]).await;
    let mut head = [0; 9];
    while stream.read_exact(&mut head).await.is_ok() {
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        let _ = stream.read_exact(&mut payload).await;
        if head[3] == settings && head[4] == 0 {
            let _ = stream.write_all(&[0, 0, 0, settings, 1, 0, 0, 0, 0]).await;
        }
        if head[3] == headers {
            seen.fetch_add(1, Ordering::SeqCst);
            let mut frame = vec![0, 0, 4, reset, 0];
            frame.extend_from_slice(&head[5..]);
            // REFUSED_STREAM
            frame.extend_from_slice(&[0, 0, 0, 7]);
            let _ = stream.write_all(&frame).await;
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_refused_was_one_attempt() {
    let (certificate, key) = signed("localhost", None, IsCa::NoCa);
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    refuse_streams(stream, &counted).await;
                }
            });
        }
    });
    let trusted = file(&certificate.pem());
    let error = get(&base, Some(trusted.path().to_owned()))
        .await
        .unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 1, "{error:?}");
}

#[test]
fn an_empty_variable_names_no_file() {
    const CHILD: &str = "MULTILLM_TEST_EMPTY_CERT_FILE";
    if std::env::var_os(CHILD).is_some() {
        let client = HttpClient::new(ClientOptions::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let base = BaseUrl::parse("https://x.example").unwrap();
        runtime.block_on(client.check(&base)).unwrap();
        return;
    }
    let name = "transport::client::tls_tests::an_empty_variable_names_no_file";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact"])
        .env(CHILD, "1")
        .env("SSL_CERT_FILE", "")
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
