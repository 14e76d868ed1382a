//! Tools that may be called or that the vendor runs, and the form of the answer.

use std::borrow::Cow;

use super::super::dialect::Dialect;
use super::super::encode::{Body, schema, takes_text};
use super::server::{asked_for, kind_of};
use crate::body::extended;
use crate::json::Json;
use crate::leaving::Leaving;
use crate::{ChatRequest, Error, JsonSchema, ResponseFormat, Tool, ToolChoice, ToolInput};

/// Everything that a request says of them.
pub(super) fn encode<'a>(
    dialect: &Dialect,
    request: &'a ChatRequest,
    left: &mut Leaving,
    body: &mut Body<'a>,
) -> Result<(), Error> {
    let own = request.tools.iter().map(offered);
    let mut tools = own.collect::<Result<Vec<_>, _>>()?;
    for tool in &request.server_tools {
        let made = asked_for(dialect.name, tool).map(Some);
        tools.extend(left.or_else(&tool.name, made, || Ok(None))?);
    }
    let some_tools = !tools.is_empty();
    if some_tools {
        body.set("tools", Some(Json::List(tools)));
        body.set("parallel_tool_calls", request.parallel_tool_calls);
    }
    let choice = match &request.tool_choice {
        ToolChoice::Auto => None,
        // Without tools there is nothing to choose.
        ToolChoice::None => some_tools.then(|| "none".into()),
        ToolChoice::Required => Some("required".into()),
        ToolChoice::Named(name) => Some(by_name(request, name)),
        ToolChoice::OneOf(names) => {
            let tools = names.iter().map(|name| by_name(request, name)).collect();
            Some(Json::object([
                ("type", "allowed_tools".into()),
                ("mode", "required".into()),
                ("tools", Json::List(tools)),
            ]))
        }
    };
    body.set("tool_choice", choice);
    if let Some(format) = format(&request.response_format)? {
        body.set("text", Some(Json::object([("format", format)])));
    }
    Ok(())
}

fn offered(tool: &Tool) -> Result<Json<'_>, Error> {
    let mut body = Body(Vec::with_capacity(5));
    match &tool.input {
        ToolInput::Schema(text) => {
            body.set("type", Some("function"));
            body.set("name", Some(tool.name.as_str()));
            body.set("description", tool.description.as_deref());
            let schema = schema(text, "the parameters of tool", &tool.name)?;
            body.set("parameters", Some(schema));
            body.set("strict", tool.strict);
        }
        ToolInput::Text(grammar) => {
            body.set("type", Some("custom"));
            body.set("name", Some(tool.name.as_str()));
            body.set("description", tool.description.as_deref());
            if let Some(grammar) = grammar {
                let format = schema(grammar, "the grammar of tool", &tool.name)?;
                body.set("format", Some(format));
            }
        }
    }
    body.set("defer_loading", tool.defer_loading);
    let what = format!("tool {:?}", tool.name);
    extended(Json::Object(body.0), &what, tool.extra.as_deref())
}

/// A tool as it is chosen: one of the caller's by its name, one that the vendor runs by its type.
fn by_name<'a>(request: &'a ChatRequest, name: &'a str) -> Json<'a> {
    let is_own = request.tools.iter().any(|tool| tool.name == name);
    let run = request.server_tools.iter().find(|tool| tool.name == name);
    match run.filter(|_| !is_own) {
        Some(tool) => {
            let mut chosen = Body(Vec::with_capacity(2));
            let options = tool
                .options
                .as_deref()
                .and_then(|text| Json::parse(text).ok());
            let said = |key: &str| {
                let text = options.as_ref()?.text(key)?;
                Some(Cow::Owned::<str>(text.to_owned()))
            };
            let kind = said("type").unwrap_or_else(|| kind_of(&tool.name).into());
            chosen.set("type", Some(kind));
            chosen.set("server_label", said("server_label"));
            Json::Object(chosen.0)
        }
        None => {
            let kind = match takes_text(request, name) {
                true => "custom",
                false => "function",
            };
            Json::object([("type", kind.into()), ("name", name.into())])
        }
    }
}

fn format(format: &ResponseFormat) -> Result<Option<Json<'_>>, Error> {
    let JsonSchema {
        name,
        description,
        schema: text,
        strict,
    } = match format {
        ResponseFormat::Text => return Ok(None),
        ResponseFormat::Json => {
            return Ok(Some(Json::object([("type", "json_object".into())])));
        }
        ResponseFormat::JsonSchema(format) => format,
    };
    let mut body = Body(Vec::with_capacity(5));
    body.set("type", Some("json_schema"));
    body.set("name", Some(name.as_str()));
    body.set("description", description.as_deref());
    body.set("schema", Some(schema(text, "the response schema", name)?));
    body.set("strict", *strict);
    Ok(Some(Json::Object(body.0)))
}
