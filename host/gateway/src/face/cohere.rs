//! Cohere's wire, the second version: much as OpenAI's chat, with other names.

mod answer;
mod stream;

pub(super) use answer::whole;
pub(super) use stream::Stream;

use multillm::Result;
use multillm::chat::{
    ChatRequest, Extra, JsonSchema, Part, ReasoningEffort, ReasoningPart, ResponseFormat,
    ResultPart, Sampling, ToolChoice,
};

use super::Face;
use super::asked::{Asked, Form, Notes};
use super::body::{Fault, Object, Read, is_text, json};
use super::openai_chat::{messages, tool};

/// The wire.
const WIRE: &str = "cohere-chat";

/// What changes no meaning: a vendor of another wire is not told, and nobody misses it.
const HINTS: [&str; 4] = ["safety_mode", "priority", "thinking", "citation_options"];

/// Reads a body.
pub(super) fn read(body: &Object<'_>) -> Result<Asked> {
    Ok(asked(body)?)
}

fn asked(body: &Object<'_>) -> Read<Asked> {
    let mut notes = Notes::default();
    body.raw("model");
    body.raw("stream");
    let mut request = ChatRequest {
        messages: messages(body, WIRE, &mut notes)?,
        sampling: Sampling {
            max_tokens: body.count("max_tokens")?,
            temperature: body.get("temperature")?,
            top_p: body.get("p")?,
            top_k: body.count("k")?.filter(|k| *k > 0),
            stop: body.get("stop_sequences")?.unwrap_or_default(),
            seed: body.get("seed")?,
            frequency_penalty: body.get("frequency_penalty")?,
            presence_penalty: body.get("presence_penalty")?,
        },
        response_format: format(body)?,
        reasoning_effort: thinking(body)?,
        ..ChatRequest::default()
    };
    plans_and_documents(&mut request);
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
    if let Some(strict) = body.get::<bool>("strict_tools")? {
        for tool in &mut request.tools {
            tool.strict = Some(strict);
        }
    }
    request.tool_choice = match body.text("tool_choice")?.as_deref() {
        None => ToolChoice::Auto,
        Some("NONE") => ToolChoice::None,
        Some("REQUIRED") => ToolChoice::Required,
        Some(other) => {
            let what = format!("expected NONE or REQUIRED, not {other:?}");
            return Err(Fault::at("tool_choice", what));
        }
    };
    if body.get("logprobs")?.unwrap_or(false) {
        notes.relayed("logprobs");
    }
    notes.unread(body, &HINTS, "");
    request.extra_by_wire = Extra::of(WIRE, body.rest()?);
    Ok(Asked {
        shape: Face::CohereChat,
        model: None,
        stream: false,
        request,
        unmet: notes.into(),
        form: Form::new(Face::CohereChat),
    })
}

fn format(body: &Object<'_>) -> Read<ResponseFormat> {
    let within = |fault: Fault| fault.within("response_format");
    let Some(format) = body.object("response_format")? else {
        return Ok(ResponseFormat::Text);
    };
    let kind = format.required("type").map_err(within)?;
    let schema = format.raw("json_schema").or(format.raw("schema"));
    match (kind.as_str(), schema) {
        ("text", _) => Ok(ResponseFormat::Text),
        ("json_object", None) => Ok(ResponseFormat::Json),
        ("json_object", Some(schema)) => Ok(ResponseFormat::JsonSchema(JsonSchema {
            name: "answer".to_owned(),
            description: None,
            schema: json(schema).map_err(|fault| within(fault.within("json_schema")))?,
            strict: None,
        })),
        (other, _) => {
            let what = format!("expected text or json_object, not {other:?}");
            Err(within(Fault::at("type", what)))
        }
    }
}

fn thinking(body: &Object<'_>) -> Read<Option<ReasoningEffort>> {
    let Some(thinking) = body.peek("thinking") else {
        return Ok(None);
    };
    let within = |fault: Fault| fault.within("thinking");
    let thinking = Object::of(thinking).map_err(within)?;
    let budget = thinking.count("token_budget").map_err(within)?;
    Ok(match thinking.text("type").map_err(within)?.as_deref() {
        Some("disabled") => None,
        _ => match budget {
            None => None,
            Some(..2048) => Some(ReasoningEffort::Low),
            Some(..16_384) => Some(ReasoningEffort::Medium),
            Some(_) => Some(ReasoningEffort::High),
        },
    })
}

/// Plans are thoughts, and documents that a tool returned are text, in the unified form.
fn plans_and_documents(request: &mut ChatRequest) {
    for message in &mut request.messages {
        let own = message.extra.get(WIRE).and_then(|own| own.get("tool_plan"));
        let plan = own.and_then(|plan| plan.to_value().ok()?.as_str().map(str::to_owned));
        if let Some(text) = plan {
            let thought = ReasoningPart {
                text,
                ..ReasoningPart::default()
            };
            message.content.insert(0, Part::Reasoning(thought));
            message.extra = Extra::default();
        }
        for part in &mut message.content {
            let Part::ToolResult(result) = part else {
                continue;
            };
            for piece in &mut result.content {
                if let ResultPart::Opaque(block) = piece
                    && block.kind == "document"
                    && let Some(text) = document(&block.data)
                {
                    *piece = ResultPart::Text { text };
                }
            }
        }
    }
}

/// What a document says: its data, as text.
fn document(block: &str) -> Option<String> {
    let block = Object::parse(block).ok()?;
    let document = block.object("document").ok()??;
    let data = document.raw("data")?;
    match is_text(data) {
        true => serde_json::from_str(data.get()).ok(),
        false => Some(json(data).ok()?.to_string()),
    }
}

#[cfg(test)]
mod tests;
