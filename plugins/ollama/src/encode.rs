//! From a unified request to a description of `POST /api/chat`.
//!
//! Refuses what Ollama would silently ignore. What a model cannot do Ollama refuses itself.

mod messages;

use multillm_plugin_sdk::body::{json_body, raw_object};
use multillm_plugin_sdk::{
    ChatRequest, Error, Framing, Header, Method, Mode, ReasoningEffort, Request, ResponseFormat,
    Sampling, Target, ToolChoice,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::key;
use crate::wire::{Chat, Format, Tool};

/// The settings that `describe` lists.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Settings {
    keep_alive: Option<Value>,
    think: Option<Value>,
    num_ctx: Option<u64>,
    truncate: Option<bool>,
    shift: Option<bool>,
    options: Map<String, Value>,
}

pub(crate) fn chat(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
    let settings: Settings = target.settings()?;
    let think = request.reasoning_effort.map(think).or(settings.think);
    let mut options = settings.options;
    if let Some(tokens) = settings.num_ctx {
        options.insert("num_ctx".into(), tokens.into());
    }
    sample(&mut options, &request.sampling);
    let (stream, framing) = match mode {
        Mode::Whole => (false, Framing::Whole),
        Mode::Stream => (true, Framing::Ndjson),
    };
    let body = json_body(request, |blobs| {
        Ok(Chat {
            model: &target.model,
            stream,
            messages: messages::conversation(&request.messages, blobs)?,
            tools: tools(request)?,
            format: format(&request.response_format)?,
            think: think.as_ref(),
            keep_alive: settings.keep_alive.as_ref(),
            truncate: settings.truncate,
            shift: settings.shift,
            options: options.clone(),
        })
    })?;
    let mut headers = vec![key()];
    if stream {
        headers.push(Header::plain("accept", "application/x-ndjson"));
    }
    Ok(Request {
        method: Method::Post,
        path: vec!["api".into(), "chat".into()],
        query: vec![],
        headers,
        body,
        framing,
    })
}

/// Levels mean something to a few models only; to the others each of them means "on". The
/// names sent are those that every server of the last years accepts.
fn think(effort: ReasoningEffort) -> Value {
    match effort {
        ReasoningEffort::None => false.into(),
        ReasoningEffort::Minimal | ReasoningEffort::Low => "low".into(),
        ReasoningEffort::Medium => "medium".into(),
        ReasoningEffort::High => "high".into(),
        ReasoningEffort::Max => "max".into(),
    }
}

fn sample(options: &mut Map<String, Value>, sampling: &Sampling) {
    let chosen = [
        ("num_predict", sampling.max_tokens.map(Value::from)),
        ("temperature", sampling.temperature.map(Value::from)),
        ("top_p", sampling.top_p.map(Value::from)),
        ("top_k", sampling.top_k.map(Value::from)),
        ("seed", sampling.seed.map(Value::from)),
        (
            "frequency_penalty",
            sampling.frequency_penalty.map(Value::from),
        ),
        (
            "presence_penalty",
            sampling.presence_penalty.map(Value::from),
        ),
    ];
    for (name, value) in chosen {
        options.extend(value.map(|value| (name.to_owned(), value)));
    }
    if !sampling.stop.is_empty() {
        options.insert("stop".into(), sampling.stop.clone().into());
    }
}

/// Ollama has no tool choice: no tools are sent where none may be called, and nothing can
/// make a model call one.
fn tools(request: &ChatRequest) -> Result<Vec<Tool<'_>>, Error> {
    match &request.tool_choice {
        ToolChoice::Auto => {}
        ToolChoice::None => return Ok(vec![]),
        ToolChoice::Required => {
            return Err(Error::unsupported(
                "ollama cannot require a tool call: leave the choice to the model",
            ));
        }
        ToolChoice::Named(name) => {
            return Err(Error::unsupported(format!(
                "ollama cannot force the tool \"{name}\": give only that tool and leave the choice to the model"
            )));
        }
    }
    if request.parallel_tool_calls == Some(false) && !request.tools.is_empty() {
        return Err(Error::unsupported(
            "ollama cannot rule out parallel tool calls: do not ask for it",
        ));
    }
    request.tools.iter().map(offer).collect()
}

fn offer(tool: &multillm_plugin_sdk::Tool) -> Result<Tool<'_>, Error> {
    if tool.strict == Some(true) {
        return Err(Error::unsupported(format!(
            "ollama cannot enforce a tool's schema: do not mark \"{}\" as strict",
            tool.name
        )));
    }
    let name = tool.name.as_str();
    let parameters = raw_object(&format!("the schema of tool \"{name}\""), &tool.parameters)?;
    Ok(Tool::Function {
        name,
        description: tool.description.as_deref(),
        parameters,
    })
}

fn format(wanted: &ResponseFormat) -> Result<Option<Format<'_>>, Error> {
    Ok(match wanted {
        ResponseFormat::Text => None,
        ResponseFormat::Json => Some(Format::Any("json")),
        ResponseFormat::JsonSchema(wanted) => Some(Format::Schema(raw_object(
            "the schema of the answer",
            &wanted.schema,
        )?)),
    })
}

#[cfg(test)]
mod tests;
