//! The parts that turns are made of.

use multillm_plugin_sdk::body::extended;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::outcome::tool_arguments;
use multillm_plugin_sdk::{Error, ResultPart, ToolResult};

use crate::wire::object;

/// A part of text; nothing if there is neither text nor signature.
pub(super) fn said<'a>(
    text: &'a str,
    thought: Option<bool>,
    signature: Option<&'a str>,
) -> Option<Json<'a>> {
    let part = object(vec![
        ("text", Some(text.into())),
        ("thought", thought.map(Json::from)),
        ("thoughtSignature", signature.map(Json::from)),
    ]);
    (!text.is_empty() || signature.is_some()).then_some(part)
}

/// What was made of a part, if anything was, with the part's open tail.
pub(super) fn with_tail<'a>(
    made: Option<Json<'a>>,
    what: &str,
    extra: Option<&'a str>,
) -> Result<Option<Json<'a>>, Error> {
    made.map(|made| extended(made, what, extra)).transpose()
}

/// Arguments as the object that the vendor wants. What is none (a cut-off call) goes
/// under `_raw` rather than being lost.
pub(super) fn arguments(raw: &str) -> Json<'_> {
    match Json::parse(tool_arguments(raw)) {
        Ok(object @ Json::Object(_)) => object,
        _ => Json::object([("_raw", raw.into())]),
    }
}

/// What a tool returned, as the object that the vendor wants: an object stays as it
/// is, anything else goes under `result`, and what went wrong under `error`. Text that
/// only looks like a number stays text.
pub(super) fn response(result: &ToolResult) -> Json<'_> {
    let mut texts = result.content.iter().filter_map(|part| match part {
        ResultPart::Text(text) => Some(text.as_str()),
        ResultPart::Media(_) | ResultPart::Opaque(_) => None,
    });
    let first = texts.next().unwrap_or_default();
    let rest: Vec<&str> = texts.collect();
    let value = match Json::parse(first) {
        _ if !rest.is_empty() => Json::from([&[first], rest.as_slice()].concat().join("\n")),
        Ok(value @ (Json::Object(_) | Json::List(_))) => value,
        _ => first.into(),
    };
    match (value, result.is_error) {
        (object @ Json::Object(_), false) => object,
        (value, false) => Json::object([("result", value)]),
        (value, true) => Json::object([("error", value)]),
    }
}

/// A block that was kept for sending back.
pub(super) fn kept(data: &str) -> Result<Json<'_>, Error> {
    match Json::parse(data) {
        Ok(block @ Json::Object(_)) => Ok(block),
        _ => Err(Error::invalid_request(
            "a kept block of an answer is no JSON object",
        )),
    }
}

/// The media type that a URL's ending tells.
pub(super) fn media_type(url: &str) -> Option<&'static str> {
    let path = url.split(['?', '#']).next()?;
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match ending.to_ascii_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "bmp" => "image/bmp",
        "avif" => "image/avif",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" => "audio/ogg",
        "flac" => "audio/flac",
        _ => return None,
    })
}
