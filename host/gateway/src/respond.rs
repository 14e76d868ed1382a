//! Answers of the gateway's own, and the headers that it adds to those of models.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Response, StatusCode};
use multillm::{Error, ErrorKind};

use crate::door::Closed;
use crate::face::{Face, Refused};

/// An answer whose body is there.
pub(crate) fn whole(
    status: u16,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An error, as a client of this face reads it.
pub(crate) fn refused(face: Face, error: &Error) -> Response<Body> {
    let Refused {
        status,
        headers,
        body,
    } = face.refuse(error);
    // What the gateway itself says of its own state counts more than what a wire usually says.
    let own = error.status.filter(|_| error.provider.is_none());
    let mut response = whole(own.unwrap_or(status), "application/json", body);
    for (name, value) in headers {
        put(response.headers_mut(), name, &value);
    }
    response
}

/// Somebody may not come in.
pub(crate) fn closed(face: Face, closed: &Closed) -> Response<Body> {
    let kind = match closed.status() {
        401 => ErrorKind::Authentication,
        _ => ErrorKind::Permission,
    };
    let mut error = Error::new(kind, closed.to_string());
    error.status = Some(closed.status());
    let mut response = refused(face, &error);
    if closed.status() == 401 {
        put(response.headers_mut(), "www-authenticate", "Bearer");
    }
    response
}

/// What a stranger is told of an error: nothing of the operator's files, variables and programs. `open`: it is the operator
/// who asks.
pub(crate) fn public(error: Error, open: bool) -> Error {
    let is_operators = matches!(error.kind, ErrorKind::Configuration | ErrorKind::Plugin);
    if open || !is_operators {
        return error;
    }
    tracing::warn!("a caller was refused: {error}");
    let mut told = Error::new(
        error.kind,
        "this gateway is not set up for that: its operator finds the reason in its log",
    );
    told.model.clone_from(&error.model);
    told.status = Some(500);
    told
}

/// Adds a header, if its value can stand in one.
pub(crate) fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// How long it took until the head of the answer was there, and how much of it the vendor took.
pub(crate) fn timing(headers: &mut HeaderMap, head: Duration, upstream: Option<Duration>) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let mut text = format!("head;dur={:.1}", ms(head));
    if let Some(upstream) = upstream {
        text += &format!(", upstream;dur={:.1}", ms(upstream));
    }
    put(headers, "server-timing", &text);
}
