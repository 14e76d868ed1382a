//! What a vendor wants back as it came, put together from its pieces: the form of thoughts that
//! stood in the content, `reasoning_details`, and sound.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::wire::{beside, index, object, owned};
use crate::events::Events;
use crate::json::Json;
use crate::{Media, MediaSource, Opaque};

/// The kind of the block that holds `reasoning_details`.
pub(in super::super) const DETAILS: &str = "reasoning_details";
/// The kind of the block that holds a spoken answer.
pub(in super::super) const AUDIO: &str = "audio";

/// What is not yet told.
#[derive(Default)]
pub(super) struct Extras {
    /// The form of the thoughts under way.
    form: Option<String>,
    details: Vec<Json<'static>>,
    audio: Vec<Json<'static>>,
}

/// Thoughts that stand in a list of content.
pub(super) struct Thoughts {
    /// Their words.
    pub(super) text: String,
    /// The piece of content without the words: how the vendor wants them back.
    form: Json<'static>,
}

impl Thoughts {
    /// Those of a piece of content; nothing if it is none.
    ///
    /// Forms in use: `{"thinking": text, "signature"?}`, `{"thinking": [{"text"}]}` (Mistral),
    /// `{"type": "reasoning", "summary": [{"text", "signature"?}]}` (Databricks), and
    /// `{"type": "reasoning", "text"}`.
    pub(super) fn of(piece: &Json<'_>) -> Option<Self> {
        let kind = piece.text("type").unwrap_or_default();
        let thinks = ["thinking", "reasoning", "reasoning_text", "summary_text"].contains(&kind);
        let member = ["thinking", "reasoning", "summary", "text", "content"]
            .into_iter()
            .find(|key| match piece.get(key) {
                Some(Json::Text(_) | Json::List(_)) => thinks || *key == "thinking",
                _ => false,
            })?;
        let (mut text, mut form) = (String::new(), owned(piece));
        if let Json::Object(members) = &mut form {
            for (_, value) in members.iter_mut().filter(|(name, _)| name == member) {
                take_words(value, &mut text);
            }
        }
        Some(Thoughts { text, form })
    }
}

/// Takes the words out of a member that holds thoughts; of several parts the last one stays,
/// which may be signed.
fn take_words(value: &mut Json<'static>, text: &mut String) {
    match value {
        Json::Text(words) => text.push_str(&std::mem::take(words)),
        Json::List(parts) => {
            for part in &mut *parts {
                match part {
                    Json::Text(words) => text.push_str(&std::mem::take(words)),
                    Json::Object(members) => {
                        for (_, words) in members.iter_mut().filter(|(name, _)| name == "text") {
                            take_words(words, text);
                        }
                    }
                    _ => {}
                }
            }
            if let Some(last) = parts.pop() {
                *parts = vec![last];
            }
        }
        _ => {}
    }
}

impl Extras {
    /// Thoughts that stood in the content came. Those of another form begin anew.
    pub(super) fn thoughts(&mut self, thoughts: Thoughts, events: &mut Events) {
        let form = thoughts.form.to_string();
        let signed = |form: &str| form.contains("\"signature\":\"");
        // What is signed is over: a signature comes last.
        if self.form.as_deref().is_some_and(signed) && !thoughts.text.is_empty() {
            self.flush(events);
        }
        events.reasoning(thoughts.text);
        if !self.form.as_deref().is_some_and(signed) || signed(&form) {
            self.form = Some(form);
        }
    }

    /// A part of `reasoning_details` came, or more of one.
    pub(super) fn detail(&mut self, detail: &Json<'_>) {
        let same = |known: &Json<'_>| {
            known.text("type") == detail.text("type") && index(known) == index(detail)
        };
        let at = self.details.len().checked_sub(1);
        let known = at.and_then(|at| self.details.get_mut(at));
        match known.filter(|known| same(known) && index(detail).is_some()) {
            Some(known) => grow(known, detail, &["text", "summary", "data"]),
            None => self.details.push(owned(detail)),
        }
    }

    /// A spoken answer came, or more of it. Base64 that was padded is over.
    pub(super) fn audio(&mut self, audio: &Json<'_>) {
        let open =
            |known: &&mut Json<'_>| !known.text("data").is_some_and(|data| data.ends_with('='));
        match self.audio.last_mut().filter(open) {
            Some(known) => grow(known, audio, &["data", "transcript"]),
            None => self.audio.push(owned(audio)),
        }
    }

    /// The thoughts under way are over.
    pub(super) fn flush(&mut self, events: &mut Events) {
        if let Some(form) = self.form.take() {
            events.reasoning_signature(form);
        }
    }

    /// The answer is over.
    pub(super) fn close(&mut self, events: &mut Events) {
        self.flush(events);
        if !self.details.is_empty() {
            events.opaque(Opaque {
                kind: DETAILS.to_owned(),
                data: Json::List(std::mem::take(&mut self.details)).to_string(),
            });
        }
        let pieces = std::mem::take(&mut self.audio);
        match spoken(&pieces) {
            Some(spoken) => events.media(spoken),
            // What cannot be heard may yet be wanted back.
            None => pieces.iter().for_each(|piece| {
                events.opaque(Opaque {
                    kind: AUDIO.to_owned(),
                    data: piece.to_string(),
                });
            }),
        }
    }
}

/// A spoken answer of its pieces; nothing if there is none.
fn spoken(pieces: &[Json<'_>]) -> Option<Media> {
    let mut bytes = Vec::new();
    let mut tail = Json::Object(Vec::new());
    for piece in pieces {
        let data = piece.get("data").and_then(Json::str).unwrap_or_default();
        bytes.extend(STANDARD.decode(data).ok()?);
        tail.merge(Json::Object(beside(piece, &["data", "transcript"])));
    }
    let extra = match tail {
        Json::Object(members) => object(members),
        _ => None,
    };
    let source = MediaSource::Base64(STANDARD.encode(&bytes));
    let mut spoken = Media::from_source(source, Some(sound(&bytes).to_owned()));
    spoken.extra = extra;
    (!bytes.is_empty()).then_some(spoken)
}

/// What the bytes of a sound are; without a head they are samples, as streams have them.
fn sound(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'R', b'I', b'F', b'F', ..] => "audio/wav",
        [b'I', b'D', b'3', ..] | [0xff, 0xe2 | 0xe3 | 0xf2 | 0xf3 | 0xfa | 0xfb, ..] => {
            "audio/mpeg"
        }
        [0xff, 0xf1 | 0xf9, ..] => "audio/aac",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        _ => "audio/pcm",
    }
}

/// Adds a piece: texts under these names grow, anything else is replaced by what is there.
fn grow(known: &mut Json<'static>, more: &Json<'_>, growing: &[&str]) {
    let (Json::Object(known), Json::Object(more)) = (known, more) else {
        return;
    };
    for (name, value) in more.iter().filter(|(_, value)| *value != Json::Null) {
        let old = known.iter_mut().find(|(known, _)| known == name);
        match (old, value) {
            (Some((_, Json::Text(text))), Json::Text(more)) if growing.contains(&&**name) => {
                text.to_mut().push_str(more);
            }
            (Some((_, old)), value) => *old = owned(value),
            (None, value) => known.push((name.clone().into_owned().into(), owned(value))),
        }
    }
}

/// The piece of content that says thoughts in the form in which the vendor said them; nothing if
/// the form is none.
pub(in super::super) fn said_again(form: &str, words: &str) -> Option<Json<'static>> {
    let mut piece = owned(&Json::parse(form).ok()?);
    let Json::Object(members) = &mut piece else {
        return None;
    };
    let place = members.iter_mut().find(|(name, value)| {
        ["thinking", "reasoning", "summary", "text", "content"].contains(&&**name)
            && matches!(value, Json::Text(_) | Json::List(_))
    });
    let (_, place) = place?;
    match place {
        Json::List(parts) => match parts.first_mut() {
            Some(Json::Object(part)) => match part.iter_mut().find(|(name, _)| name == "text") {
                Some((_, text)) => *text = words.to_owned().into(),
                None => part.push(("text".into(), words.to_owned().into())),
            },
            Some(text) => *text = words.to_owned().into(),
            None => parts.push(Json::object([
                ("type", "text".into()),
                ("text", words.to_owned().into()),
            ])),
        },
        place => *place = words.to_owned().into(),
    }
    Some(piece)
}
