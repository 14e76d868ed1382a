//! Pictures and files in bodies, and in answers.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use multillm::chat::{CacheMark, MediaPart, MediaSource};
use serde_json::{Value, json};

use super::body::{Fault, Object, Read};

/// What stands under a URL: the bytes themselves if it is a `data:` URL.
pub(super) fn of_url(url: String) -> Read<MediaPart> {
    let Some(rest) = url.strip_prefix("data:") else {
        return Ok(MediaPart::url(url));
    };
    let fault = || Fault::at("", "expected data:TYPE;base64,… in base64");
    let (about, content) = rest.split_once(',').ok_or_else(fault)?;
    let about = about.strip_suffix(";base64").ok_or_else(fault)?;
    let media_type = about.split(';').next().unwrap_or_default();
    of_base64(media_type, content)
}

/// Bytes in base64. A picture whose type is not told is known by its bytes.
pub(super) fn of_base64(media_type: &str, content: &str) -> Read<MediaPart> {
    let content = content.trim_end_matches(['=', '\n', '\r', ' ']);
    let data = STANDARD_NO_PAD
        .decode(content)
        .map_err(|_| Fault::at("", "expected base64"))?;
    if media_type.is_empty() {
        return MediaPart::bytes(data)
            .ok_or_else(|| Fault::at("", "say of which media type the bytes are"));
    }
    Ok(MediaPart::of_type(media_type, data))
}

/// Its bytes in base64, with their type; nothing if they are elsewhere.
pub(super) fn base64(media: &MediaPart) -> Option<(&str, String)> {
    match &media.source {
        MediaSource::Bytes { media_type, data } => Some((media_type, STANDARD.encode(data))),
        _ => None,
    }
}

/// A URL of it: its own, or a `data:` URL. A file that a vendor keeps has none.
pub(super) fn url(media: &MediaPart) -> Option<String> {
    match &media.source {
        MediaSource::Url { url } => Some(url.clone()),
        MediaSource::Bytes { .. } => {
            let (media_type, data) = base64(media)?;
            Some(format!("data:{media_type};base64,{data}"))
        }
        MediaSource::File { .. } => None,
    }
}

/// The type that a recording's format stands for, and back.
const SOUNDS: [(&str, &str); 8] = [
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
    ("flac", "audio/flac"),
    ("opus", "audio/opus"),
    ("ogg", "audio/ogg"),
    ("aac", "audio/aac"),
    ("m4a", "audio/mp4"),
    ("pcm16", "audio/pcm"),
];

/// The media type of a recording in one of OpenAI's formats.
pub(super) fn sound_type(format: &str) -> String {
    let known = SOUNDS.iter().find(|(name, _)| *name == format);
    known.map_or_else(
        || format!("audio/{format}"),
        |(_, media_type)| (*media_type).to_owned(),
    )
}

/// The mark of Anthropic's that callers of other wires use too.
pub(super) fn cache_mark(of: &Object<'_>) -> Read<Option<CacheMark>> {
    let Some(control) = of.object("cache_control")? else {
        return Ok(None);
    };
    let within = |fault: Fault| fault.within("cache_control");
    control.text("type").map_err(within)?;
    let seconds = match control.text("ttl").map_err(within)?.as_deref() {
        None => None,
        Some("5m") => Some(300),
        Some("1h") => Some(3600),
        Some(other) => {
            return Err(Fault::at(
                "cache_control.ttl",
                format!("expected 5m or 1h, not {other:?}"),
            ));
        }
    };
    Ok(Some(CacheMark { seconds }))
}

/// A part of an answer of OpenAI's chat that holds a picture, as compatible servers give it.
pub(super) fn picture(media: &MediaPart) -> Option<Value> {
    let url = url(media)?;
    Some(json!({ "type": "image_url", "image_url": { "url": url } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_bytes_and_others_stay() {
        let media = of_url("data:application/pdf;name=a.pdf;base64,AAEC".to_owned()).unwrap();
        assert_eq!(media.media_type(), Some("application/pdf"));
        assert_eq!(base64(&media), Some(("application/pdf", "AAEC".to_owned())));
        assert_eq!(url(&media).unwrap(), "data:application/pdf;base64,AAEC");
        let far = of_url("https://example.org/a.png".to_owned()).unwrap();
        assert_eq!(url(&far).unwrap(), "https://example.org/a.png");
        for url in [
            "data:image/png,AA",
            "data:image/png;base64",
            "data:;base64,AAEC",
            "data:a/b;base64,?",
        ] {
            assert!(of_url(url.to_owned()).is_err(), "{url}");
        }
    }

    #[test]
    fn cache_marks_have_two_lengths() {
        let mark = |text: &str| cache_mark(&Object::parse(text).unwrap());
        let plain = r#"{"cache_control":{"type":"ephemeral"}}"#;
        assert_eq!(mark(plain).unwrap(), Some(CacheMark { seconds: None }));
        let long = r#"{"cache_control":{"type":"ephemeral","ttl":"1h"}}"#;
        assert_eq!(
            mark(long).unwrap(),
            Some(CacheMark {
                seconds: Some(3600)
            })
        );
        assert_eq!(mark("{}").unwrap(), None);
        assert!(mark(r#"{"cache_control":{"ttl":"2h"}}"#).is_err());
    }
}
