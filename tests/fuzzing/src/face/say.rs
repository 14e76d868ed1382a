//! A request said again, plainly, on the wire that it came by: what is read of that must be what was read before.
//!
//! Written for this and by nothing of the product: text, pictures, calls, results, tools and numbers. What a wire has
//! no plain word for is left out on both sides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multillm::chat::{
    ChatMessage, ChatRequest, MediaPart, MediaSource, Part, ResultPart, Role, Tool, ToolChoice,
};
use multillm_gateway::face::{Asked, Entry, Face};
use serde_json::{Map, Value, json};

/// Says it again and compares, on the wires that are said here.
pub(super) fn again(entry: &Entry, asked: &Asked) {
    let request = &asked.request;
    let mut body = match asked.shape {
        Face::OpenAiChat => chat(request),
        Face::AnthropicMessages => messages(request),
        Face::OpenAiResponses => responses(request),
        _ => return,
    };
    numbers(asked.shape, request, &mut body);
    let body = Value::Object(body).to_string();
    let entry = match asked.shape {
        shape if shape == entry.face => entry.clone(),
        shape => Entry::new(shape),
    };
    let read = entry.read(body.as_bytes());
    let read = read.unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(meaning(&read.request), meaning(request), "{body}");
}

/// What is compared.
fn meaning(request: &ChatRequest) -> Vec<String> {
    let mut told = vec![];
    for message in &request.messages {
        for part in &message.content {
            told.extend(part_of(message.role, part));
        }
    }
    for tool in &request.tools {
        if is_said(tool) {
            let schema = parameters(tool.parameters.as_str());
            told.push(format!(
                "tool {} {:?} {schema}",
                tool.name, tool.description
            ));
        }
    }
    told.push(format!("{:?}", choice(request)));
    let sampling = &request.sampling;
    told.push(format!(
        "{:?} {:?} {:?} {:?}",
        sampling.max_tokens, sampling.temperature, sampling.top_p, request.parallel_tool_calls
    ));
    told
}

/// The choice, as far as it is one among tools that are told.
fn choice(request: &ChatRequest) -> Option<ToolChoice> {
    match &request.tool_choice {
        ToolChoice::Auto | ToolChoice::OneOf(_) => None,
        choice => Some(choice.clone()),
    }
}

fn part_of(role: Role, part: &Part) -> Option<String> {
    Some(match part {
        Part::Text(text) => format!("{role:?} {}", text.text),
        Part::Media(media) if role == Role::User => format!("picture {}", url(media)?),
        Part::ToolCall(call) => format!(
            "call {} {} {}",
            call.id,
            call.name,
            arguments(&call.arguments)?
        ),
        Part::ToolResult(result) => {
            format!("result {} {}", result.call_id, text_of(&result.content))
        }
        _ => return None,
    })
}

fn arguments(text: &str) -> Option<Value> {
    serde_json::from_str::<Map<_, _>>(text)
        .ok()
        .map(Value::Object)
}

fn text_of(parts: &[ResultPart]) -> String {
    let texts = parts.iter().filter_map(|part| match part {
        ResultPart::Text { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn url(media: &MediaPart) -> Option<String> {
    match &media.source {
        MediaSource::Bytes { media_type, data } => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/+-.".contains(&byte);
            let fits = !media_type.is_empty() && media_type.bytes().all(plain);
            fits.then(|| format!("data:{media_type};base64,{}", STANDARD.encode(data)))
        }
        MediaSource::Url { url } if !url.starts_with("data:") => Some(url.clone()),
        _ => None,
    }
}

fn numbers(shape: Face, request: &ChatRequest, body: &mut Map<String, Value>) {
    let sampling = &request.sampling;
    let most = match shape {
        Face::OpenAiChat => "max_completion_tokens",
        Face::OpenAiResponses => "max_output_tokens",
        _ => "max_tokens",
    };
    body.insert(most.into(), json!(sampling.max_tokens));
    body.insert("temperature".into(), json!(sampling.temperature));
    body.insert("top_p".into(), json!(sampling.top_p));
    if shape != Face::AnthropicMessages {
        body.insert(
            "parallel_tool_calls".into(),
            json!(request.parallel_tool_calls),
        );
    }
}

fn chat(request: &ChatRequest) -> Map<String, Value> {
    let mut list = vec![];
    for message in &request.messages {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        for part in &message.content {
            list.extend(match part {
                Part::Text(text) => Some(json!({ "role": role, "content": text.text })),
                Part::Media(media) if message.role == Role::User => url(media).map(|url| {
                    json!({ "role": role, "content": [{ "type": "image_url", "image_url": { "url": url } }] })
                }),
                Part::ToolCall(call) => arguments(&call.arguments).map(|_| {
                    json!({ "role": role, "tool_calls": [{ "id": call.id, "type": "function",
                        "function": { "name": call.name, "arguments": call.arguments } }] })
                }),
                Part::ToolResult(result) => Some(json!({ "role": "tool", "tool_call_id": result.call_id,
                    "content": text_of(&result.content) })),
                _ => None,
            });
        }
    }
    let tools = request.tools.iter().filter(|tool| is_said(tool)).map(|tool| {
        json!({ "type": "function", "function": { "name": tool.name, "description": tool.description,
            "parameters": parameters(tool.parameters.as_str()) } })
    });
    let mut body = Map::new();
    body.insert("messages".into(), Value::Array(list));
    body.insert("tools".into(), Value::Array(tools.collect()));
    body.insert(
        "tool_choice".into(),
        match choice(request) {
            None => Value::Null,
            Some(ToolChoice::Named(name)) => {
                json!({ "type": "function", "function": { "name": name } })
            }
            Some(ToolChoice::None) => "none".into(),
            Some(_) => "required".into(),
        },
    );
    body
}

/// Whether a tool has a schema that a tree can hold.
fn is_said(tool: &Tool) -> bool {
    tool.free_text.is_none() && !parameters(tool.parameters.as_str()).is_null()
}

/// A schema as it stands; trees keep the order of its keys.
fn parameters(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn messages(request: &ChatRequest) -> Map<String, Value> {
    let list = request.messages.iter().map(|message: &ChatMessage| {
        let role = match message.role {
            Role::System => "system",
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        let blocks = message.content.iter().filter_map(|part| match part {
            Part::Text(text) => Some(json!({ "type": "text", "text": text.text })),
            Part::Media(media) if message.role == Role::User => {
                let url = url(media)?;
                Some(
                    match url
                        .strip_prefix("data:")
                        .and_then(|rest| rest.split_once(";base64,"))
                    {
                        Some((kind, data)) => json!({ "type": "image",
                        "source": { "type": "base64", "media_type": kind, "data": data } }),
                        None => json!({ "type": "image", "source": { "type": "url", "url": url } }),
                    },
                )
            }
            Part::ToolCall(call) => {
                let input = arguments(&call.arguments)?;
                Some(
                    json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input }),
                )
            }
            Part::ToolResult(result) => Some(
                json!({ "type": "tool_result", "tool_use_id": result.call_id,
                "content": [{ "type": "text", "text": text_of(&result.content) }] }),
            ),
            _ => None,
        });
        json!({ "role": role, "content": blocks.collect::<Vec<_>>() })
    });
    let tools = request
        .tools
        .iter()
        .filter(|tool| is_said(tool))
        .map(|tool| {
            json!({ "name": tool.name, "description": tool.description,
            "input_schema": parameters(tool.parameters.as_str()) })
        });
    let mut body = Map::new();
    body.insert("messages".into(), list.collect());
    body.insert("tools".into(), tools.collect());
    let alone = request.parallel_tool_calls.map(|parallel| !parallel);
    let mut chosen = match choice(request) {
        None => json!({ "type": "auto" }),
        Some(ToolChoice::Named(name)) => json!({ "type": "tool", "name": name }),
        Some(ToolChoice::None) => json!({ "type": "none" }),
        Some(_) => json!({ "type": "any" }),
    };
    if let (Some(alone), Some(members)) = (alone, chosen.as_object_mut()) {
        members.insert("disable_parallel_tool_use".into(), alone.into());
    }
    body.insert("tool_choice".into(), chosen);
    body
}

fn responses(request: &ChatRequest) -> Map<String, Value> {
    let mut items = vec![];
    for message in &request.messages {
        let (role, kind) = match message.role {
            Role::System => ("developer", "input_text"),
            Role::Assistant => ("assistant", "output_text"),
            Role::User | Role::Tool => ("user", "input_text"),
        };
        for part in &message.content {
            items.extend(match part {
                Part::Text(text) => Some(json!({ "role": role, "content": [{ "type": kind, "text": text.text }] })),
                Part::Media(media) if message.role == Role::User => url(media).map(|url| {
                    json!({ "role": role, "content": [{ "type": "input_image", "image_url": url }] })
                }),
                Part::ToolCall(call) => arguments(&call.arguments).map(|_| {
                    json!({ "type": "function_call", "call_id": call.id, "name": call.name,
                        "arguments": call.arguments })
                }),
                Part::ToolResult(result) => Some(json!({ "type": "function_call_output",
                    "call_id": result.call_id, "output": text_of(&result.content) })),
                _ => None,
            });
        }
    }
    let tools = request
        .tools
        .iter()
        .filter(|tool| is_said(tool))
        .map(|tool| {
            json!({ "type": "function", "name": tool.name, "description": tool.description,
            "parameters": parameters(tool.parameters.as_str()) })
        });
    let mut body = Map::new();
    body.insert("input".into(), Value::Array(items));
    body.insert("tools".into(), tools.collect());
    body.insert(
        "tool_choice".into(),
        match choice(request) {
            None => Value::Null,
            Some(ToolChoice::Named(name)) => json!({ "type": "function", "name": name }),
            Some(ToolChoice::None) => "none".into(),
            Some(_) => "required".into(),
        },
    );
    body
}
