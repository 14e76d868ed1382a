//! Ollama's own wire: chats, prompts, and lines of JSON in place of events.

mod answer;
mod stream;

pub(super) use answer::{loaded, time, whole};
pub(super) use stream::Stream;

use multillm::Result;
use multillm::chat::{
    ChatMessage, ChatRequest, Extra, JsonSchema, Part, ReasoningEffort, ReasoningPart,
    ResponseFormat, ResultPart, Role, Sampling, ToolCall, ToolResult,
};
use serde_json::value::RawValue;

use super::Face;
use super::asked::{Asked, Form, Notes};
use super::body::{Fault, Object, Read, elements, is_text, json, spoken_by, string};
use super::openai_chat::{effort_of, tool};
use super::{mark, media};

/// The wire.
const WIRE: &str = "ollama-chat";

/// What changes no meaning: how long a model stays loaded, and how a machine runs it.
const HINTS: [&str; 7] = [
    "keep_alive",
    "options",
    "think",
    "truncate",
    "shift",
    "debug",
    "_debug_render_only",
];

/// Options that say how a machine runs a model.
const MACHINE: [&str; 11] = [
    "num_ctx",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_keep",
    "num_thread",
    "use_mmap",
    "use_mlock",
    "low_vram",
    "numa",
    "f16_kv",
];

/// Reads a chat.
pub(super) fn read_chat(body: &Object<'_>) -> Result<Asked> {
    let mut notes = Notes::default();
    let messages = conversation(body, &mut notes)?;
    Ok(asked(body, messages, notes, Face::OllamaChat)?)
}

/// Reads a prompt.
pub(super) fn read_prompt(body: &Object<'_>) -> Result<Asked> {
    let mut notes = Notes::default();
    let messages = prompt(body, &mut notes)?;
    Ok(asked(body, messages, notes, Face::OllamaGenerate)?)
}

fn asked(
    body: &Object<'_>,
    messages: Vec<ChatMessage>,
    mut notes: Notes,
    face: Face,
) -> Read<Asked> {
    body.raw("model");
    body.raw("stream");
    let mut request = ChatRequest {
        messages,
        sampling: sampling(body, &mut notes)?,
        response_format: format(body)?,
        reasoning_effort: thinking(body)?,
        ..ChatRequest::default()
    };
    for (at, value) in body
        .list("tools")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let place = format!("tools[{at}]");
        let read =
            Object::of(value).and_then(|one| tool(&one, WIRE, &place, &mut request, &mut notes));
        read.map_err(|fault| fault.within(&place))?;
    }
    if body.get("logprobs")?.unwrap_or(false) {
        notes.relayed("logprobs");
    }
    body.raw("top_logprobs");
    notes.unread(body, &HINTS, "");
    request.extra_by_wire = Extra::of(WIRE, body.rest()?);
    Ok(Asked {
        shape: face,
        model: None,
        stream: true,
        request,
        unmet: notes.into(),
        form: Form::new(face),
    })
}

/// The options of the wire stay whole for it: what has a unified form says the same again.
fn sampling(body: &Object<'_>, notes: &mut Notes) -> Read<Sampling> {
    let within = |fault: Fault| fault.within("options");
    let options = body
        .peek("options")
        .map(Object::of)
        .transpose()
        .map_err(within)?;
    let Some(options) = options else {
        return Ok(Sampling::default());
    };
    let most: Option<f64> = options.get("num_predict").map_err(within)?;
    // Negative: without a bound.
    let bounded = most.is_some_and(|most| most > 0.0);
    let stop = match options.raw("stop") {
        None => vec![],
        Some(one) if is_text(one) => vec![string(one).map_err(within)?],
        Some(_) => options.get("stop").map_err(within)?.unwrap_or_default(),
    };
    let sampling = Sampling {
        max_tokens: match bounded {
            true => options.count("num_predict").map_err(within)?,
            false => None,
        },
        temperature: options.get("temperature").map_err(within)?,
        top_p: options.get("top_p").map_err(within)?,
        top_k: options.count("top_k").map_err(within)?,
        stop,
        seed: options.get("seed").map_err(within)?,
        frequency_penalty: options.get("frequency_penalty").map_err(within)?,
        presence_penalty: options.get("presence_penalty").map_err(within)?,
    };
    notes.unread(&options, &MACHINE, "options");
    Ok(sampling)
}

fn format(body: &Object<'_>) -> Read<ResponseFormat> {
    let Some(format) = body.raw("format") else {
        return Ok(ResponseFormat::Text);
    };
    let within = |fault: Fault| fault.within("format");
    if !is_text(format) {
        return Ok(ResponseFormat::JsonSchema(JsonSchema {
            name: "answer".to_owned(),
            description: None,
            schema: json(format).map_err(within)?,
            strict: None,
        }));
    }
    match string(format).map_err(within)?.as_str() {
        "" => Ok(ResponseFormat::Text),
        "json" => Ok(ResponseFormat::Json),
        other => Err(Fault::at(
            "format",
            format!("expected json or a schema, not {other:?}"),
        )),
    }
}

/// Whether and how much to think. Not to think is what others do unless they are asked.
fn thinking(body: &Object<'_>) -> Read<Option<ReasoningEffort>> {
    let Some(think) = body.peek("think") else {
        return Ok(None);
    };
    Ok(match think.get() {
        "true" => Some(ReasoningEffort::Medium),
        "false" => None,
        _ => {
            let word = string(think).map_err(|fault| fault.within("think"))?;
            effort_of(&word)
        }
    })
}

fn conversation(body: &Object<'_>, notes: &mut Notes) -> Read<Vec<ChatMessage>> {
    let mut messages: Vec<ChatMessage> = vec![];
    for (at, value) in body
        .list("messages")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let place = format!("messages[{at}]");
        let read = Object::of(value).and_then(|one| message(&one, &place, &messages, notes));
        messages.push(read.map_err(|fault| fault.within(&place))?);
    }
    Ok(messages)
}

fn message(
    one: &Object<'_>,
    place: &str,
    before: &[ChatMessage],
    notes: &mut Notes,
) -> Read<ChatMessage> {
    let role = one.required("role")?;
    let text = one.text("content")?.unwrap_or_default();
    let mut origin = None;
    let mut parts = vec![];
    let role = match role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => {
            return Err(Fault::at(
                "role",
                format!("expected system, user, assistant or tool, not {other:?}"),
            ));
        }
    };
    if role == Role::Tool {
        parts.push(Part::ToolResult(result(one, text, before)?));
    } else {
        if let Some(thought) = one.text("thinking")?.filter(|thought| !thought.is_empty()) {
            parts.push(Part::Reasoning(ReasoningPart {
                text: thought,
                ..ReasoningPart::default()
            }));
        }
        if !text.is_empty() {
            parts.push(Part::text(text));
        }
        pictures(one, &mut parts)?;
        let number = before.iter().flat_map(|message| &message.content).count();
        for (at, value) in one
            .list("tool_calls")?
            .unwrap_or_default()
            .into_iter()
            .enumerate()
        {
            let read = Object::of(value).and_then(|one| call(&one, number + at, &mut origin));
            let call = read.map_err(|fault| fault.within(format!("tool_calls[{at}]")))?;
            parts.push(Part::ToolCall(call));
        }
    }
    spoken_by(role, &parts)?;
    notes.unread(one, &["name", "id", "done_reason"], place);
    let mut message = ChatMessage::new(role, parts);
    if role == Role::Assistant {
        message.origin = origin.or_else(|| Some(WIRE.to_owned()));
    }
    message.extra = Extra::of(WIRE, one.rest()?);
    Ok(message)
}

/// Pictures are bare base64 here.
fn pictures(one: &Object<'_>, parts: &mut Vec<Part>) -> Read<()> {
    for (at, value) in one
        .list("images")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let within = |fault: Fault| fault.within(format!("images[{at}]"));
        let data = string(value).map_err(within)?;
        let media = match data.starts_with("data:") || data.starts_with("http") {
            true => media::of_url(data),
            false => media::of_base64("", &data),
        };
        parts.push(Part::Media(media.map_err(within)?));
    }
    Ok(())
}

/// A call; older callers give no id.
fn call(one: &Object<'_>, number: usize, origin: &mut Option<String>) -> Read<ToolCall> {
    let function = one.object("function")?;
    let function = function.ok_or_else(|| Fault::at("function", "is required"))?;
    let within = |fault: Fault| fault.within("function");
    let arguments = match function.raw("arguments") {
        None => "{}".to_owned(),
        Some(text) if is_text(text) => string(text).map_err(within)?,
        Some(object) => json(object).map_err(within)?.to_string(),
    };
    let name = function.required("name").map_err(within)?;
    let given = one.text("id")?.filter(|id| !id.is_empty());
    let local = given.is_none();
    let id = given.unwrap_or_else(|| format!("call_{number}"));
    let (call, plugin) = mark::call(&id, name, arguments);
    *origin = plugin.or(origin.take());
    Ok(ToolCall { local, ..call })
}

/// A result belongs to the call of its id, else to the first call of the tool that has none yet.
fn result(one: &Object<'_>, text: String, before: &[ChatMessage]) -> Read<ToolResult> {
    let given = one.text("tool_call_id")?.filter(|id| !id.is_empty());
    let name = one.text("tool_name")?.or(one.text("name")?);
    let mut content = vec![ResultPart::Text { text }];
    let mut shown = vec![];
    pictures(one, &mut shown)?;
    content.extend(shown.into_iter().filter_map(|part| match part {
        Part::Media(media) => Some(ResultPart::Media(media)),
        _ => None,
    }));
    let parts = || before.iter().flat_map(|message| &message.content);
    let answered = |id: &str| {
        parts().any(|part| matches!(part, Part::ToolResult(result) if result.call_id == id))
    };
    let given = given.map(|id| mark::read_id(&id).id);
    let call = parts().find_map(|part| match part {
        Part::ToolCall(call) => {
            let meant = match (&given, &name) {
                (Some(id), _) => call.id == *id,
                (None, Some(name)) => call.name == *name && !answered(&call.id),
                (None, None) => !answered(&call.id),
            };
            meant.then_some(call)
        }
        _ => None,
    });
    Ok(ToolResult {
        call_id: call
            .map(|call| call.id.clone())
            .or(given)
            .unwrap_or_default(),
        name: name
            .or(call.map(|call| call.name.clone()))
            .unwrap_or_default(),
        content,
        local: call.is_some_and(|call| call.local),
        ..ToolResult::default()
    })
}

/// A prompt is a question of the user's.
fn prompt(body: &Object<'_>, notes: &mut Notes) -> Read<Vec<ChatMessage>> {
    let mut messages = vec![];
    if let Some(system) = body.text("system")?.filter(|text| !text.is_empty()) {
        messages.push(ChatMessage::system(system));
    }
    let mut parts = vec![];
    let text = body.text("prompt")?.unwrap_or_default();
    if !text.is_empty() {
        parts.push(Part::text(text));
    }
    pictures(body, &mut parts)?;
    if !parts.is_empty() {
        messages.push(ChatMessage::new(Role::User, parts));
    }
    // What says how the prompt is laid out for a model has no place in a conversation.
    for name in ["suffix", "template", "context"] {
        if body.raw(name).is_some_and(|value| !is_nothing(value)) {
            notes.relayed(name);
        }
    }
    if body.get("raw")?.unwrap_or(false) {
        notes.relayed("raw");
    }
    Ok(messages)
}

fn is_nothing(value: &RawValue) -> bool {
    value.get() == r#""""# || elements(value).is_ok_and(|list| list.is_empty())
}

#[cfg(test)]
mod tests;
