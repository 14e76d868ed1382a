//! The target `url`: any request as a plugin may describe it, under any base URL.
//!
//! An input is text, cut into records at U+001E. The first is the base URL; of the others the
//! first character says what they are:
//!
//! | | | |
//! |---|---|---|
//! | `/` | a path segment | `/chat` |
//! | `?` | a query pair | `?alt=sse` |
//! | `:` | a header | `:x-app:mine` |
//! | `$` | a header with the key | `$authorization:Bearer ` |
//! | `%` | a header with a secret that is not there, which may be left out | `%x-org:` |
//! | `.` | text of the body | `.{}` |
//! | `*` | a picture of the body | `*` |
//! | `!` | GET, and the framing | `!sse` |

use http::{HeaderMap, HeaderName, HeaderValue as Value};
use multillm::transport::{
    BaseUrl, Blob, BodyPart, Framing, HeaderValue, Host, Method, Prepared, Request, Secrets,
    assemble,
};
use secrecy::SecretString;
use url::Url;

/// No plugin knows it, so it can come out only where the host put it. In capitals, as the names
/// of hosts and headers are put into small letters and would otherwise come to spell it.
const SECRET: &str = "sk-0F5ECRE7-BD1C7AA0";

/// The picture that there is, and how long it is in base64.
const PICTURE: (&[u8], u64) = (b"12345", 8);

/// Headers that are the host's alone: RFC 9110, sections 7.2, 7.6.1, 7.8, 8.6 and 10.1.1, and
/// RFC 9112, section 6.1.
const OF_THE_HOST: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
];

pub(crate) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    // A URL drops these wherever they stand, so around them an input can spell it too.
    if text.replace(['\t', '\n', '\r'], "").contains(SECRET) {
        return;
    }
    let mut records = text.split('\u{1e}');
    let base = records.next().unwrap_or_default();
    let request = request(records);
    let base_url = match BaseUrl::parse(base) {
        Ok(base_url) => base_url,
        Err(error) => return said(&error.to_string()),
    };
    let secrets = Secrets::new([("api_key".to_owned(), SecretString::from(SECRET))]);
    let blobs = [Blob {
        id: 0,
        bytes: PICTURE.0.into(),
    }];
    let host = Host {
        base_url: &base_url,
        secrets: &secrets,
        blobs: &blobs,
        max_body: 1 << 20,
    };
    match assemble(request.clone(), &host) {
        Ok(prepared) => accepted(base, &request, &prepared),
        Err(error) => said(&error.to_string()),
    }
}

fn request<'text>(records: impl Iterator<Item = &'text str>) -> Request {
    let mut request = Request {
        method: Method::Post,
        path: vec![],
        query: vec![],
        headers: vec![],
        body: vec![],
        framing: Framing::Whole,
    };
    let secret = |name: &str, prefix: &str, optional| HeaderValue::Secret {
        name: name.to_owned(),
        prefix: prefix.to_owned(),
        optional,
    };
    for record in records {
        let mut rest = record.chars();
        let kind = rest.next();
        let rest = rest.as_str();
        let pair = |between| rest.split_once(between).unwrap_or((rest, ""));
        let (name, value) = pair(':');
        let mut header = |value| request.headers.push((name.to_owned(), value));
        match kind {
            Some('/') => request.path.push(rest.to_owned()),
            Some('?') => {
                let (name, value) = pair('=');
                request.query.push((name.to_owned(), value.to_owned()));
            }
            Some(':') => header(HeaderValue::Plain(value.to_owned())),
            Some('$') => header(secret("api_key", value, false)),
            Some('%') => header(secret("other", value, true)),
            Some('.') => request.body.push(BodyPart::Text(rest.to_owned())),
            Some('*') => request.body.push(BodyPart::BlobBase64(0)),
            Some('!') => {
                request.method = Method::Get;
                request.framing = match rest {
                    "sse" => Framing::Sse,
                    "ndjson" => Framing::Ndjson,
                    _ => Framing::Whole,
                };
            }
            _ => {}
        }
    }
    request
}

/// What is said of a request that is refused.
fn said(message: &str) {
    assert!(!message.contains(SECRET), "{message}");
    assert!(!message.contains(['\r', '\n']), "{message:?}");
}

fn accepted(base: &str, request: &Request, prepared: &Prepared) {
    let base = Url::parse(base.trim()).expect("a base URL is a URL");
    assert!(matches!(base.scheme(), "http" | "https"), "{base}");
    let bare = base.username().is_empty()
        && base.password().is_none()
        && base.query().is_none()
        && base.fragment().is_none();
    assert!(bare, "more than scheme, host, port and path: {base}");
    assert_eq!(prepared.origin(), base.origin().ascii_serialization());
    below(base.path(), prepared.path(), &request.path);

    let shown = format!("{prepared:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    let names: Vec<_> = request.query.iter().map(|(name, _)| name).collect();
    assert!(shown.contains(&format!("query: {names:?}, ")), "{shown}");
    let length = request.body.iter().map(|part| match part {
        BodyPart::Text(text) => text.len() as u64,
        BodyPart::Bytes(bytes) => bytes.len() as u64,
        BodyPart::BlobBase64(_) => PICTURE.1,
    });
    assert_eq!(prepared.body_len(), length.sum::<u64>());
    let headers = headers(request, prepared.body_len() > 0);
    assert!(
        shown.contains(&format!("headers: {headers:?}, ")),
        "{shown}: should be {headers:?}"
    );
}

/// A path is the base URL's with these segments after it, in characters that a request line holds.
fn below(base: &str, path: &str, segments: &[String]) {
    assert!(path.bytes().all(|byte| byte.is_ascii_graphic()), "{path:?}");
    let prefix = base.trim_end_matches('/');
    let added = path
        .strip_prefix(prefix)
        .expect("a path below the base URL's");
    if segments.is_empty() {
        assert!(matches!(added, "" | "/"), "{added:?}");
        return;
    }
    let mut found = added.split('/');
    assert_eq!(found.next(), Some(""), "{path:?}");
    let found: Vec<_> = found.map(decoded).collect();
    assert_eq!(found, segments, "{path:?}");
    for segment in &found {
        assert!(
            !matches!(segment.as_str(), "" | "." | ".."),
            "{path:?} walks"
        );
    }
}

/// A segment without percent-encoding.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, after) = after.split_at_checked(2).expect("two digits after %");
        bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal digits after %"));
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).expect("a segment is text")
}

/// The headers that an accepted request must have: what the plugin said, a secret where it said
/// so, and what is said for it.
fn headers(request: &Request, has_body: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().expect("the name of a header");
        assert!(
            !OF_THE_HOST.contains(&name.as_str()),
            "{name} is the host's"
        );
        let value = match value {
            HeaderValue::Plain(text) => {
                assert_ne!(name, "authorization", "a credential of the plugin's own");
                let value: Value = text.trim_ascii().parse().expect("the value of a header");
                value
            }
            HeaderValue::Secret { optional: true, .. } => continue,
            HeaderValue::Secret { prefix, .. } => {
                let shown = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
                assert!(prefix.bytes().all(shown), "{prefix:?} before a secret");
                let mut value = Value::from_static(SECRET);
                value.set_sensitive(true);
                value
            }
        };
        assert!(headers.insert(name, value).is_none(), "a header twice");
    }
    if has_body {
        headers
            .entry("content-type")
            .or_insert(Value::from_static("application/json"));
    }
    headers
        .entry("accept")
        .or_insert(Value::from_static(match request.framing {
            Framing::Whole => "application/json",
            Framing::Sse => "text/event-stream, application/json",
            Framing::Ndjson => "application/x-ndjson, application/json",
        }));
    headers
}
