//! TLS: certificates that are trusted, those that are not, and servers without TLS.

use std::io::Write as _;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

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
    let options = ClientOptions {
        proxy: ProxyChoice::None,
        ca_file,
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
