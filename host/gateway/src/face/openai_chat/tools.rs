//! Tools, in the forms in which they come to this entry: OpenAI's, the older functions, the flat ones of its other
//! wire, and Anthropic's.

use multillm::chat::{
    ChatRequest, Extra, FreeText, Json, JsonObject, ServerTool, Tool, ToolChoice,
};
use serde_json::value::RawValue;

use super::super::asked::Notes;
use super::super::body::{Fault, Object, Read, is_text, string};
use super::super::media::cache_mark;
use super::WIRE;

/// Reads everything that is said of tools. Says whether they are called in the old way.
pub(super) fn offered(
    body: &Object<'_>,
    request: &mut ChatRequest,
    notes: &mut Notes,
) -> Read<bool> {
    for (at, value) in body
        .list("tools")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let place = format!("tools[{at}]");
        let read = Object::of(value).and_then(|one| tool(&one, WIRE, &place, request, notes));
        read.map_err(|fault| fault.within(&place))?;
    }
    if let Some(value) = body.raw("tool_choice") {
        request.tool_choice =
            choice(value, request, notes).map_err(|fault| fault.within("tool_choice"))?;
    }
    let functions = body.list("functions")?.unwrap_or_default();
    for (at, value) in functions.iter().enumerate() {
        let read = Object::of(value).and_then(|one| function(&one, WIRE, "functions", notes));
        let read = read.map_err(|fault| fault.within(format!("functions[{at}]")))?;
        request.tools.push(read);
    }
    if let Some(value) = body.raw("function_call") {
        request.tool_choice = old_choice(value).map_err(|fault| fault.within("function_call"))?;
    }
    Ok(!functions.is_empty() && request.tools.len() == functions.len())
}

/// A tool in any of its forms. What a vendor runs itself is a tool of the vendor's.
pub(in super::super) fn tool(
    one: &Object<'_>,
    wire: &str,
    place: &str,
    request: &mut ChatRequest,
    notes: &mut Notes,
) -> Read<()> {
    let kind = one.text("type")?;
    // Chat completions know no such thing: what is said of it there stays for the same wire.
    let defer_loading = match wire == WIRE && !one.has("input_schema") {
        true => None,
        false => one.get("defer_loading")?,
    };
    let mut tool = match kind.as_deref() {
        None | Some("function") if one.has("function") => {
            let inner = one.object("function")?.unwrap_or_default();
            function(&inner, wire, &format!("{place}.function"), notes)
                .map_err(|fault| fault.within("function"))?
        }
        Some("function") => function(one, wire, place, notes)?,
        Some("custom") if one.has("input_schema") => anthropic(one)?,
        None if one.has("input_schema") => anthropic(one)?,
        None => function(one, wire, place, notes)?,
        Some("custom") => match one.object("custom")? {
            Some(inner) => free_text(&inner).map_err(|fault| fault.within("custom"))?,
            None => free_text(one)?,
        },
        Some(kind) => {
            notes.unread(one, &["name"], place);
            request.server_tools.push(server_tool(kind, one)?);
            return Ok(());
        }
    };
    tool.cache = tool.cache.or(cache_mark(one)?);
    tool.defer_loading = defer_loading;
    notes.unread(one, &[], place);
    tool.extra.merge(wire, one.rest()?);
    request.tools.push(tool);
    Ok(())
}

/// A function: its name, and a schema of its arguments.
fn function(one: &Object<'_>, wire: &str, place: &str, notes: &mut Notes) -> Read<Tool> {
    let parameters = one.json("parameters")?.unwrap_or_else(no_parameters);
    let mut tool = Tool {
        description: one.text("description")?,
        strict: one.get("strict")?,
        cache: cache_mark(one)?,
        ..Tool::new(name(one)?, parameters)
    };
    if one.has("function") {
        return Ok(tool);
    }
    notes.unread(one, &[], place);
    tool.extra = Extra::of(wire, one.rest()?);
    Ok(tool)
}

/// A tool in Anthropic's form.
fn anthropic(one: &Object<'_>) -> Read<Tool> {
    Ok(Tool {
        description: one.text("description")?,
        strict: one.get("strict")?,
        ..Tool::new(
            name(one)?,
            one.json("input_schema")?.unwrap_or_else(no_parameters),
        )
    })
}

/// A tool that takes free text, perhaps of a grammar.
fn free_text(one: &Object<'_>) -> Read<Tool> {
    let grammar = match one.object("format")? {
        Some(format) if format.text("type")?.as_deref() != Some("text") => one.json("format")?,
        _ => None,
    };
    Ok(Tool {
        description: one.text("description")?,
        free_text: Some(FreeText { grammar }),
        ..Tool::new(name(one)?, no_parameters())
    })
}

fn name(one: &Object<'_>) -> Read<String> {
    let name = one.required("name")?;
    match name.is_empty() {
        true => Err(Fault::at("name", "is empty")),
        false => Ok(name),
    }
}

fn no_parameters() -> Json {
    serde_json::json!({ "type": "object", "properties": {} }).into()
}

/// A tool that the vendor runs, by its unified name where it has one.
fn server_tool(kind: &str, one: &Object<'_>) -> Read<ServerTool> {
    let mut options = JsonObject::new();
    options.insert("type", kind);
    options.extend(one.rest()?);
    Ok(ServerTool {
        name: unified(kind).to_owned(),
        options: Some(options.into()),
    })
}

/// The unified name of a vendor's tool; the vendor's own if it has none.
pub(in super::super) fn unified(kind: &str) -> &str {
    let stem = kind.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    match stem {
        "web_search" | "web_search_preview" => "web-search",
        "web_fetch" => "web-fetch",
        "code_interpreter" | "code_execution" => "code-execution",
        "file_search" => "file-search",
        "image_generation" => "image-generation",
        "mcp" => "mcp",
        _ => kind,
    }
}

/// The choice, in the forms of both of OpenAI's wires and of Anthropic's.
pub(in super::super) fn choice(
    value: &RawValue,
    request: &mut ChatRequest,
    notes: &mut Notes,
) -> Read<ToolChoice> {
    if is_text(value) {
        return match string(value)?.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" => Ok(ToolChoice::Required),
            other => Err(Fault::at(
                "",
                format!("expected auto, none, required or a tool, not {other:?}"),
            )),
        };
    }
    let one = Object::of(value)?;
    let named = |one: &Object<'_>| -> Read<ToolChoice> { Ok(ToolChoice::Named(chosen(one)?)) };
    match one.required("type")?.as_str() {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "any" | "required" => Ok(ToolChoice::Required),
        "function" | "custom" | "tool" => named(&one),
        "allowed_tools" => {
            let inner = one.object("allowed_tools")?;
            allowed(inner.as_ref().unwrap_or(&one), request)
        }
        _ => {
            notes.relayed("tool_choice");
            Ok(ToolChoice::Auto)
        }
    }
}

/// The name of a tool, beside its type or within an object of that name.
fn chosen(one: &Object<'_>) -> Read<String> {
    for kind in ["function", "custom"] {
        if let Some(inner) = one.object(kind)? {
            return inner.required("name").map_err(|fault| fault.within(kind));
        }
    }
    one.required("name")
}

/// Some of the tools. Where none of them must be called, the others are as good as not there.
fn allowed(one: &Object<'_>, request: &mut ChatRequest) -> Read<ToolChoice> {
    let names = one.list("tools")?.unwrap_or_default();
    let names = names.into_iter().map(|value| chosen(&Object::of(value)?));
    let names = names.collect::<Read<Vec<_>>>()?;
    match one.text("mode")?.as_deref() {
        Some("required") => Ok(ToolChoice::OneOf(names)),
        _ => {
            request.tools.retain(|tool| names.contains(&tool.name));
            Ok(ToolChoice::Auto)
        }
    }
}

/// The choice among functions of the old way.
fn old_choice(value: &RawValue) -> Read<ToolChoice> {
    if !is_text(value) {
        return Ok(ToolChoice::Named(Object::of(value)?.required("name")?));
    }
    match string(value)?.as_str() {
        "none" => Ok(ToolChoice::None),
        _ => Ok(ToolChoice::Auto),
    }
}
