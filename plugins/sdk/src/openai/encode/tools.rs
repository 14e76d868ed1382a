//! Tools that may be called, and the form of the answer.

use super::Body;
use crate::json::Json;
use crate::{ChatRequest, Error, ResponseFormat, Tool, ToolChoice};

/// Everything that a request says of tools and of the answer's form.
pub(super) fn encode<'a>(request: &'a ChatRequest, body: &mut Body<'a>) -> Result<(), Error> {
    let some_tools = !request.tools.is_empty();
    if some_tools {
        let tools = request.tools.iter().map(tool).collect::<Result<_, _>>()?;
        body.set("tools", Some(Json::List(tools)));
        body.set("parallel_tool_calls", request.parallel_tool_calls);
    }
    // Without tools the server refuses any choice, and there is nothing to choose anyway.
    let choice = match &request.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None => some_tools.then(|| "none".into()),
        ToolChoice::Required => Some("required".into()),
        ToolChoice::Named(name) => Some(function(Json::object([("name", name.as_str().into())]))),
    };
    body.set("tool_choice", choice);
    body.set("response_format", format(&request.response_format)?);
    Ok(())
}

/// What is said of a function, marked as such.
fn function(what: Json<'_>) -> Json<'_> {
    Json::object([("type", "function".into()), ("function", what)])
}

fn tool(tool: &Tool) -> Result<Json<'_>, Error> {
    let mut body = Body(Vec::with_capacity(4));
    body.set("name", Some(tool.name.as_str()));
    body.set("description", tool.description.as_deref());
    let schema = schema(&tool.parameters, "the parameters of tool", &tool.name)?;
    body.set("parameters", Some(schema));
    body.set("strict", tool.strict);
    Ok(function(Json::Object(body.0)))
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
fn schema<'a>(text: &'a str, what: &str, name: &str) -> Result<Json<'a>, Error> {
    match Json::parse(text) {
        Ok(schema @ Json::Object(_)) => Ok(schema),
        _ => Err(Error::invalid_request(format!(
            "{what} {name} is no JSON object"
        ))),
    }
}
