//! The parts that messages are made of. Calls of tools and their results are in `tool.rs`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Extra, ServerToolCall, ServerToolResult, ToolCall, ToolResult};

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Text to be read.
    Text(TextPart),
    /// A picture, document, recording or film.
    #[serde(alias = "image")]
    Media(MediaPart),
    /// The model asks for a tool of the caller's.
    ToolCall(ToolCall),
    /// What a tool of the caller's returned.
    ToolResult(ToolResult),
    /// What the model thought.
    Reasoning(ReasoningPart),
    /// The model used a tool that the vendor runs.
    ServerToolCall(ServerToolCall),
    /// What a tool that the vendor runs returned.
    ServerToolResult(ServerToolResult),
    /// A block of the vendor's own, kept to be sent back.
    Opaque(OpaquePart),
}

impl Part {
    /// Text and nothing beside it.
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text(TextPart {
            text: text.into(),
            ..TextPart::default()
        })
    }
}

/// Text of a message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TextPart {
    /// The text.
    pub text: String,
    /// What it rests on, as the vendor says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub citations: Vec<Citation>,
    /// The vendor's opaque signature of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The conversation up to here is worth keeping in the vendor's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// Beyond the unified form.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl TextPart {
    /// Whether further text can be joined to it without anything being lost.
    pub(super) fn is_plain(&self) -> bool {
        self.signature.is_none() && self.joins()
    }

    /// Whether it can be joined to plain text: a signature then holds for both.
    pub(super) fn joins(&self) -> bool {
        self.citations.is_empty() && self.cache.is_none() && self.extra.is_empty()
    }
}

/// A beginning of a conversation that is worth keeping in the vendor's prompt cache. Vendors that
/// cache by themselves, or not at all, ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CacheMark {
    /// For how long, in seconds; absent: the vendor's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

/// Where a passage of an answer comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Citation {
    /// What is cited; absent where the vendor does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CitationSource>,
    /// Of the page, file or document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The words that are cited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cited_text: Option<String>,
    /// Where the passage that rests on it begins, in characters (Unicode scalar values) of the part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u32>,
    /// The character after its last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u32>,
    /// As the vendor wrote it, to be sent back unchanged.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// What is cited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CitationSource {
    /// A page.
    Url(String),
    /// A document of the request: its place (`0` is the first) or its id.
    Document(String),
    /// A file that the vendor keeps: its id.
    File(String),
}

/// What a model thought.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ReasoningPart {
    /// Readable thoughts; empty where the vendor withholds them.
    pub text: String,
    /// The vendor's opaque signature of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Encrypted thoughts in place of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redacted: Option<String>,
    /// Beyond the unified form.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

/// A block of a vendor's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpaquePart {
    /// The vendor's name for it.
    pub kind: String,
    /// The block as JSON text.
    pub data: String,
}

/// A picture, document, recording or film.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaPart {
    /// Where the bytes are.
    pub source: MediaSource,
    /// Of what stands elsewhere, such as `application/pdf`; bytes have their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// A file name, such as `invoice.pdf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How closely to look at a picture: `low`, `high` or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The conversation up to here is worth keeping in the vendor's prompt cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheMark>,
    /// Beyond the unified form.
    #[serde(default, skip_serializing_if = "Extra::is_empty")]
    pub extra: Extra,
}

impl MediaPart {
    /// From wherever the bytes are.
    #[must_use]
    pub fn new(source: MediaSource) -> Self {
        MediaPart {
            source,
            media_type: None,
            name: None,
            detail: None,
            cache: None,
            extra: Extra::default(),
        }
    }

    /// A picture or file that the vendor fetches.
    pub fn url(url: impl Into<String>) -> Self {
        Self::new(MediaSource::Url { url: url.into() })
    }

    /// A file that the vendor keeps.
    pub fn file(file_id: impl Into<String>) -> Self {
        let file_id = file_id.into();
        Self::new(MediaSource::File { file_id })
    }

    /// A picture in memory. The media type is found by the bytes' signature; nothing if they
    /// are no PNG, JPEG, GIF, WebP, BMP, HEIC or AVIF.
    #[must_use]
    pub fn bytes(data: impl Into<Bytes>) -> Option<Self> {
        let data = data.into();
        let media_type = image_media_type(&data)?;
        Some(Self::of_type(media_type, data))
    }

    /// Bytes in memory of a type that the caller knows, such as `application/pdf`.
    pub fn of_type(media_type: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self::new(MediaSource::Bytes {
            media_type: media_type.into(),
            data: data.into(),
        })
    }

    /// The bytes that came with it.
    pub(crate) fn size(&self) -> usize {
        match &self.source {
            MediaSource::Bytes { data, .. } => data.len(),
            MediaSource::Url { url } => url.len(),
            MediaSource::File { file_id } => file_id.len(),
        }
    }

    /// Its media type, as far as it is known.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        match &self.source {
            MediaSource::Bytes { media_type, .. } => Some(media_type),
            MediaSource::Url { .. } | MediaSource::File { .. } => self.media_type.as_deref(),
        }
    }
}

/// Where the bytes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum MediaSource {
    /// An absolute URL that the vendor fetches.
    Url {
        /// `http` or `https`.
        url: String,
    },
    /// The bytes themselves; base64 in JSON.
    Bytes {
        /// Such as `image/png`.
        media_type: String,
        /// The file.
        #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
        data: Bytes,
    },
    /// A file that the vendor keeps.
    File {
        /// The vendor's id of it, such as `file-abc123`.
        file_id: String,
    },
}

fn to_base64<S: Serializer>(data: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(data))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD
        .decode(text)
        .map(Bytes::from)
        .map_err(serde::de::Error::custom)
}

/// The media type of a picture by the signature of its bytes.
pub(super) fn image_media_type(data: &[u8]) -> Option<&'static str> {
    let at = |range: std::ops::Range<usize>| data.get(range).unwrap_or_default();
    match data {
        _ if data.starts_with(b"\x89PNG\r\n\x1a\n") => Some("image/png"),
        _ if data.starts_with(b"\xff\xd8\xff") => Some("image/jpeg"),
        _ if data.starts_with(b"GIF87a") || data.starts_with(b"GIF89a") => Some("image/gif"),
        _ if data.starts_with(b"RIFF") && at(8..12) == b"WEBP" => Some("image/webp"),
        _ if data.starts_with(b"BM") && data.len() > 26 => Some("image/bmp"),
        _ if at(4..8) == b"ftyp" => match at(8..12) {
            b"avif" | b"avis" => Some("image/avif"),
            b"heic" | b"heix" | b"hevc" | b"mif1" => Some("image/heic"),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        let png = MediaPart::bytes(&b"\x89PNG\r\n\x1a\n...."[..]).unwrap();
        assert_eq!(png.media_type(), Some("image/png"));
        assert_eq!(MediaPart::bytes(&b"plain text, no picture"[..]), None);
        assert_eq!(MediaPart::bytes(&b""[..]), None);
    }

    #[test]
    fn a_picture_that_an_older_program_wrote_is_read() {
        let old = r#"{"type":"image","source":{"media_type":"image/png","data":"iVBORw=="},"detail":"low"}"#;
        let part: Part = serde_json::from_str(old).unwrap();
        let Part::Media(media) = part else {
            panic!("no media: {part:?}");
        };
        assert_eq!(media.media_type(), Some("image/png"));
        assert_eq!(media.detail.as_deref(), Some("low"));
    }
}
