//! Pictures, sound and films of an answer, those in blocks of vendors' own included, for which an adapter has
//! no unified form: that there are some, of which type and how large. What they show is not looked at.
//!
//! No vendor is known here. A block holds media where it says so in one of the ways in use: a `data:`
//! URL; base64 beside a media type, or of a known signature; an address under a name that tells.

use serde::Serialize;
use serde_json::{Map, Value};

use super::part::{MediaPart, MediaSource, OpaquePart, Part, image_media_type};

/// Nesting beyond this holds no media.
const DEEPEST: usize = 16;
/// Base64 shorter than this is a word.
const SHORTEST: usize = 16;

/// A picture, sound or film that a model made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Media {
    /// Such as `image/png`; `image`, `audio` or `video` where no more is known.
    pub media_type: String,
    /// How many bytes it has; absent where it stands elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Where it stands, if not in the block itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl OpaquePart {
    /// The media in the block; none in most.
    #[must_use]
    pub fn media(&self) -> Vec<Media> {
        let mut found = vec![];
        if let Ok(block) = serde_json::from_str::<Value>(&self.data) {
            search(&block, sort_of(&self.kind), 0, &mut found);
        }
        found
    }
}

impl MediaPart {
    /// Of which type it is, and how large.
    #[must_use]
    pub fn about(&self) -> Media {
        let media_type = self.media_type().unwrap_or("file").to_owned();
        let (bytes, url) = match &self.source {
            MediaSource::Bytes { data, .. } => (Some(data.len() as u64), None),
            MediaSource::Url { url } => (None, Some(url.clone())),
            MediaSource::File { .. } => (None, None),
        };
        Media {
            media_type,
            bytes,
            url,
        }
    }
}

/// The media among the parts of an answer.
pub(super) fn media_of(parts: &[Part]) -> Vec<Media> {
    let blocks = parts.iter().map(|part| match part {
        Part::Opaque(block) => block.media(),
        Part::Media(media) => vec![media.about()],
        _ => vec![],
    });
    blocks.flatten().collect()
}

/// The text of a message for people: its words, and in brackets the media beside them.
pub fn transcript(parts: &[Part]) -> String {
    let text = super::message::text_of(parts);
    match summary(&media_of(parts)) {
        None => text,
        Some(media) if text.is_empty() => format!("[{media}]"),
        Some(media) => format!("{}\n\n[{media}]", text.trim_end()),
    }
}

/// `2 image/png (12.3 KB, 4 KB), audio/wav`; nothing for nothing.
#[must_use]
pub fn summary(media: &[Media]) -> Option<String> {
    let mut types: Vec<&str> = vec![];
    for one in media {
        if !types.contains(&one.media_type.as_str()) {
            types.push(&one.media_type);
        }
    }
    let groups = types.iter().map(|media_type| {
        let group = media.iter().filter(|one| one.media_type == *media_type);
        let count = group.clone().count();
        let sizes: Vec<_> = group.filter_map(|one| one.bytes).map(size).collect();
        match sizes.is_empty() {
            true => format!("{count} {media_type}"),
            false => format!("{count} {media_type} ({})", sizes.join(", ")),
        }
    });
    let groups: Vec<_> = groups.collect();
    (!groups.is_empty()).then(|| groups.join(", "))
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let of = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} KB", of(1_000)),
        _ => format!("{:.1} MB", of(1_000_000)),
    }
}

/// What a name says of media that stand under it.
fn sort_of(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    ["image", "audio", "video"]
        .into_iter()
        .find(|sort| name.contains(sort))
}

fn search(value: &Value, sort: Option<&'static str>, depth: usize, found: &mut Vec<Media>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::String(text) => found.extend(of_data_url(text)),
        Value::Array(list) => list
            .iter()
            .for_each(|one| search(one, sort, depth + 1, found)),
        Value::Object(object) => {
            let sort = text_of(object, &["type"]).and_then(sort_of).or(sort);
            match of_object(object, sort) {
                Some(media) => found.push(media),
                None => {
                    for (name, one) in object {
                        search(one, sort_of(name).or(sort), depth + 1, found);
                    }
                }
            }
        }
        _ => {}
    }
}

fn text_of<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| object.get(*name)?.as_str())
}

/// Media that the members of one object make up.
fn of_object(object: &Map<String, Value>, sort: Option<&'static str>) -> Option<Media> {
    let named = text_of(
        object,
        &[
            "mimeType",
            "mime_type",
            "mediaType",
            "media_type",
            "content_type",
        ],
    );
    let media_type = named.filter(|name| is_media_type(name));
    let content = text_of(object, &["data", "b64_json", "base64", "blob"]);
    if let Some(content) = content {
        if let Some(media) = of_data_url(content) {
            return Some(media);
        }
        if let Some(start) = decoded_start(content) {
            let media_type = media_type.or_else(|| signature(&start)).or(sort)?;
            return Some(Media {
                media_type: media_type.to_owned(),
                bytes: Some(decoded_length(content)),
                url: None,
            });
        }
    }
    let url = text_of(object, &["url", "uri", "fileUri", "file_uri"])?;
    let elsewhere =
        url.starts_with("https://") || url.starts_with("http://") || url.starts_with("gs://");
    if !elsewhere {
        return None;
    }
    Some(Media {
        media_type: media_type.or(sort)?.to_owned(),
        bytes: None,
        url: Some(url.to_owned()),
    })
}

fn is_media_type(name: &str) -> bool {
    let sort = name.split('/').next().unwrap_or_default();
    name.contains('/') && sort_of(sort).is_some() || name == "application/pdf"
}

fn of_data_url(text: &str) -> Option<Media> {
    let (about, content) = text.strip_prefix("data:")?.split_once(',')?;
    let media_type = about.split(';').next().filter(|name| is_media_type(name))?;
    let encoded = about.ends_with("base64");
    Some(Media {
        media_type: media_type.to_owned(),
        bytes: encoded.then(|| decoded_length(content)),
        url: None,
    })
}

/// The first bytes of base64; nothing if it is none.
fn decoded_start(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let start: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        })
        .take(48)
        .collect();
    let whole = start.len() - start.len() % 4;
    let start = start.get(..whole).filter(|_| text.len() >= SHORTEST)?;
    base64::engine::general_purpose::STANDARD.decode(start).ok()
}

/// How many bytes base64 stands for.
fn decoded_length(text: &str) -> u64 {
    let letters = text
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'));
    let letters = u64::try_from(letters.count()).unwrap_or(u64::MAX);
    letters / 4 * 3 + (letters % 4).saturating_sub(1)
}

/// The media type by the signature of the bytes.
fn signature(start: &[u8]) -> Option<&'static str> {
    let at = |range: std::ops::Range<usize>| start.get(range).unwrap_or_default();
    image_media_type(start).or(match start {
        _ if start.starts_with(b"RIFF") && at(8..12) == b"WAVE" => Some("audio/wav"),
        _ if start.starts_with(b"ID3") => Some("audio/mpeg"),
        _ if start.starts_with(b"OggS") => Some("audio/ogg"),
        _ if start.starts_with(b"fLaC") => Some("audio/flac"),
        _ if start.starts_with(b"\x1aE\xdf\xa3") => Some("video/webm"),
        _ if at(4..8) == b"ftyp" => Some("video/mp4"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk";

    fn media(kind: &str, block: &Value) -> Vec<(String, Option<u64>)> {
        let part = OpaquePart {
            kind: kind.to_owned(),
            data: block.to_string(),
        };
        let media = part.media().into_iter();
        media.map(|one| (one.media_type, one.bytes)).collect()
    }

    fn one(media_type: &str, bytes: impl Into<Option<u64>>) -> Vec<(String, Option<u64>)> {
        vec![(media_type.to_owned(), bytes.into())]
    }

    #[test]
    fn each_way_to_hold_media_is_known() {
        let url = format!("data:image/png;base64,{PNG}");
        let png = || one("image/png", 45);
        for block in [
            json!({ "inlineData": { "mimeType": "image/png", "data": PNG } }),
            json!({ "inline_data": { "mime_type": "image/png", "data": PNG }, "thoughtSignature": "c2lnbmF0dXJl" }),
            json!({ "type": "image_url", "image_url": { "url": url } }),
            json!([{ "type": "image_url", "image_url": { "url": url } }]),
            json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": PNG } }),
            json!({ "b64_json": PNG }),
            json!({ "type": "image_generation_call", "result": { "data": PNG } }),
            json!(url),
        ] {
            assert_eq!(media("x", &block), png(), "{block}");
        }
        let sound = json!({ "id": "audio_1", "data": "AAAAAAAAAAAAAAAAAAAAAA==", "expires_at": 1, "transcript": "hi" });
        assert_eq!(media("audio", &sound), one("audio", 16));
        assert_eq!(media("x", &json!({ "audio": sound })), one("audio", 16));
        let film =
            json!({ "fileData": { "mimeType": "video/mp4", "fileUri": "https://example.org/a" } });
        assert_eq!(media("x", &film), one("video/mp4", None));
        let far =
            json!({ "type": "image_url", "image_url": { "url": "https://example.org/a.png" } });
        assert_eq!(media("x", &far), one("image", None));
        let several = json!([{ "b64_json": PNG }, { "b64_json": PNG }]);
        assert_eq!(media("images", &several).len(), 2);
    }

    #[test]
    fn what_is_no_media_is_none() {
        for block in [
            json!({ "type": "web_search_result", "url": "https://example.org/", "title": "image of it" }),
            json!({ "type": "reasoning.encrypted", "data": "gAAAAABocjVsaGpHc2Rma2pzaGRma2pzZGhm" }),
            json!({ "executableCode": { "language": "PYTHON", "code": "print('data:image/png')" } }),
            json!({ "media_type": "text/plain", "data": "some words of a text" }),
            json!({ "data": "short" }),
            json!(null),
        ] {
            assert_eq!(media("block", &block), [], "{block}");
        }
        let mut deep = json!({ "b64_json": PNG });
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert_eq!(media("x", &deep), []);
    }

    #[test]
    fn a_summary_counts_by_type() {
        let make = |media_type: &str, bytes| Media {
            media_type: media_type.to_owned(),
            bytes,
            url: None,
        };
        let all = [
            make("image/png", Some(12_345)),
            make("audio", None),
            make("image/png", Some(999)),
        ];
        assert_eq!(
            summary(&all).as_deref(),
            Some("2 image/png (12.3 KB, 999 bytes), 1 audio")
        );
        assert_eq!(summary(&[]), None);
    }
}
