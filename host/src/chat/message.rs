//! Messages and their parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions of the application.
    System,
    /// The person, or the program that asks.
    User,
    /// The model.
    Assistant,
    /// Results of tools.
    Tool,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// The parts, in order.
    pub content: Vec<Part>,
    /// The plugin whose model produced this message. What only that vendor understands
    /// (signatures, opaque blocks, ids of calls) is sent to no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl ChatMessage {
    /// A message with these parts.
    #[must_use]
    pub fn new(role: Role, content: Vec<Part>) -> Self {
        ChatMessage {
            role,
            content,
            origin: None,
        }
    }

    /// Instructions of the application.
    pub fn system(text: impl Into<String>) -> Self {
        Self::new(Role::System, vec![Part::text(text)])
    }

    /// What the person says.
    pub fn user(text: impl Into<String>) -> Self {
        Self::new(Role::User, vec![Part::text(text)])
    }

    /// What the model said.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self::new(Role::Assistant, vec![Part::text(text)])
    }

    /// What a tool returned to a call.
    pub fn tool_result(call: &ToolCall, content: impl Into<String>) -> Self {
        Self::new(
            Role::Tool,
            vec![Part::ToolResult(ToolResult::new(call, content))],
        )
    }

    /// The same message with a picture added.
    #[must_use]
    pub fn with_image(mut self, image: ImagePart) -> Self {
        self.content.push(Part::Image(image));
        self
    }

    /// All text of the message, joined.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.content)
    }
}

pub(super) fn text_of(parts: &[Part]) -> String {
    parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
        .collect()
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Text to be read.
    Text(TextPart),
    /// A picture.
    Image(ImagePart),
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// What a tool returned.
    ToolResult(ToolResult),
    /// What the model thought.
    Reasoning(ReasoningPart),
    /// A block of the vendor's own, kept to be sent back.
    Opaque(OpaquePart),
}

impl Part {
    /// Text without a signature.
    pub fn text(text: impl Into<String>) -> Self {
        Part::Text(TextPart {
            text: text.into(),
            signature: None,
        })
    }
}

/// Text of a message.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TextPart {
    /// The text.
    pub text: String,
    /// The vendor's opaque signature of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
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
}

/// A block of a vendor's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpaquePart {
    /// The vendor's name for it.
    pub kind: String,
    /// The block as JSON text.
    pub data: String,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImagePart {
    /// Where the bytes are.
    pub source: ImageSource,
    /// How closely to look: `low`, `high` or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl ImagePart {
    /// A picture that the vendor fetches.
    pub fn url(url: impl Into<String>) -> Self {
        ImagePart {
            source: ImageSource::Url { url: url.into() },
            detail: None,
        }
    }

    /// A picture in memory. The media type is found by the bytes' signature; nothing if they
    /// are no PNG, JPEG, GIF, WebP, BMP, HEIC or AVIF.
    #[must_use]
    pub fn bytes(data: impl Into<Bytes>) -> Option<Self> {
        let data = data.into();
        let media_type = image_media_type(&data)?.to_owned();
        Some(ImagePart {
            source: ImageSource::Bytes { media_type, data },
            detail: None,
        })
    }
}

/// Where the bytes of a picture are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", untagged)]
pub enum ImageSource {
    /// An absolute URL that the vendor fetches.
    Url {
        /// `http` or `https`.
        url: String,
    },
    /// The bytes themselves; base64 in JSON.
    Bytes {
        /// Such as `image/png`.
        media_type: String,
        /// The picture file.
        #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
        data: Bytes,
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

/// A call of a tool that the model asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// Arguments as JSON text, as the model wrote it; may be cut off when the answer was.
    pub arguments: String,
    /// The id was made here because the vendor gave none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// The vendor's opaque signature of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// What a tool returned.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ToolResult {
    /// The id of the call.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// Text and pictures.
    pub content: Vec<ResultPart>,
    /// The tool failed, and the content says how.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// As in the call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
}

impl ToolResult {
    /// A text result to a call.
    pub fn new(call: &ToolCall, content: impl Into<String>) -> Self {
        ToolResult {
            call_id: call.id.clone(),
            name: call.name.clone(),
            content: vec![ResultPart::Text {
                text: content.into(),
            }],
            is_error: false,
            local: call.local,
        }
    }
}

/// A piece of a tool's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResultPart {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image(ImagePart),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        let png = ImagePart::bytes(&b"\x89PNG\r\n\x1a\n...."[..]).unwrap();
        let ImageSource::Bytes { media_type, .. } = &png.source else {
            panic!("no bytes: {png:?}");
        };
        assert_eq!(media_type, "image/png");
        assert_eq!(ImagePart::bytes(&b"plain text, no picture"[..]), None);
        assert_eq!(ImagePart::bytes(&b""[..]), None);
    }

    #[test]
    fn a_message_survives_json() {
        let call = ToolCall {
            id: "call_1".into(),
            name: "look".into(),
            arguments: "{}".into(),
            local: true,
            signature: Some("s".into()),
        };
        let mut message = ChatMessage::assistant("hi")
            .with_image(ImagePart::bytes(&b"\xff\xd8\xff\xe0"[..]).unwrap())
            .with_image(ImagePart::url("https://example.org/a.png"));
        message
            .content
            .push(Part::ToolResult(ToolResult::new(&call, "42")));
        message.content.push(Part::ToolCall(call));
        message.origin = Some("gemini".into());
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<ChatMessage>(&text).unwrap(), message);
    }
}
