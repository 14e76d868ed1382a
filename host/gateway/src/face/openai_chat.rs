//! OpenAI's chat completions: the wire that most programs speak.

mod answer;
mod message;
mod stream;
mod tools;

pub(super) use answer::whole;
pub(super) use message::conversation as messages;
pub(super) use stream::Stream;
pub(super) use tools::{choice, tool, unified};

use multillm::Result;
use multillm::chat::{ChatRequest, Extra, JsonSchema, ReasoningEffort, ResponseFormat, Sampling};

use super::Face;
use super::asked::{Asked, Form, Notes};
use super::body::{Fault, Object, Read, elements, is_text, json, string};

/// The wire.
const WIRE: &str = "openai-chat";

/// What changes no meaning: a vendor of another wire is not told, and nobody misses it.
const HINTS: [&str; 10] = [
    "reasoning_effort",
    "metadata",
    "store",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "service_tier",
    "prediction",
    "verbosity",
    "stream_options",
];

/// Reads a body.
pub(super) fn read(body: &Object<'_>) -> Result<Asked> {
    Ok(asked(body)?)
}

fn asked(body: &Object<'_>) -> Read<Asked> {
    let mut notes = Notes::default();
    let mut form = Form::new(Face::OpenAiChat);
    body.raw("model");
    body.raw("stream");
    form.usage = usage_is_wanted(body)?;
    let mut request = ChatRequest {
        messages: messages(body, WIRE, &mut notes)?,
        response_format: response_format(body, &mut notes)?,
        outputs: body.get("modalities")?.unwrap_or_default(),
        sampling: sampling(body)?,
        reasoning_effort: effort(body, &mut notes)?,
        parallel_tool_calls: body.get("parallel_tool_calls")?,
        user: body.text("user")?,
        ..ChatRequest::default()
    };
    if request.outputs == ["text"] {
        request.outputs.clear();
    }
    form.functions = tools::offered(body, &mut request, &mut notes)?;
    let free = request.tools.iter().filter(|tool| tool.free_text.is_some());
    form.free_text = free.map(|tool| tool.name.clone()).collect();
    answers(body, &mut notes)?;
    notes.unread(body, &HINTS, "");
    request.extra_by_wire = Extra::of(WIRE, body.rest()?);
    Ok(Asked {
        shape: Face::OpenAiChat,
        model: None,
        stream: false,
        request,
        unmet: notes.into(),
        form,
    })
}

/// Whether a stream is to end with the usage. The option stays with the others for the same wire.
fn usage_is_wanted(body: &Object<'_>) -> Read<bool> {
    let Some(options) = body.object("stream_options")? else {
        return Ok(false);
    };
    let wanted = options.get("include_usage");
    Ok(wanted
        .map_err(|fault| fault.within("stream_options"))?
        .unwrap_or(false))
}

/// What asks for more than one answer, or for more than an answer holds in the unified form.
fn answers(body: &Object<'_>, notes: &mut Notes) -> Read<()> {
    if body.count("n")?.is_some_and(|count| count != 1) {
        notes.relayed("n");
    }
    if body.get("logprobs")?.unwrap_or(false) {
        notes.relayed("logprobs");
    }
    if body.count("top_logprobs")?.is_some_and(|count| count > 0) {
        notes.relayed("top_logprobs");
    }
    if body
        .peek("logit_bias")
        .is_some_and(|bias| bias.get() == "{}")
    {
        body.raw("logit_bias");
    }
    Ok(())
}

pub(super) fn sampling(body: &Object<'_>) -> Read<Sampling> {
    let older = body.count("max_tokens")?;
    let stop = match body.raw("stop") {
        None => vec![],
        Some(one) if is_text(one) => vec![string(one).map_err(|fault| fault.within("stop"))?],
        Some(list) => elements(list)
            .and_then(|list| list.into_iter().map(string).collect())
            .map_err(|fault: Fault| fault.within("stop"))?,
    };
    Ok(Sampling {
        max_tokens: body.count("max_completion_tokens")?.or(older),
        temperature: body.get("temperature")?,
        top_p: body.get("top_p")?,
        top_k: body.count("top_k")?,
        stop,
        seed: body.get("seed")?,
        frequency_penalty: body.get("frequency_penalty")?,
        presence_penalty: body.get("presence_penalty")?,
    })
}

/// A word that is not quite one of ours stays for the same wire.
fn effort(body: &Object<'_>, notes: &mut Notes) -> Read<Option<ReasoningEffort>> {
    let Some(word) = body.peek("reasoning_effort") else {
        return Ok(None);
    };
    let word = string(word).map_err(|fault| fault.within("reasoning_effort"))?;
    let known = effort_of(&word);
    match known {
        Some(_) if word != "xhigh" => drop(body.raw("reasoning_effort")),
        Some(_) => {}
        None => notes.own("reasoning_effort"),
    }
    Ok(known)
}

/// The unified effort that a word stands for.
pub(super) fn effort_of(word: &str) -> Option<ReasoningEffort> {
    Some(match word {
        "none" => ReasoningEffort::None,
        "minimal" => ReasoningEffort::Minimal,
        "low" => ReasoningEffort::Low,
        "medium" => ReasoningEffort::Medium,
        "high" => ReasoningEffort::High,
        "xhigh" | "max" => ReasoningEffort::Max,
        _ => return None,
    })
}

fn response_format(body: &Object<'_>, notes: &mut Notes) -> Read<ResponseFormat> {
    let within = |fault: Fault| fault.within("response_format");
    let Some(format) = body.peek("response_format") else {
        return Ok(ResponseFormat::Text);
    };
    let format = Object::of(format).map_err(within)?;
    let read = match format.required("type").map_err(within)?.as_str() {
        "text" => Ok(ResponseFormat::Text),
        "json_object" => Ok(ResponseFormat::Json),
        "json_schema" => {
            let schema = format.object("json_schema").map_err(within)?;
            let schema = schema.ok_or_else(|| within(Fault::at("json_schema", "is required")))?;
            json_schema(&schema).map_err(|fault| within(fault.within("json_schema")))
        }
        _ => {
            notes.own("response_format");
            return Ok(ResponseFormat::Text);
        }
    };
    body.raw("response_format");
    read
}

/// A schema with its name, as both of OpenAI's wires write it.
pub(super) fn json_schema(format: &Object<'_>) -> Read<ResponseFormat> {
    let schema = match format.raw("schema") {
        Some(schema) => json(schema).map_err(|fault| fault.within("schema"))?,
        None => serde_json::json!({}).into(),
    };
    Ok(ResponseFormat::JsonSchema(JsonSchema {
        name: format.required("name")?,
        description: format.text("description")?,
        schema,
        strict: format.get("strict")?,
    }))
}

#[cfg(test)]
mod tests;
