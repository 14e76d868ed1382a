//! Tools that may be called, and the form of the answer.

use super::super::dialect::Dialect;
use super::Body;
use crate::body::extended;
use crate::json::Json;
use crate::leaving::Leaving;
use crate::{ChatRequest, Error, ResponseFormat, Tool, ToolChoice, ToolInput};

/// Everything that a request says of tools and of the answer's form.
pub(super) fn encode<'a>(
    dialect: &Dialect,
    request: &'a ChatRequest,
    left: &mut Leaving,
    body: &mut Body<'a>,
) -> Result<(), Error> {
    let some_tools = !request.tools.is_empty();
    if some_tools {
        let tools = request.tools.iter().map(offered);
        let tools = tools.collect::<Result<_, _>>()?;
        body.set("tools", Some(Json::List(tools)));
        body.set("parallel_tool_calls", request.parallel_tool_calls);
    }
    // Without tools the server refuses any choice, and there is nothing to choose anyway.
    let choice = match &request.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None => some_tools.then(|| "none".into()),
        ToolChoice::Required => Some("required".into()),
        ToolChoice::Named(name) => Some(by_name(request, name)),
        // Where the choice cannot be limited it was said to be left out.
        ToolChoice::OneOf(_) if !dialect.additions => some_tools.then(|| "required".into()),
        ToolChoice::OneOf(names) => {
            let tools = names.iter().map(|name| by_name(request, name)).collect();
            let allowed = Json::object([("mode", "required".into()), ("tools", Json::List(tools))]);
            Some(marked("allowed_tools", allowed))
        }
    };
    body.set("tool_choice", choice);
    body.set("response_format", format(&request.response_format)?);
    let run = request.server_tools.iter().filter(|_| dialect.additions);
    for tool in run {
        // The one that this API has, for models that search before each answer.
        if tool.name != "web-search" {
            let why = format!("{} runs no such tool in chat completions", dialect.name);
            left.each(&[&tool.name], &why, |name| {
                format!(
                    "{} runs no tool {name:?} in chat completions: leave it out, or ask by the Responses API with the setting api: responses",
                    dialect.name
                )
            })?;
            continue;
        }
        let options = Json::Object(Vec::new());
        let options = extended(options, "the tool web-search", tool.options.as_deref())?;
        body.set("web_search_options", Some(options));
    }
    Ok(())
}

/// What is said of a thing of this type, under the type's name.
fn marked<'a>(kind: &'static str, what: Json<'a>) -> Json<'a> {
    Json::object([("type", kind.into()), (kind, what)])
}

/// What a tool's type is called: `custom` if it takes free text.
fn kind(tool: &Tool) -> &'static str {
    match tool.input {
        ToolInput::Schema(_) => "function",
        ToolInput::Text(_) => "custom",
    }
}

/// Whether a tool of this name takes free text.
pub(in super::super) fn takes_text(request: &ChatRequest, name: &str) -> bool {
    let mut tools = request.tools.iter();
    tools.any(|tool| tool.name == name && matches!(tool.input, ToolInput::Text(_)))
}

fn by_name<'a>(request: &ChatRequest, name: &'a str) -> Json<'a> {
    let kind = match takes_text(request, name) {
        true => "custom",
        false => "function",
    };
    marked(kind, Json::object([("name", name.into())]))
}

fn offered(tool: &Tool) -> Result<Json<'_>, Error> {
    let mut body = Body(Vec::with_capacity(4));
    body.set("name", Some(tool.name.as_str()));
    body.set("description", tool.description.as_deref());
    match &tool.input {
        ToolInput::Schema(text) => {
            let schema = schema(text, "the parameters of tool", &tool.name)?;
            body.set("parameters", Some(schema));
            body.set("strict", tool.strict);
        }
        ToolInput::Text(None) => {}
        ToolInput::Text(Some(grammar)) => {
            let format = schema(grammar, "the grammar of tool", &tool.name)?;
            body.set("format", Some(format));
        }
    }
    extended(
        marked(kind(tool), Json::Object(body.0)),
        &format!("tool {:?}", tool.name),
        tool.extra.as_deref(),
    )
}

fn format(format: &ResponseFormat) -> Result<Option<Json<'_>>, Error> {
    let format = match format {
        ResponseFormat::Text => return Ok(None),
        ResponseFormat::Json => Json::object([("type", "json_object".into())]),
        ResponseFormat::JsonSchema(format) => {
            let mut body = Body(Vec::with_capacity(4));
            body.set("name", Some(format.name.as_str()));
            body.set("description", format.description.as_deref());
            let schema = schema(&format.schema, "the response schema", &format.name)?;
            body.set("schema", Some(schema));
            body.set("strict", format.strict);
            Json::object([
                ("type", "json_schema".into()),
                ("json_schema", Json::Object(body.0)),
            ])
        }
    };
    Ok(Some(format))
}

/// A schema of the caller's. Its keys keep their order: models answer in it.
pub(in super::super) fn schema<'a>(
    text: &'a str,
    what: &str,
    name: &str,
) -> Result<Json<'a>, Error> {
    match Json::parse(text) {
        Ok(schema @ Json::Object(_)) => Ok(schema),
        _ => Err(Error::invalid_request(format!(
            "{what} {name} is no JSON object"
        ))),
    }
}
