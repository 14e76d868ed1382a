//! The shapes of answers, whole and streamed alike.
//!
//! Everything is optional and `null` is absent, since many servers speak this
//! wire and few of them all of it. Text is borrowed from the body where it can be.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde_json::value::RawValue;

use crate::Usage;
use crate::outcome::lenient_count;

/// A completion, or a chunk of one.
#[derive(Deserialize)]
pub(super) struct Reply<'a> {
    #[serde(borrow)]
    pub id: Option<Str<'a>>,
    #[serde(borrow)]
    pub model: Option<Str<'a>>,
    #[serde(borrow)]
    pub choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    /// Where one server reports the usage of streams.
    #[serde(borrow)]
    pub x_groq: Option<&'a RawValue>,
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
}

impl Reply<'_> {
    /// Usage, wherever it stands. What cannot be read is unknown.
    pub(super) fn usage(&self) -> Option<Usage> {
        #[derive(Deserialize)]
        struct Elsewhere {
            usage: Option<WireUsage>,
        }
        if let Some(usage) = self.usage {
            return serde_json::from_str(usage.get())
                .ok()
                .map(WireUsage::unified);
        }
        serde_json::from_str::<Elsewhere>(self.x_groq?.get())
            .ok()?
            .usage
            .map(WireUsage::unified)
    }
}

/// One of the alternative answers.
#[derive(Deserialize)]
pub(super) struct Choice<'a> {
    pub index: Option<u32>,
    #[serde(borrow)]
    pub message: Option<Message<'a>>,
    #[serde(borrow)]
    pub delta: Option<Message<'a>>,
    /// The answer of servers that speak of text completions.
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow)]
    pub finish_reason: Option<Str<'a>>,
}

/// What the model said, or more of it.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub content: Option<Content<'a>>,
    #[serde(borrow)]
    pub refusal: Option<Str<'a>>,
    #[serde(borrow)]
    pub reasoning_content: Option<Str<'a>>,
    #[serde(borrow)]
    pub reasoning: Option<Str<'a>>,
    #[serde(borrow)]
    pub tool_calls: Option<Calls<'a>>,
    /// The form of a call before there were several in an answer.
    #[serde(borrow)]
    pub function_call: Option<Function<'a>>,
}

/// A tool call, or more of one.
#[derive(Deserialize)]
pub(super) struct Call<'a> {
    pub index: Option<u32>,
    #[serde(borrow)]
    pub id: Option<Str<'a>>,
    #[serde(borrow)]
    pub function: Option<Function<'a>>,
    #[serde(borrow)]
    pub custom: Option<Custom<'a>>,
}

/// The call of a function.
#[derive(Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    /// A string with JSON in it, by some servers the JSON itself.
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
}

impl<'a> Function<'a> {
    /// The arguments as text; empty where there are none.
    pub(super) fn arguments(&self) -> Cow<'a, str> {
        let raw = self.arguments.map_or("", RawValue::get);
        match serde_json::from_str::<Str<'a>>(raw) {
            Ok(Str(text)) if raw.starts_with('"') => text,
            _ => Cow::Borrowed(raw),
        }
    }
}

/// The call of a tool that takes free text.
#[derive(Deserialize)]
pub(super) struct Custom<'a> {
    #[serde(borrow)]
    pub name: Option<Str<'a>>,
    #[serde(borrow)]
    pub input: Option<Str<'a>>,
}

/// Text that may come as another scalar. What is no scalar reads as empty.
#[derive(Debug)]
pub(super) struct Str<'a>(pub Cow<'a, str>);

impl<'a> Str<'a> {
    /// The text, unless there is none or it is empty.
    pub(super) fn of<'s>(text: &'s Option<Str<'a>>) -> Option<&'s str> {
        text.as_ref().map(|text| &*text.0).filter(|t| !t.is_empty())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor).map(|content| {
            Str(match content {
                Content::Text(text) => text,
                Content::Pieces(_) => Cow::Borrowed(""),
            })
        })
    }
}

/// Content: one text, or a list of pieces.
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Pieces(Vec<Piece<'a>>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

/// A piece of content: text, or thoughts that hold pieces themselves.
#[derive(Deserialize)]
pub(super) struct Piece<'a> {
    #[serde(borrow)]
    pub text: Option<Str<'a>>,
    #[serde(borrow)]
    pub refusal: Option<Str<'a>>,
    #[serde(borrow)]
    pub thinking: Option<Content<'a>>,
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Owned(text)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Borrowed("")))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Borrowed("")))
    }

    fn visit_unit<E>(self) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Borrowed("")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content<'de>, A::Error> {
        let mut pieces = Vec::new();
        while let Some(piece) = seq.next_element::<Element<'de>>()? {
            pieces.extend(piece.0);
        }
        Ok(Content::Pieces(pieces))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Content<'de>, A::Error> {
        let piece = Piece::deserialize(value::MapAccessDeserializer::new(map))?;
        Ok(Content::Pieces(vec![piece]))
    }
}

/// An element of a list of pieces: an object, or plain text.
struct Element<'a>(Vec<Piece<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Element<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Content::deserialize(deserializer).map(|content| {
            Element(match content {
                Content::Pieces(pieces) => pieces,
                Content::Text(text) => vec![Piece {
                    text: Some(Str(text)),
                    refusal: None,
                    thinking: None,
                }],
            })
        })
    }
}

/// Tool calls: a list, by some servers a single one.
pub(super) struct Calls<'a>(pub Vec<Call<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Calls<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CallsVisitor;

        impl<'de> Visitor<'de> for CallsVisitor {
            type Value = Calls<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("tool calls")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Calls<'de>, A::Error> {
                let mut calls = Vec::new();
                while let Some(call) = seq.next_element::<Option<Call<'de>>>()? {
                    calls.extend(call);
                }
                Ok(Calls(calls))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Calls<'de>, A::Error> {
                let call = Call::deserialize(value::MapAccessDeserializer::new(map))?;
                Ok(Calls(vec![call]))
            }
        }

        deserializer.deserialize_any(CallsVisitor)
    }
}

/// Usage with every name under which its numbers are known to come.
#[derive(Deserialize)]
struct WireUsage {
    #[serde(default, deserialize_with = "lenient_count")]
    prompt_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    completion_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    total_tokens: Option<u64>,
    #[serde(default, deserialize_with = "details")]
    prompt_tokens_details: Details,
    #[serde(default, deserialize_with = "details")]
    completion_tokens_details: Details,
    #[serde(default, deserialize_with = "lenient_count")]
    prompt_cache_hit_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    cached_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    reasoning_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Details {
    #[serde(default, deserialize_with = "lenient_count")]
    cached_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    cache_write_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient_count")]
    reasoning_tokens: Option<u64>,
}

/// Details that may be `null`.
fn details<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Details, D::Error> {
    Option::<Details>::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl WireUsage {
    fn unified(self) -> Usage {
        let prompt = self.prompt_tokens_details;
        Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.completion_tokens,
            total_tokens: self.total_tokens,
            cached_tokens: prompt
                .cached_tokens
                .or(self.prompt_cache_hit_tokens)
                .or(self.cached_tokens),
            cache_write_tokens: prompt.cache_write_tokens,
            reasoning_tokens: self
                .completion_tokens_details
                .reasoning_tokens
                .or(self.reasoning_tokens),
        }
    }
}

#[cfg(test)]
mod tests;
