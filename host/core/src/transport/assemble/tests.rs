//! What a plugin may ask for, and what it may not.

use secrecy::SecretString;

use super::*;
use crate::described::HeaderValue;

const KEY: &str = "sk-live-0123456789abcdef";

fn request() -> Request {
    Request {
        method: Method::Post,
        path: vec!["chat".to_owned()],
        query: Vec::new(),
        headers: Vec::new(),
        body: vec![BodyPart::Text("{}".to_owned())],
        framing: Framing::Whole,
    }
}

fn plain(name: &str, value: &str) -> (String, HeaderValue) {
    (name.to_owned(), HeaderValue::Plain(value.to_owned()))
}

fn secret(header: &str, name: &str, optional: bool) -> (String, HeaderValue) {
    let prefix = "Bearer ".to_owned();
    (
        header.to_owned(),
        HeaderValue::Secret {
            name: name.to_owned(),
            prefix,
            optional,
        },
    )
}

fn assembled(request: Request, key: &str, blobs: &[Blob]) -> Result<Prepared, TransportError> {
    let base_url = BaseUrl::parse("https://api.example.com/v1").unwrap();
    let secrets = Secrets::new([("api_key".to_owned(), SecretString::from(key))]);
    let host = Host {
        base_url: &base_url,
        secrets: &secrets,
        blobs,
        max_body: 1000,
    };
    assemble(request, &host)
}

fn with_headers(headers: Vec<(String, HeaderValue)>) -> Result<Prepared, TransportError> {
    assembled(
        Request {
            headers,
            ..request()
        },
        KEY,
        &[],
    )
}

#[track_caller]
fn rule(result: Result<Prepared, TransportError>) -> Rule {
    match result.unwrap_err() {
        TransportError::Refused { rule, .. } => rule,
        other => panic!("{other}"),
    }
}

fn header<'a>(prepared: &'a Prepared, name: &str) -> Option<&'a str> {
    prepared
        .headers
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[test]
fn the_host_completes_the_headers() {
    let prepared = assembled(request(), KEY, &[]).unwrap();
    assert_eq!(prepared.url.as_str(), "https://api.example.com/v1/chat");
    assert_eq!(header(&prepared, "content-type"), Some("application/json"));
    assert_eq!(header(&prepared, "accept"), Some("application/json"));
    let prepared = with_headers(vec![plain("Content-Type", "text/plain")]).unwrap();
    assert_eq!(header(&prepared, "content-type"), Some("text/plain"));
    let get = Request {
        method: Method::Get,
        body: Vec::new(),
        ..request()
    };
    let prepared = assembled(get, KEY, &[]).unwrap();
    assert_eq!(prepared.method, http::Method::GET);
    assert_eq!(header(&prepared, "content-type"), None);
    let stream = Request {
        framing: Framing::Sse,
        ..request()
    };
    let prepared = assembled(stream, KEY, &[]).unwrap();
    assert_eq!(
        header(&prepared, "accept"),
        Some("text/event-stream, application/json")
    );
}

#[test]
fn a_secret_goes_where_the_plugin_says_and_shows_nowhere() {
    let prepared = with_headers(vec![secret("authorization", "api_key", false)]).unwrap();
    let expected = format!("Bearer {KEY}");
    assert_eq!(header(&prepared, "authorization"), Some(expected.as_str()));
    let shown = format!("{prepared:?} {prepared:#?}");
    assert!(!shown.contains(KEY), "{shown}");
    assert!(shown.contains("authorization"), "{shown}");
    let prepared = with_headers(vec![secret("x-key", "other", true)]).unwrap();
    assert_eq!(header(&prepared, "x-key"), None);
    let error = with_headers(vec![secret("x-key", "other", false)]).unwrap_err();
    assert_eq!(
        error,
        TransportError::MissingSecret {
            name: "other".to_owned()
        }
    );
}

#[test]
fn secrets_are_trimmed_and_must_be_sendable() {
    let headers = || vec![secret("authorization", "api_key", false)];
    let with_key = |key: &str| {
        assembled(
            Request {
                headers: headers(),
                ..request()
            },
            key,
            &[],
        )
    };
    let prepared = with_key(" sk-abc\r\n").unwrap();
    assert_eq!(header(&prepared, "authorization"), Some("Bearer sk-abc"));
    for key in [
        "sk-a\nsecret-b",
        "sk-a\u{200b}secret-b",
        "sk-\u{7f}secret",
        "secret\0",
    ] {
        let error = with_key(key).unwrap_err();
        assert!(
            matches!(error, TransportError::UnusableSecret { .. }),
            "{error}"
        );
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("secret-b") && !shown.contains("sk-"),
            "{shown}"
        );
    }
    for key in ["", " \n"] {
        let error = with_key(key).unwrap_err();
        assert_eq!(
            error,
            TransportError::MissingSecret {
                name: "api_key".to_owned()
            }
        );
    }
}

#[test]
fn forbidden_headers_are_refused() {
    for name in [
        "host",
        "Host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "proxy-authorization",
        "proxy-connection",
        "trailer",
        "upgrade",
        "expect",
        "cookie",
        "accept-encoding",
        "user-agent",
        "content-encoding",
    ] {
        assert_eq!(
            rule(with_headers(vec![plain(name, "x")])),
            Rule::HostHeader,
            "{name}"
        );
        let by_secret = with_headers(vec![secret(name, "api_key", false)]);
        assert_eq!(rule(by_secret), Rule::HostHeader, "{name}");
    }
    let pasted = with_headers(vec![plain("Authorization", "Bearer x")]);
    assert_eq!(rule(pasted), Rule::Credential);
}

#[test]
fn malformed_headers_are_refused() {
    for (name, value) in [
        ("", "x"),
        ("a b", "x"),
        ("a:b", "x"),
        ("a\r\nb", "x"),
        ("\u{e9}", "x"),
        ("a", "x\r\nhost: evil"),
        ("a", "x\0"),
        ("a", "\u{e9}"),
    ] {
        assert_eq!(
            rule(with_headers(vec![plain(name, value)])),
            Rule::Header,
            "{name:?}"
        );
    }
    let prefix = "Bearer\r\nx: ".to_owned();
    let name = "api_key".to_owned();
    let injected = HeaderValue::Secret {
        name,
        prefix,
        optional: false,
    };
    let error = with_headers(vec![("authorization".to_owned(), injected)]);
    assert_eq!(rule(error), Rule::Header);
    assert_eq!(
        rule(with_headers(vec![plain("a", "1"), plain("A", "2")])),
        Rule::Header
    );
    let many = (0..65).map(|n| plain(&format!("x-{n}"), "1")).collect();
    assert_eq!(rule(with_headers(many)), Rule::Header);
    let long = "x".repeat(33 << 10);
    assert_eq!(rule(with_headers(vec![plain("a", &long)])), Rule::Header);
}

#[test]
fn bodies_are_spliced_and_bounded() {
    let blobs = [Blob {
        id: 7,
        bytes: Bytes::from_static(b"picture"),
    }];
    let parts = |id| {
        vec![
            BodyPart::Text("{\"i\":\"".to_owned()),
            BodyPart::BlobBase64(id),
            BodyPart::Text("\"}".to_owned()),
        ]
    };
    let prepared = assembled(
        Request {
            body: parts(7),
            ..request()
        },
        KEY,
        &blobs,
    )
    .unwrap();
    assert_eq!(prepared.body_len(), 20);
    assert_eq!(
        prepared.body.collect(),
        "{\"i\":\"cGljdHVyZQ==\"}".as_bytes()
    );
    let unknown = assembled(
        Request {
            body: parts(8),
            ..request()
        },
        KEY,
        &blobs,
    );
    assert_eq!(rule(unknown), Rule::Blob);
    let body = vec![BodyPart::BlobBase64(7); 90];
    let error = assembled(Request { body, ..request() }, KEY, &blobs).unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::TooLarge {
                what: Oversize::Request,
                ..
            }
        ),
        "{error}"
    );
    let get = assembled(
        Request {
            method: Method::Get,
            ..request()
        },
        KEY,
        &[],
    );
    assert_eq!(rule(get), Rule::Body);
}

#[test]
fn path_rules_hold_here_too() {
    let path = vec!["..".to_owned()];
    assert_eq!(
        rule(assembled(Request { path, ..request() }, KEY, &[])),
        Rule::Path
    );
}
