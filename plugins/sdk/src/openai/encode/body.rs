//! The shapes of the question.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Error, JsonSchema, ResponseFormat, Tool, ToolChoice};

/// A whole question. What is absent is left to the server.
#[derive(Serialize)]
pub(super) struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<&'a str>,
    pub messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<WireTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
}

/// What a stream is asked to add.
#[derive(Serialize)]
pub(super) struct StreamOptions {
    pub include_usage: bool,
}

/// One turn. `content` is sent as `null` where there is none.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub role: &'a str,
    pub content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// A turn that only speaks.
    pub(super) fn new(role: &'a str, content: Option<Content<'a>>) -> Self {
        Message {
            role,
            content,
            reasoning_content: None,
            reasoning: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }
}

/// What a turn says.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<ContentPart<'a>>),
}

/// A piece of what a turn says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ContentPart<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: ImageUrl<'a> },
}

/// A picture: a URL, or a `data:` URL with the bytes in it.
#[derive(Serialize)]
pub(super) struct ImageUrl<'a> {
    pub url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
}

/// A call that the model made.
#[derive(Serialize)]
pub(super) struct Call<'a> {
    pub id: Cow<'a, str>,
    #[serde(flatten)]
    pub called: Called<'a>,
}

/// What was called.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Called<'a> {
    Function { function: FunctionCall<'a> },
    Custom { custom: CustomCall<'a> },
}

/// A function and its arguments, as JSON text.
#[derive(Serialize)]
pub(super) struct FunctionCall<'a> {
    pub name: &'a str,
    pub arguments: &'a str,
}

/// A custom tool and its free text.
#[derive(Serialize)]
pub(super) struct CustomCall<'a> {
    pub name: &'a str,
    pub input: &'a str,
}

/// A tool that may be called.
#[derive(Serialize)]
pub(super) struct WireTool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: FunctionTool<'a>,
}

#[derive(Serialize)]
struct FunctionTool<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

/// A tool of the caller's.
pub(super) fn tool(tool: &Tool) -> Result<WireTool<'_>, Error> {
    Ok(WireTool {
        kind: "function",
        function: FunctionTool {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters: schema(&tool.parameters, "the parameters of tool", &tool.name)?,
            strict: tool.strict,
        },
    })
}

/// Whether and what must be called.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Choice<'a> {
    Mode(&'static str),
    Named {
        #[serde(rename = "type")]
        kind: &'static str,
        function: Name<'a>,
    },
}

#[derive(Serialize)]
pub(super) struct Name<'a> {
    name: &'a str,
}

/// The caller's choice.
pub(super) fn tool_choice(choice: &ToolChoice) -> Choice<'_> {
    match choice {
        ToolChoice::Auto => Choice::Mode("auto"),
        ToolChoice::None => Choice::Mode("none"),
        ToolChoice::Required => Choice::Mode("required"),
        ToolChoice::Named(name) => Choice::Named {
            kind: "function",
            function: Name { name },
        },
    }
}

/// The form of the answer.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Format<'a> {
    JsonObject,
    JsonSchema { json_schema: Schema<'a> },
}

#[derive(Serialize)]
pub(super) struct Schema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

impl<'a> Format<'a> {
    /// The caller's form; nothing for text.
    pub(super) fn of(format: &'a ResponseFormat) -> Result<Option<Self>, Error> {
        Ok(match format {
            ResponseFormat::Text => None,
            ResponseFormat::Json => Some(Format::JsonObject),
            ResponseFormat::JsonSchema(JsonSchema {
                name,
                description,
                schema: text,
                strict,
            }) => Some(Format::JsonSchema {
                json_schema: Schema {
                    name,
                    description: description.as_deref(),
                    schema: schema(text, "the response schema", name)?,
                    strict: *strict,
                },
            }),
        })
    }
}

/// A schema of the caller's, as it was written: models follow the order of its keys.
fn schema<'a>(text: &'a str, what: &str, name: &str) -> Result<&'a RawValue, Error> {
    let raw: &RawValue = serde_json::from_str(text)
        .map_err(|error| Error::invalid_request(format!("{what} {name:?} is no JSON: {error}")))?;
    if !raw.get().starts_with('{') {
        return Err(Error::invalid_request(format!(
            "{what} {name:?} is no JSON object"
        )));
    }
    Ok(raw)
}
