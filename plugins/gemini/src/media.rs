//! Media that the model is given, as far as their types tell, and those that it made.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::media::Kind;
use multillm_plugin_sdk::{Error, Media, MediaSource};

use crate::contents::NAME;

/// Documents beside those of text that the vendor reads.
/// <https://ai.google.dev/gemini-api/docs/file-input-methods>
const DOCUMENTS: [&str; 7] = [
    "application/pdf",
    "application/json",
    "application/xml",
    "application/rtf",
    "application/javascript",
    "application/x-javascript",
    "application/x-python",
];

/// Whether this model takes no media but pictures: the open ones, by name.
pub(crate) fn takes_pictures_alone(model: &str) -> bool {
    model.to_ascii_lowercase().contains("gemma")
}

/// Says whether the vendor takes a medium of this type.
///
/// # Errors
///
/// `unsupported` that names the type.
pub(crate) fn takes(media: &Media, pictures_alone: bool) -> Result<(), Error> {
    let Some(media_type) = media.media_type.as_deref() else {
        return Ok(());
    };
    let kind = media.kind();
    let plain = media_type.split(';').next().unwrap_or_default();
    let plain = plain.trim().to_ascii_lowercase();
    let known = match kind {
        Kind::Picture => true,
        _ if pictures_alone => false,
        Kind::Audio | Kind::Video => true,
        Kind::Document => plain.starts_with("text/") || DOCUMENTS.contains(&&*plain),
    };
    match known {
        true => Ok(()),
        false => Err(Error::unsupported(format!(
            "{NAME} takes no file of {media_type}{}",
            match pictures_alone {
                true => " with this model, which sees pictures alone",
                false => ": give pictures, sound, films, PDF or text",
            }
        ))),
    }
}

/// The medium that a part of this kind is; nothing for anything else. What the model only sketches while it
/// thinks is no part of the answer.
pub(crate) fn made(kind: &str, part: &Json<'_>) -> Option<Media> {
    if part.get("thought") == Some(&Json::Bool(true)) {
        return None;
    }
    let of = part.get(kind)?;
    let (source, known) = match kind {
        "inlineData" => (MediaSource::Base64(of.text("data")?.to_owned()), "data"),
        "fileData" => {
            let uri = of.text("fileUri")?.to_owned();
            match uri.starts_with("http://") || uri.starts_with("https://") {
                true => (MediaSource::Url(uri), "fileUri"),
                false => (MediaSource::FileId(uri), "fileUri"),
            }
        }
        _ => return None,
    };
    let mut media = Media::from_source(source, of.text("mimeType").map(str::to_owned));
    media.name = of.text("displayName").map(str::to_owned);
    // A signature goes back with the picture that it signs.
    let mut extra = part.beside(&[kind]);
    if let Some(rest) = of.beside(&[known, "mimeType", "displayName"]) {
        let rest = Json::Object(vec![(kind.into(), rest)]);
        match &mut extra {
            Some(extra) => extra.merge(rest),
            None => extra = Some(rest),
        }
    }
    media.extra = extra.map(|extra| extra.to_string());
    Some(media)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn of(text: &str) -> Option<Media> {
        let part = Json::parse(text).unwrap();
        made(wire::kind(&part)?, &part)
    }

    #[test]
    fn a_picture_has_its_bytes_and_its_signature() {
        let picture =
            of(r#"{"inlineData":{"mimeType":"image/png","data":"iVBO"},"thoughtSignature":"s"}"#)
                .unwrap();
        assert_eq!(picture.source, MediaSource::Base64("iVBO".to_owned()));
        assert_eq!(picture.media_type.as_deref(), Some("image/png"));
        assert_eq!(
            picture.extra.as_deref(),
            Some(r#"{"thoughtSignature":"s"}"#)
        );
        let film = of(r#"{"fileData":{"mimeType":"video/mp4","fileUri":"https://e.org/a","displayName":"a.mp4"}}"#)
            .unwrap();
        assert_eq!(film.source, MediaSource::Url("https://e.org/a".to_owned()));
        assert_eq!((film.name.as_deref(), film.extra), (Some("a.mp4"), None));
    }

    #[test]
    fn types_are_judged_before_anything_is_sent() {
        let of = |media_type: &str, pictures_alone| {
            let blob = multillm_plugin_sdk::Blob { id: 0, length: 1 };
            takes(&Media::blob(blob, media_type), pictures_alone)
        };
        for media_type in [
            "image/png",
            "audio/wav",
            "Video/MP4",
            "application/pdf",
            "text/csv; charset=utf-8",
        ] {
            assert_eq!(of(media_type, false), Ok(()), "{media_type}");
        }
        for (media_type, pictures_alone) in [("application/zip", false), ("application/pdf", true)]
        {
            let error = of(media_type, pictures_alone).unwrap_err();
            assert!(error.message.contains(media_type), "{}", error.message);
        }
        assert_eq!(of("image/png", true), Ok(()));
        assert!(takes_pictures_alone("gemma-3-27b-it") && !takes_pictures_alone("gemini-3-pro"));
    }

    #[test]
    fn a_sketch_and_anything_else_is_none() {
        for text in [
            r#"{"inlineData":{"mimeType":"image/png","data":"iVBO"},"thought":true}"#,
            r#"{"inlineData":{"mimeType":"image/png"}}"#,
            r#"{"brandNew":{"data":"x"}}"#,
        ] {
            assert!(of(text).is_none(), "{text}");
        }
    }
}
