//! Gemini's wire: contents made of parts, and the model in the path.

mod answer;
mod parts;
mod stream;

pub(super) use answer::whole;
pub(super) use stream::Stream;

use multillm::Result;
use multillm::chat::{
    ChatMessage, ChatRequest, Extra, Json, JsonObject, JsonSchema, ReasoningEffort, ResponseFormat,
    Role, Sampling, ServerTool, Tool, ToolChoice,
};

use super::asked::{Asked, Form, Notes};
use super::body::{Fault, Object, Read, json, spoken_by};
use super::openai_chat::effort_of;
use super::{Entry, Face};

/// The wire.
const WIRE: &str = "gemini";

/// What changes no meaning: a vendor of another wire is not told, and nobody misses it. What a vendor withholds for
/// its content is a matter of its own.
const HINTS: [&str; 4] = ["safetySettings", "labels", "model", "store"];

/// What is asked of a model at one of Gemini's paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `:generateContent` and `:streamGenerateContent`.
    Chat,
    /// `:countTokens`.
    CountTokens,
    /// `:embedContent`.
    Embed,
    /// `:batchEmbedContents`.
    EmbedBatch,
}

/// Reads the end of a path, `MODEL:OPERATION`; nothing if there is no such operation.
pub(super) fn entry(tail: &str) -> Option<(Operation, Entry)> {
    let (model, operation) = tail.rsplit_once(':')?;
    let (operation, stream) = match operation {
        "generateContent" => (Operation::Chat, false),
        "streamGenerateContent" => (Operation::Chat, true),
        "countTokens" => (Operation::CountTokens, false),
        "embedContent" => (Operation::Embed, false),
        "batchEmbedContents" => (Operation::EmbedBatch, false),
        _ => return None,
    };
    let entry = Entry {
        face: Face::Gemini,
        model: Some(model.to_owned()),
        stream: Some(stream),
    };
    Some((operation, entry))
}

/// Reads a body.
pub(super) fn read(body: Object<'_>) -> Result<Asked> {
    let body = body.camel();
    // A count may hold the whole request in a member of its own.
    let inner = body
        .object("generateContentRequest")
        .map_err(multillm::Error::from)?;
    Ok(match inner {
        Some(inner) => asked(&inner.camel())?,
        None => asked(&body)?,
    })
}

fn asked(body: &Object<'_>) -> Read<Asked> {
    let mut notes = Notes::default();
    let mut request = ChatRequest::default();
    if let Some(system) = body.object("systemInstruction")? {
        let system = system.camel();
        system.raw("role");
        let parts = parts::parts(
            &system,
            "systemInstruction",
            &mut notes,
            &mut None,
            &mut vec![],
        );
        let parts = parts.map_err(|fault| fault.within("systemInstruction"))?;
        request.messages.push(ChatMessage::new(Role::System, parts));
    }
    contents(body, &mut request, &mut notes)?;
    for (at, value) in body
        .list("tools")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let place = format!("tools[{at}]");
        let read =
            Object::of(value).and_then(|one| tools(&one.camel(), &place, &mut request, &mut notes));
        read.map_err(|fault| fault.within(&place))?;
    }
    choice(body, &mut request, &mut notes)?;
    generation(body, &mut request, &mut notes)?;
    notes.unread(body, &HINTS, "");
    let mut rest = body.rest()?;
    rest.extend(std::mem::take(&mut request.extra));
    request.extra_by_wire = Extra::of(WIRE, rest);
    Ok(Asked {
        shape: Face::Gemini,
        model: None,
        stream: false,
        request,
        unmet: notes.into(),
        form: Form::new(Face::Gemini),
    })
}

fn contents(body: &Object<'_>, request: &mut ChatRequest, notes: &mut Notes) -> Read<()> {
    let list = body.list("contents")?;
    let list = list.ok_or_else(|| Fault::at("contents", "is required"))?;
    // Calls that have no result yet: results name the tool, and seldom the call.
    let mut open = vec![];
    for (at, value) in list.into_iter().enumerate() {
        let place = format!("contents[{at}]");
        let mut read = || -> Read<ChatMessage> {
            let one = Object::of(value)?.camel();
            let role = match one.text("role")?.as_deref() {
                None | Some("user" | "function") => Role::User,
                Some("model") => Role::Assistant,
                Some("system") => Role::System,
                Some(other) => {
                    let what = format!("expected user or model, not {other:?}");
                    return Err(Fault::at("role", what));
                }
            };
            let mut origin = None;
            let parts = parts::parts(&one, &place, notes, &mut origin, &mut open)?;
            spoken_by(role, &parts)?;
            let mut message = ChatMessage::new(role, parts);
            message.origin = origin.or_else(|| Some(WIRE.to_owned()));
            Ok(message)
        };
        let message = read().map_err(|fault| fault.within(&place))?;
        request.messages.push(message);
    }
    Ok(())
}

/// Declared functions are tools of the caller's; every other member is a tool that the vendor runs.
fn tools(one: &Object<'_>, place: &str, request: &mut ChatRequest, notes: &mut Notes) -> Read<()> {
    for value in one.list("functionDeclarations")?.unwrap_or_default() {
        let function = Object::of(value)?.camel();
        let schema = function.json("parametersJsonSchema")?;
        let schema = match (schema, function.json("parameters")?) {
            (Some(schema), _) => schema,
            (None, Some(schema)) => lower(&schema),
            (None, None) => serde_json::json!({ "type": "object", "properties": {} }).into(),
        };
        let mut tool = Tool {
            description: function.text("description")?,
            ..Tool::new(function.required("name")?, schema)
        };
        notes.unread(&function, &["behavior"], place);
        tool.extra = Extra::of(WIRE, function.rest()?);
        request.tools.push(tool);
    }
    for (name, options) in &one.rest()? {
        let unified = match name.as_str() {
            "googleSearch" | "googleSearchRetrieval" => "web-search",
            "urlContext" => "web-fetch",
            "codeExecution" => "code-execution",
            "fileSearch" => "file-search",
            other => other,
        };
        if options.as_str() != "{}" {
            notes.own(format!("{place}.{name}"));
        }
        request.server_tools.push(ServerTool {
            name: unified.to_owned(),
            options: (options.as_str() != "{}").then(|| options.clone()),
        });
    }
    Ok(())
}

/// Gemini's older schemas have their types in capitals.
fn lower(schema: &Json) -> Json {
    let Some(object) = schema.to_object() else {
        return match serde_json::from_str::<Vec<Json>>(schema.as_str()) {
            Ok(list) => {
                let list: Vec<String> = list.iter().map(|one| lower(one).to_string()).collect();
                Json::parse(&format!("[{}]", list.join(","))).unwrap_or_else(|_| schema.clone())
            }
            Err(_) => schema.clone(),
        };
    };
    let members = object.into_iter().map(|(name, value)| {
        let value = match (name.as_str(), value.to_value()) {
            ("type", Ok(serde_json::Value::String(kind))) => kind.to_ascii_lowercase().into(),
            ("enum" | "required" | "default" | "example", _) => value,
            ("properties", _) => match value.to_object() {
                Some(named) => {
                    let named = named.into_iter().map(|(name, inner)| (name, lower(&inner)));
                    named.collect::<JsonObject>().into()
                }
                None => value,
            },
            _ => lower(&value),
        };
        (name, value)
    });
    members.collect::<JsonObject>().into()
}

fn choice(body: &Object<'_>, request: &mut ChatRequest, notes: &mut Notes) -> Read<()> {
    let Some(config) = body.object("toolConfig")? else {
        return Ok(());
    };
    let within = |fault: Fault| fault.within("toolConfig");
    let config = config.camel();
    if let Some(calling) = config.object("functionCallingConfig").map_err(within)? {
        let calling = calling.camel();
        let names: Vec<String> = calling
            .get("allowedFunctionNames")
            .map_err(within)?
            .unwrap_or_default();
        request.tool_choice = match calling.text("mode").map_err(within)?.as_deref() {
            Some("NONE") => ToolChoice::None,
            Some("ANY") => match names.as_slice() {
                [] => ToolChoice::Required,
                [one] => ToolChoice::Named(one.clone()),
                _ => ToolChoice::OneOf(names),
            },
            _ => ToolChoice::Auto,
        };
        notes.unread(&calling, &[], "toolConfig.functionCallingConfig");
    }
    notes.unread(&config, &[], "toolConfig");
    Ok(())
}

/// What is said of generation. What of it has no unified form stays for the same wire.
fn generation(body: &Object<'_>, request: &mut ChatRequest, notes: &mut Notes) -> Read<()> {
    let Some(config) = body.object("generationConfig")? else {
        return Ok(());
    };
    let place = "generationConfig";
    let within = |fault: Fault| fault.within(place);
    let config = config.camel();
    let mut read = || -> Read<()> {
        request.sampling = Sampling {
            max_tokens: config.count("maxOutputTokens")?,
            temperature: config.get("temperature")?,
            top_p: config.get("topP")?,
            // Clients send it as a float.
            top_k: config.count("topK")?,
            stop: config.get("stopSequences")?.unwrap_or_default(),
            seed: config.get("seed")?,
            frequency_penalty: config.get("frequencyPenalty")?,
            presence_penalty: config.get("presencePenalty")?,
        };
        let outputs: Vec<String> = config.get("responseModalities")?.unwrap_or_default();
        request.outputs = outputs
            .iter()
            .map(|kind| kind.to_ascii_lowercase())
            .collect();
        if request.outputs == ["text"] {
            request.outputs.clear();
        }
        let schema = config.raw("responseJsonSchema").map(json).transpose()?;
        let schema = schema.or(config
            .raw("responseSchema")
            .map(json)
            .transpose()?
            .map(|schema| lower(&schema)));
        let kind = config.text("responseMimeType")?;
        request.response_format = match (schema, kind.as_deref()) {
            (Some(schema), _) => ResponseFormat::JsonSchema(JsonSchema {
                name: "answer".to_owned(),
                description: None,
                schema,
                strict: None,
            }),
            (None, Some("application/json")) => ResponseFormat::Json,
            (None, None | Some("text/plain")) => ResponseFormat::Text,
            (None, Some(_)) => {
                notes.relayed("generationConfig.responseMimeType");
                ResponseFormat::Text
            }
        };
        if config
            .count("candidateCount")?
            .is_some_and(|count| count > 1)
        {
            notes.relayed("generationConfig.candidateCount");
        }
        if config.get("responseLogprobs")?.unwrap_or(false) {
            notes.relayed("generationConfig.responseLogprobs");
        }
        config.raw("logprobs");
        request.reasoning_effort = thinking(&config)?;
        Ok(())
    };
    read().map_err(within)?;
    notes.unread(&config, &["thinkingConfig"], place);
    let rest = config.rest().map_err(within)?;
    if !rest.is_empty() {
        // Laid over what is written of the rest: the whole of it, so that nothing of it is lost.
        if let Some(whole) = body.json("generationConfig")? {
            request.extra.insert("generationConfig", whole);
        }
    }
    Ok(())
}

fn thinking(config: &Object<'_>) -> Read<Option<ReasoningEffort>> {
    let Some(thinking) = config.peek("thinkingConfig") else {
        return Ok(None);
    };
    let within = |fault: Fault| fault.within("thinkingConfig");
    let thinking = Object::of(thinking).map_err(within)?.camel();
    if let Some(level) = thinking.text("thinkingLevel").map_err(within)? {
        return Ok(effort_of(&level.to_ascii_lowercase()));
    }
    let budget: Option<i64> = thinking.get("thinkingBudget").map_err(within)?;
    Ok(match budget {
        // Zero: do not think, which is what others do unless they are asked. Negative: as the model likes.
        None | Some(..=0) => None,
        Some(1..2048) => Some(ReasoningEffort::Low),
        Some(2048..16_384) => Some(ReasoningEffort::Medium),
        Some(_) => Some(ReasoningEffort::High),
    })
}

#[cfg(test)]
mod tests;
