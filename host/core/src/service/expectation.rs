//! Whether an answer is what was asked for beyond its words: JSON, JSON of a schema, a tool call. Vendors
//! promise it to different degrees, and some servers take the wish and do not heed it.

mod schema;

use std::fmt;

use serde_json::Value;

use crate::chat::{ChatRequest, ChatResponse, FinishReason, ResponseFormat, ToolChoice};

/// In what an answer falls short of what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shortfall {
    /// It ended at the output limit before it was whole.
    Cut,
    /// It was withheld, or the model refused.
    Withheld,
    /// JSON was asked for, and it is none.
    NoJson {
        /// What is wrong with it.
        reason: String,
    },
    /// It is JSON that does not satisfy the schema.
    OffSchema {
        /// Where, as a JSON pointer; empty for the whole.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// A tool had to be called, and none was.
    NoCall,
    /// This tool had to be called, and only others were.
    OtherCall {
        /// The tool that was asked for.
        wanted: String,
    },
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("the answer was cut at the output limit before it was whole"),
            Self::Withheld => f.write_str("the answer was withheld or refused"),
            Self::NoJson { reason } => {
                write!(f, "JSON was asked for, and the answer is none: {reason}")
            }
            Self::OffSchema { path, reason } => {
                let place = if path.is_empty() { "" } else { ": " };
                write!(
                    f,
                    "the answer does not satisfy the schema: {path}{place}{reason}"
                )
            }
            Self::NoCall => {
                f.write_str("a tool call was required, and the model answered without one")
            }
            Self::OtherCall { wanted } => write!(
                f,
                "a call of {wanted:?} was required, and the model called another tool"
            ),
        }
    }
}

/// In what `answer` falls short of `request`, if in anything. Whether its words are right is not asked; of a
/// schema, `pattern`, `unevaluated…` and references to other documents are not judged.
#[must_use]
pub fn shortfall(request: &ChatRequest, answer: &ChatResponse) -> Option<Shortfall> {
    let found = call(request, answer).or_else(|| form(request, answer))?;
    Some(match (answer.finish_reason, found) {
        (FinishReason::Length, _) => Shortfall::Cut,
        (FinishReason::ContentFilter, _) => Shortfall::Withheld,
        (_, found) => found,
    })
}

fn call(request: &ChatRequest, answer: &ChatResponse) -> Option<Shortfall> {
    let mut calls = answer.tool_calls().peekable();
    match &request.tool_choice {
        ToolChoice::Auto | ToolChoice::None => None,
        _ if calls.peek().is_none() => Some(Shortfall::NoCall),
        ToolChoice::Named(wanted) if calls.all(|call| call.name != *wanted) => {
            Some(Shortfall::OtherCall {
                wanted: wanted.clone(),
            })
        }
        ToolChoice::OneOf(wanted) if calls.all(|call| !wanted.contains(&call.name)) => {
            Some(Shortfall::OtherCall {
                wanted: wanted.join(" or "),
            })
        }
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::OneOf(_) => None,
    }
}

fn form(request: &ChatRequest, answer: &ChatResponse) -> Option<Shortfall> {
    // A model that asks for a tool has not answered yet.
    if answer.tool_calls().next().is_some() {
        return None;
    }
    let schema = match &request.response_format {
        ResponseFormat::Text => return None,
        ResponseFormat::Json => None,
        ResponseFormat::JsonSchema(wanted) => Some(&wanted.schema),
    };
    let content = answer.content();
    let value: Value = match serde_json::from_str(content.trim()) {
        Ok(value) => value,
        Err(fault) => {
            let content = content.trim();
            let reason = match content {
                "" => "it is empty".to_owned(),
                _ if content.starts_with("```") => "it stands in a Markdown code block".to_owned(),
                _ => fault.to_string(),
            };
            return Some(Shortfall::NoJson { reason });
        }
    };
    // One with a number that no tree holds is left to the vendor.
    let schema = schema?.to_value().ok()?;
    let fault = schema::fault(&schema, &value)?;
    Some(Shortfall::OffSchema {
        path: fault.path,
        reason: fault.reason,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::chat::{ChatMessage, Part, ToolCall, Usage};

    fn answer(text: &str, calls: &[&str], finish_reason: FinishReason) -> ChatResponse {
        let calls = calls.iter().map(|name| {
            Part::ToolCall(ToolCall {
                name: (*name).to_owned(),
                ..ToolCall::default()
            })
        });
        ChatResponse {
            model: "m".into(),
            provider: "p".into(),
            plugin: "p".into(),
            vendor_model: None,
            id: None,
            parts: [Part::text(text)].into_iter().chain(calls).collect(),
            finish_reason,
            raw_finish_reason: None,
            usage: Usage::default(),
            cost: None,
            latency: Duration::ZERO,
            time_to_first_token: None,
            streaming_time: None,
            attempts: 1,
            cached: false,
            billing: crate::chat::Billing::default(),
            extra: crate::chat::Extra::default(),
            warnings: vec![],
            failed_before: vec![],
        }
    }

    fn by_schema(text: &str, finish_reason: FinishReason) -> Option<Shortfall> {
        let schema = json!({
            "type": "object", "required": ["city"],
            "properties": { "city": { "type": "string" }, "people": { "type": "integer" } },
        });
        let request = ChatRequest::new(vec![ChatMessage::user("x")]).json_schema("s", schema);
        shortfall(&request, &answer(text, &[], finish_reason))
    }

    #[test]
    fn an_answer_is_held_against_its_schema() {
        use FinishReason::{ContentFilter, Length, Stop};
        assert_eq!(by_schema(r#" {"city": "Paris", "people": 7}"#, Stop), None);
        let off = by_schema(r#"{"city": "Paris", "people": "many"}"#, Stop).unwrap();
        assert_eq!(
            off.to_string(),
            r#"the answer does not satisfy the schema: /people: "many" is not of type integer"#
        );
        let off = by_schema("{}", Stop).unwrap().to_string();
        assert!(off.ends_with(r#"schema: "city" is missing"#), "{off}");
        for (text, reason) in [
            ("Paris is a city.", "expected value at line 1 column 1"),
            ("```json\n{\"city\": \"Paris\"}\n```", "code block"),
            ("", "it is empty"),
            (
                r#"{"city": "Paris"} I hope it helps"#,
                "trailing characters",
            ),
        ] {
            let none = by_schema(text, Stop).unwrap();
            assert!(matches!(none, Shortfall::NoJson { .. }), "{none:?}");
            assert!(none.to_string().contains(reason), "{none}");
        }
        assert_eq!(by_schema(r#"{"city": "Pa"#, Length), Some(Shortfall::Cut));
        assert_eq!(by_schema(r#"{"city": "Paris"}"#, Length), None);
        assert_eq!(by_schema("", ContentFilter), Some(Shortfall::Withheld));
    }

    #[test]
    fn json_of_any_form_is_json() {
        let mut request = ChatRequest::new(vec![]);
        request.response_format = ResponseFormat::Json;
        let check = |text| shortfall(&request, &answer(text, &[], FinishReason::Stop));
        assert_eq!(check("[1]"), None);
        assert!(matches!(check("one"), Some(Shortfall::NoJson { .. })));
    }

    #[test]
    fn a_required_call_has_to_come() {
        let found = |choice: ToolChoice, calls: &[&str]| {
            let mut request = ChatRequest::new(vec![]).json_schema("s", json!({}));
            request.tool_choice = choice;
            shortfall(&request, &answer("1", calls, FinishReason::ToolCalls))
        };
        let named = || ToolChoice::Named("look".into());
        assert_eq!(found(ToolChoice::Auto, &[]), None);
        assert_eq!(found(ToolChoice::Required, &["x"]), None);
        assert_eq!(found(ToolChoice::Required, &[]), Some(Shortfall::NoCall));
        assert_eq!(found(named(), &["x", "look"]), None);
        assert_eq!(found(named(), &[]), Some(Shortfall::NoCall));
        assert_eq!(
            found(named(), &["x"]),
            Some(Shortfall::OtherCall {
                wanted: "look".into()
            })
        );
    }
}
