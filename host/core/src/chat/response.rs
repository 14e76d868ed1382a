//! What a model answers.

use std::time::Duration;

use rust_decimal::Decimal;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::media::{Media, media_of};
use super::message::text_of;
use super::{Billing, ChatMessage, Extra, OpaquePart, Part, Role, ToolCall, Usage};
use crate::error::Error;

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// It was done, or met a stop sequence.
    Stop,
    /// It reached the output limit or the end of the context window.
    Length,
    /// It waits for tools.
    ToolCalls,
    /// The answer was withheld, or the model refused.
    ContentFilter,
    /// The vendor failed to produce a valid answer.
    Error,
    /// Anything else; the raw reason tells.
    Other,
}

impl FinishReason {
    /// The reason as it stands in output: snake case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Error => "error",
            Self::Other => "other",
        }
    }
}

/// Pieces that come within less are one burst: a network delays single packets by as much.
const MEASURABLE: Duration = Duration::from_millis(50);

/// A complete answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ChatResponse {
    /// The configured model that answered.
    pub model: String,
    /// The provider that was asked.
    pub provider: String,
    /// The plugin through which it was asked.
    pub plugin: String,
    /// The model that answered, as the vendor names it.
    pub vendor_model: Option<String>,
    /// The vendor's id of the answer.
    pub id: Option<String>,
    /// The parts of the answer, in order.
    pub parts: Vec<Part>,
    /// Why the model stopped.
    pub finish_reason: FinishReason,
    /// The vendor's own word for it.
    pub raw_finish_reason: Option<String>,
    /// Tokens.
    pub usage: Usage,
    /// In US dollars: what the vendor says it took, else by price and usage; absent where these
    /// are unknown or do not cover everything.
    pub cost: Option<Decimal>,
    /// What the vendor says of the price beyond the counts.
    pub billing: Billing,
    /// From the call to the end of the answer, all attempts included; making a plugin ready is not.
    pub latency: Duration,
    /// From the call to the first piece of content; streams only.
    pub time_to_first_token: Option<Duration>,
    /// From the first piece of content to the last; streams only.
    pub streaming_time: Option<Duration>,
    /// How many exchanges it took.
    pub attempts: u32,
    /// The answer came from the response cache.
    pub cached: bool,
    /// What the vendor said of the answer beyond the unified form.
    pub extra: Extra,
    /// What was asked and left out because the vendor or the model cannot do it, a line each, such as
    /// `temperature: o3 takes none`. Empty unless [`Unsupported::Drop`](super::Unsupported) is configured or asked for.
    pub warnings: Vec<String>,
    /// What failed before: other models of the route, earlier attempts.
    pub failed_before: Vec<Error>,
}

impl ChatResponse {
    /// An answer of which nothing is known but what it says and why it ended.
    #[must_use]
    pub fn new(parts: Vec<Part>, finish_reason: FinishReason) -> Self {
        ChatResponse {
            model: String::new(),
            provider: String::new(),
            plugin: String::new(),
            vendor_model: None,
            id: None,
            parts,
            finish_reason,
            raw_finish_reason: None,
            usage: Usage::default(),
            cost: None,
            billing: Billing::default(),
            latency: Duration::ZERO,
            time_to_first_token: None,
            streaming_time: None,
            attempts: 1,
            cached: false,
            extra: Extra::default(),
            warnings: vec![],
            failed_before: vec![],
        }
    }

    /// All text of the answer, joined.
    #[must_use]
    pub fn content(&self) -> String {
        text_of(&self.parts)
    }

    /// What the model thought, joined; nothing if it returned no thoughts.
    #[must_use]
    pub fn reasoning(&self) -> Option<String> {
        let text: String = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Reasoning(reasoning) => Some(reasoning.text.as_str()),
                _ => None,
            })
            .collect();
        (!text.is_empty()).then_some(text)
    }

    /// The tools that the model asks for.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        })
    }

    /// Pictures, sound and films among the vendor's own blocks of the answer. There is no unified form of
    /// them yet; the blocks themselves are [`Part::Opaque`].
    #[must_use]
    pub fn media(&self) -> Vec<Media> {
        media_of(&self.parts)
    }

    /// Output tokens in a second, from the first piece of the answer to the last; absent where the
    /// vendor counted none, or the answer came whole or in one burst, which tells nothing of the model.
    #[must_use]
    pub fn tokens_per_second(&self) -> Option<f64> {
        let time = self.streaming_time.filter(|time| *time >= MEASURABLE)?;
        // Thoughts that were not streamed were thought before.
        let unseen = match self.reasoning() {
            None => self.usage.reasoning_tokens.unwrap_or(0),
            Some(_) => 0,
        };
        let tokens = self.usage.completion_tokens?.saturating_sub(unseen);
        #[allow(clippy::cast_precision_loss, reason = "tokens are far fewer than 2^52")]
        let speed = tokens as f64 / time.as_secs_f64();
        (tokens > 0 && !self.cached).then_some(speed)
    }

    /// The answer as a message, to go on with the conversation.
    #[must_use]
    pub fn message(&self) -> ChatMessage {
        ChatMessage {
            role: Role::Assistant,
            content: self.parts.clone(),
            origin: Some(self.plugin.clone()),
            extra: Extra::default(),
        }
    }
}

/// A tool call as it stands in output.
#[derive(Serialize)]
struct CallView<'a> {
    id: &'a str,
    name: &'a str,
    arguments: &'a str,
}

/// A vendor's own block as it stands in output.
#[derive(Serialize)]
struct BlockView<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    media: Vec<Media>,
    data: BlockData<'a>,
}

/// JSON as it came; a text where it is none.
#[derive(Serialize)]
#[serde(untagged)]
enum BlockData<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

impl<'a> From<&'a OpaquePart> for BlockView<'a> {
    fn from(block: &'a OpaquePart) -> Self {
        BlockView {
            kind: &block.kind,
            media: block.media(),
            data: match serde_json::from_str(&block.data) {
                Ok(json) => BlockData::Json(json),
                Err(_) => BlockData::Text(&block.data),
            },
        }
    }
}

impl Serialize for ChatResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let calls: Vec<_> = self
            .tool_calls()
            .map(|call| CallView {
                id: &call.id,
                name: &call.name,
                arguments: &call.arguments,
            })
            .collect();
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let blocks: Vec<BlockView<'_>> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Opaque(block) => Some(block.into()),
                _ => None,
            })
            .collect();
        let mut fields = serializer.serialize_struct("ChatResponse", 20)?;
        fields.serialize_field("model", &self.model)?;
        fields.serialize_field("provider", &self.provider)?;
        fields.serialize_field("vendor_model", &self.vendor_model)?;
        fields.serialize_field("id", &self.id)?;
        fields.serialize_field("content", &self.content())?;
        fields.serialize_field("reasoning", &self.reasoning())?;
        fields.serialize_field("tool_calls", &calls)?;
        if !blocks.is_empty() {
            fields.serialize_field("opaque", &blocks)?;
        }
        // What the members above do not show is in the parts themselves.
        match self.parts.iter().all(is_shown) {
            false => fields.serialize_field("parts", &self.parts)?,
            true => fields.skip_field("parts")?,
        }
        fields.serialize_field("finish_reason", &self.finish_reason)?;
        fields.serialize_field("raw_finish_reason", &self.raw_finish_reason)?;
        fields.serialize_field("usage", &self.usage)?;
        fields.serialize_field("cost", &self.cost.map(exact_number))?;
        match self.billing.is_plain() {
            false => fields.serialize_field("billing", &self.billing)?,
            true => fields.skip_field("billing")?,
        }
        fields.serialize_field("latency_ms", &millis(self.latency))?;
        match self.time_to_first_token {
            Some(ttft) => fields.serialize_field("time_to_first_token_ms", &millis(ttft))?,
            None => fields.skip_field("time_to_first_token_ms")?,
        }
        if self.attempts > 1 {
            fields.serialize_field("attempts", &self.attempts)?;
        }
        if self.cached {
            fields.serialize_field("cached", &true)?;
        }
        if !self.extra.is_empty() {
            fields.serialize_field("extra", &self.extra)?;
        }
        if !self.warnings.is_empty() {
            fields.serialize_field("warnings", &self.warnings)?;
        }
        if !self.failed_before.is_empty() {
            let before: Vec<_> = self.failed_before.iter().map(|error| &**error).collect();
            fields.serialize_field("failed_before", &before)?;
        }
        fields.end()
    }
}

/// Whether content, reasoning, calls and blocks show all that a part holds for a person.
fn is_shown(part: &Part) -> bool {
    match part {
        Part::Text(text) => text.citations.is_empty() && text.extra.is_empty(),
        Part::Reasoning(thought) => thought.extra.is_empty(),
        Part::ToolCall(call) => call.extra.is_empty(),
        Part::Opaque(_) => true,
        Part::Media(_)
        | Part::ToolResult(_)
        | Part::ServerToolCall(_)
        | Part::ServerToolResult(_) => false,
    }
}

/// A decimal as a JSON number with all its digits.
pub fn exact_number(value: Decimal) -> Option<Box<RawValue>> {
    RawValue::from_string(value.normalize().to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(streaming: Option<u64>, usage: Usage) -> ChatResponse {
        ChatResponse {
            model: "m".into(),
            provider: "p".into(),
            plugin: "p".into(),
            vendor_model: None,
            id: None,
            parts: vec![],
            finish_reason: FinishReason::Stop,
            raw_finish_reason: None,
            usage,
            cost: None,
            billing: Billing::default(),
            latency: Duration::from_secs(3),
            time_to_first_token: Some(Duration::from_secs(1)),
            streaming_time: streaming.map(Duration::from_millis),
            attempts: 1,
            cached: false,
            extra: Extra::default(),
            warnings: vec![],
            failed_before: vec![],
        }
    }

    #[test]
    fn a_burst_has_no_speed() {
        let usage = Usage {
            completion_tokens: Some(100),
            ..Usage::default()
        };
        let speed = |time| answer(time, usage).tokens_per_second();
        assert_eq!(speed(Some(2000)), Some(50.0));
        assert_eq!(speed(Some(1)), None);
        assert_eq!(speed(Some(0)), None);
        assert_eq!(speed(None), None);
        let unseen = Usage {
            reasoning_tokens: Some(90),
            ..usage
        };
        assert_eq!(answer(Some(1000), unseen).tokens_per_second(), Some(10.0));
        assert_eq!(
            answer(Some(1000), Usage::default()).tokens_per_second(),
            None
        );
    }

    #[test]
    fn a_block_of_the_vendor_is_in_the_output_as_it_came() {
        let block = |kind: &str, data: &str| {
            Part::Opaque(OpaquePart {
                kind: kind.to_owned(),
                data: data.to_owned(),
            })
        };
        let picture = r#"{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgoAAAANSUhEUgAA"},"n":12345678901234567890123}"#;
        let mut drawn = answer(None, Usage::default());
        drawn.parts = vec![
            Part::text("here"),
            block("inlineData", picture),
            block("other", "no JSON"),
        ];
        let text = serde_json::to_string(&drawn).unwrap();
        assert!(text.contains(picture), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let blocks = &value["opaque"];
        assert_eq!(blocks[0]["kind"], "inlineData");
        assert_eq!(
            blocks[0]["media"],
            serde_json::json!([{ "media_type": "image/png", "bytes": 18 }])
        );
        assert_eq!(
            blocks[1],
            serde_json::json!({ "kind": "other", "data": "no JSON" })
        );
        assert_eq!(drawn.media().len(), 1);
        let plain = serde_json::to_value(answer(None, Usage::default())).unwrap();
        assert_eq!(plain.get("opaque"), None);
        assert_eq!(plain.get("parts"), None);
    }

    #[test]
    fn what_no_other_member_shows_is_in_the_parts() {
        let mut cited = answer(None, Usage::default());
        cited.parts = vec![Part::Text(crate::chat::TextPart {
            text: "5 m".to_owned(),
            citations: vec![crate::chat::Citation {
                title: Some("T".to_owned()),
                ..crate::chat::Citation::default()
            }],
            ..crate::chat::TextPart::default()
        })];
        let value = serde_json::to_value(&cited).unwrap();
        assert_eq!(value["parts"][0]["citations"][0]["title"], "T");
        assert_eq!(value["content"], "5 m");
    }
}
