//! Reading a vendor's body member by member: what is taken has a unified form, and the rest is an open tail.

use std::borrow::Cow;

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Blob, ChatRequest, Media, MediaSource, Part, Role};
use multillm_plugin_sdk::{Message, Text};

/// A request as it was read.
#[derive(Default)]
pub(super) struct Read<'a> {
    pub(super) request: ChatRequest,
    pub(super) settings: Vec<(Cow<'a, str>, Json<'a>)>,
    /// Base64 of what the host would hold, by number.
    pub(super) blobs: Vec<String>,
    /// Members of the open tails that a caller would have to write.
    pub(super) tails: Vec<String>,
    pub(super) streams: bool,
}

impl<'a> Read<'a> {
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Json<'a>>) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.into(), value.into()));
    }

    /// The tail of something that a caller wrote.
    pub(super) fn tail(&mut self, rest: Taking<'_>) -> Option<String> {
        let names = rest.0.iter().filter(|(_, value)| *value != Json::Null);
        self.tails.extend(names.map(|(name, _)| name.to_string()));
        rest.text()
    }

    /// The same for the whole body.
    pub(super) fn end(mut self, rest: Taking<'_>) -> Self {
        self.request.extra = self.tail(rest);
        self
    }

    /// Bytes as a blob of the host's.
    pub(super) fn blob(&mut self, media_type: &str, data: &str) -> Media {
        let id = u32::try_from(self.blobs.len()).unwrap_or(u32::MAX);
        self.blobs.push(data.to_owned());
        let blob = Blob {
            id,
            length: data.len() as u64,
        };
        Media::blob(blob, media_type)
    }

    /// What an address names: bytes in it, or a place elsewhere.
    pub(super) fn address(&mut self, url: &str, media_type: Option<&str>) -> Media {
        let inline = url
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"));
        match inline {
            Some((media_type, data)) => self.blob(media_type, data),
            None => Media::from_source(
                MediaSource::Url(url.to_owned()),
                media_type.map(str::to_owned),
            ),
        }
    }
}

/// The members of an object that were not taken yet.
pub(super) struct Taking<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Taking<'a> {
    pub(super) fn of(value: Json<'a>) -> Self {
        match value {
            Json::Object(members) => Taking(members),
            _ => Taking(Vec::new()),
        }
    }

    /// Takes a member; `null` is none.
    pub(super) fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1).filter(|value| *value != Json::Null)
    }

    /// Takes a text.
    pub(super) fn words(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(known, value)| {
            known == name && matches!(value, Json::Text(_) | Json::Null)
        })?;
        match self.0.remove(at).1 {
            Json::Text(text) => Some(text.into_owned()),
            _ => None,
        }
    }

    pub(super) fn float(&mut self, name: &str) -> Option<f64> {
        self.take(name)?.float()
    }

    pub(super) fn count(&mut self, name: &str) -> Option<u32> {
        let count = self.take(name)?.count()?;
        u32::try_from(count).ok()
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name)?.bool()
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<Json<'a>> {
        match self.take(name) {
            Some(Json::List(list)) => list,
            _ => Vec::new(),
        }
    }

    pub(super) fn put(&mut self, name: &'static str, value: Json<'a>) {
        self.0.push((name.into(), value));
    }

    pub(super) fn get(&self, name: &str) -> Option<&Json<'a>> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(value).filter(|value| **value != Json::Null)
    }

    /// What was not taken; nothing where that is nothing.
    pub(super) fn rest(mut self) -> Option<Json<'a>> {
        self.0.retain(|(_, value)| *value != Json::Null);
        (!self.0.is_empty()).then_some(Json::Object(self.0))
    }

    /// What was not taken, as JSON; nothing where that is nothing.
    pub(super) fn text(self) -> Option<String> {
        self.rest().map(|rest| rest.to_string())
    }
}

/// A message of these parts.
pub(super) fn message(role: Role, content: Vec<Part>, extra: Option<String>) -> Message {
    Message {
        role,
        content,
        extra,
    }
}

/// Text with a tail.
pub(super) fn text(words: impl Into<String>, extra: Option<String>) -> Part {
    Part::Text(Text {
        extra,
        ..Text::new(words)
    })
}

/// The texts that end an answer: one, or several.
pub(super) fn stops(value: Option<Json<'_>>) -> Vec<String> {
    match value {
        Some(Json::Text(text)) => vec![text.into_owned()],
        Some(Json::List(list)) => {
            let texts = list.iter().filter_map(|text| text.str().map(str::to_owned));
            texts.collect()
        }
        _ => Vec::new(),
    }
}
