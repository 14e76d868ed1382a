//! Pictures, recordings and documents as pieces of a question.

use std::borrow::Cow;

use super::super::dialect::Dialect;
use super::Body;
use crate::body::{Blobs, extended};
use crate::json::Json;
use crate::media::{Kind, Picture};
use crate::{Error, Media, MediaSource};

/// A piece of content.
///
/// # Errors
///
/// `unsupported` for what this wire or server takes no piece of.
pub(super) fn piece<'a>(
    dialect: &Dialect,
    media: &'a Media,
    blobs: &mut Blobs,
) -> Result<Json<'a>, Error> {
    let (kind, what) = match (media.kind(), &media.source) {
        _ if !dialect.additions => ("image_url", picture(dialect, media, blobs)?),
        (Kind::Audio, MediaSource::Blob(blob)) => {
            let format = sound(media.known_type()?).ok_or_else(|| media.refused(dialect.name))?;
            let sound = Json::object([
                ("data", blobs.base64(blob).into()),
                ("format", format.into()),
            ]);
            ("input_audio", sound)
        }
        (Kind::Document, MediaSource::Blob(blob)) => {
            let media_type = media.known_type()?;
            let data = format!("data:{media_type};base64,{}", blobs.base64(blob));
            let file = Json::object([("filename", name(media).into()), ("file_data", data.into())]);
            ("file", file)
        }
        // A file of which nobody said what it is can only be a document: no picture is sent by id.
        (kind, MediaSource::FileId(id)) if kind == Kind::Document || media.media_type.is_none() => {
            ("file", Json::object([("file_id", id.as_str().into())]))
        }
        _ => ("image_url", picture(dialect, media, blobs)?),
    };
    let piece = Json::object([("type", kind.into()), (kind, what)]);
    extended(piece, "a medium", media.extra.as_deref())
}

fn picture<'a>(dialect: &Dialect, media: &'a Media, blobs: &mut Blobs) -> Result<Json<'a>, Error> {
    let mut body = Body(Vec::with_capacity(2));
    let url = match media.picture(dialect.name)? {
        Picture::Url(url) => Cow::Borrowed(url),
        Picture::Blob(blob, media_type) => {
            Cow::Owned(format!("data:{media_type};base64,{}", blobs.base64(blob)))
        }
    };
    body.set("url", Some(url));
    body.set("detail", media.detail.as_deref());
    Ok(Json::Object(body.0))
}

/// The server's word for a type of sound; it takes two.
fn sound(media_type: &str) -> Option<&'static str> {
    let media_type = media_type.to_ascii_lowercase();
    let plain = media_type.split(';').next().unwrap_or_default().trim();
    match plain {
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some("wav"),
        "audio/mpeg" | "audio/mp3" => Some("mp3"),
        _ => None,
    }
}

/// A document's name, which the server demands: its own, or one that says what it is.
pub(in super::super) fn name(media: &Media) -> Cow<'_, str> {
    match media.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => Cow::Borrowed(name),
        None => {
            let kind = media
                .media_type
                .as_deref()
                .and_then(|kind| kind.rsplit('/').next());
            match kind {
                Some("plain") | None => Cow::Borrowed("document.txt"),
                Some(kind) => Cow::Owned(format!("document.{kind}")),
            }
        }
    }
}
