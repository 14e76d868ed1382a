//! OpenAI's Responses: the wire of Codex and of agents.

mod answer;
mod input;
mod pieces;
mod stream;

pub(super) use answer::whole;
pub(super) use pieces::piece;
pub(super) use stream::Stream;

use multillm::Result;
use multillm::chat::{ChatRequest, Extra, JsonObject, ReasoningEffort, ResponseFormat, Sampling};

use super::Face;
use super::asked::{Asked, Form, Notes};
use super::body::{Fault, Object, Read, elements, is_text, json, string};
use super::openai_chat::{choice, effort_of, json_schema, tool};

/// The wire.
const WIRE: &str = "openai-responses";

/// What changes no meaning: a vendor of another wire is not told, and nobody misses it.
const HINTS: [&str; 12] = [
    "metadata",
    "client_metadata",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "stream_options",
    "include",
    "reasoning",
    "text",
    "truncation",
];

/// What answers say again of the request.
const ECHO: [&str; 17] = [
    "background",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "user",
];

/// Reads a body.
pub(super) fn read(body: &Object<'_>) -> Result<Asked> {
    Ok(asked(body)?)
}

fn asked(body: &Object<'_>) -> Read<Asked> {
    let mut notes = Notes::default();
    let mut form = Form::new(Face::OpenAiResponses);
    form.echo = echo(body)?;
    body.raw("model");
    body.raw("stream");
    let mut request = ChatRequest {
        sampling: Sampling {
            max_tokens: body.count("max_output_tokens")?,
            temperature: body.get("temperature")?,
            top_p: body.get("top_p")?,
            ..Sampling::default()
        },
        parallel_tool_calls: body.get("parallel_tool_calls")?,
        user: body.text("user")?,
        ..ChatRequest::default()
    };
    for (at, value) in body
        .list("tools")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let place = format!("tools[{at}]");
        let read = Object::of(value).and_then(|one| {
            match one
                .peek("type")
                .is_some_and(|kind| kind.get() == r#""namespace""#)
            {
                true => namespace(&one, &place, &mut request, &mut form, &mut notes),
                false => tool(&one, WIRE, &place, &mut request, &mut notes),
            }
        });
        read.map_err(|fault| fault.within(&place))?;
    }
    if let Some(value) = body.raw("tool_choice") {
        let read = choice(value, &mut request, &mut notes);
        request.tool_choice = read.map_err(|fault| fault.within("tool_choice"))?;
    }
    let free = request.tools.iter().filter(|tool| tool.free_text.is_some());
    form.free_text = free.map(|tool| tool.name.clone()).collect();
    request.messages = input::conversation(body, &mut notes)?;
    request.reasoning_effort = effort(body, &mut notes)?;
    request.response_format = format(body, &mut notes)?;
    left(body, &mut notes)?;
    notes.unread(body, &HINTS, "");
    request.extra_by_wire = Extra::of(WIRE, body.rest()?);
    Ok(Asked {
        shape: Face::OpenAiResponses,
        model: None,
        stream: false,
        request,
        unmet: notes.into(),
        form,
    })
}

/// Functions under a common name, as Codex has them for its agents: each is a tool of its own, whose calls say the name
/// again. Two of the same name cannot be told apart elsewhere.
fn namespace(
    one: &Object<'_>,
    place: &str,
    request: &mut ChatRequest,
    form: &mut Form,
    notes: &mut Notes,
) -> Read<()> {
    let namespace = one.required("name")?;
    for (at, value) in one
        .list("tools")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let inner = Object::of(value)?;
        let place = format!("{place}.tools[{at}]");
        let name = inner
            .required("name")
            .map_err(|fault| fault.within(format!("tools[{at}]")))?;
        if request.tools.iter().any(|tool| tool.name == name) {
            notes.relayed(place);
            continue;
        }
        let read = tool(&inner, WIRE, &place, request, notes);
        read.map_err(|fault| fault.within(format!("tools[{at}]")))?;
        form.namespaces.push((name, namespace.clone()));
    }
    Ok(())
}

fn echo(body: &Object<'_>) -> Read<JsonObject> {
    let mut echo = JsonObject::new();
    for name in ECHO {
        if let Some(value) = body.peek(name) {
            let value = json(value).map_err(|fault| fault.within(name))?;
            // What no reader can hold, such as half a character or a number without bounds, is not said again.
            if value.to_value().is_ok() {
                echo.insert(name, value);
            }
        }
    }
    Ok(echo)
}

/// The effort; what else is said of thinking stays for the same wire.
fn effort(body: &Object<'_>, notes: &mut Notes) -> Read<Option<ReasoningEffort>> {
    let within = |fault: Fault| fault.within("reasoning");
    let Some(reasoning) = body
        .peek("reasoning")
        .map(Object::of)
        .transpose()
        .map_err(within)?
    else {
        return Ok(None);
    };
    let Some(word) = reasoning.text("effort").map_err(within)? else {
        return Ok(None);
    };
    let known = effort_of(&word);
    if known.is_none() {
        notes.own("reasoning.effort");
    }
    Ok(known)
}

/// The form of the answer; how verbose it is stays for the same wire.
fn format(body: &Object<'_>, notes: &mut Notes) -> Read<ResponseFormat> {
    let within = |fault: Fault| fault.within("text");
    let Some(text) = body
        .peek("text")
        .map(Object::of)
        .transpose()
        .map_err(within)?
    else {
        return Ok(ResponseFormat::Text);
    };
    let Some(format) = text.object("format").map_err(within)? else {
        return Ok(ResponseFormat::Text);
    };
    let within = |fault: Fault| within(fault.within("format"));
    match format.required("type").map_err(within)?.as_str() {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::Json),
        "json_schema" => json_schema(&format).map_err(within),
        _ => {
            notes.own("text.format");
            Ok(ResponseFormat::Text)
        }
    }
}

/// Members of which a value that changes nothing is no loss.
fn left(body: &Object<'_>, notes: &mut Notes) -> Read<()> {
    if body
        .peek("background")
        .is_some_and(|value| value.get() == "false")
    {
        body.raw("background");
    }
    if body.count("top_logprobs")?.is_some_and(|count| count > 0) {
        notes.relayed("top_logprobs");
    }
    if body
        .peek("truncation")
        .is_some_and(|value| value.get() == r#""auto""#)
    {
        notes.own("truncation");
    }
    for value in body
        .peek("include")
        .map(elements)
        .transpose()?
        .unwrap_or_default()
    {
        if is_text(value) && string(value)?.ends_with("logprobs") {
            notes.relayed("include");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
