//! Tools and the choice among them.

use std::borrow::Cow;

use multillm_plugin_sdk::body::raw_object;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::{ChatRequest, Error, Tool, ToolChoice};

use crate::cache::{CACHE, Marks, control};
use crate::schema;
use crate::tree::Tree;

/// The request's tools.
///
/// # Errors
///
/// `invalid-request` for parameters that are no JSON object.
pub(crate) fn tools<'a>(
    request: &'a ChatRequest,
    marks: &Marks<'a>,
) -> Result<Vec<Tree<'a>>, Error> {
    let tools = request.tools.iter();
    let mut tools = tools
        .map(|tool| offered(tool, marks))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(mark) = marks.own()
        && let Some(last) = tools.pop()
    {
        tools.push(last.marked(CACHE, control(mark)));
    }
    Ok(tools)
}

fn offered<'a>(tool: &'a Tool, marks: &Marks<'a>) -> Result<Tree<'a>, Error> {
    Tree::object([("name", tool.name.as_str().into())])
        .with("description", tool.description.as_deref())
        .with("input_schema", Some(input_schema(tool)?))
        .with("strict", tool.strict)
        .with("defer_loading", tool.defer_loading)
        .with(CACHE, marks.kept(tool.cache.as_ref()).map(control))
        .open(&format!("tool {:?}", tool.name), tool.extra.as_deref())
}

/// The vendor insists on `type`; a strict tool's objects must be closed.
fn input_schema(tool: &Tool) -> Result<Tree<'_>, Error> {
    let parameters = tool.schema("claude")?;
    if parameters.trim().is_empty() {
        let none = Json::object([]);
        return Ok(Json::object([("type", "object".into()), ("properties", none)]).into());
    }
    let what = format!("the parameters of tool \"{}\"", tool.name);
    let raw = raw_object(&what, parameters)?;
    let strict = tool.strict == Some(true);
    if !strict && member(raw.get(), "type").is_some() {
        return Ok(Tree::Raw(raw));
    }
    let mut schema = Json::parse(raw.get()).unwrap_or_default();
    if schema.get("type").is_none()
        && let Json::Object(members) = &mut schema
    {
        members.push((Cow::Borrowed("type"), "object".into()));
    }
    if strict {
        schema::close(&mut schema);
    }
    Ok(schema.into())
}

/// Whether a tool must be called.
pub(crate) fn is_forced(request: &ChatRequest) -> bool {
    matches!(
        request.tool_choice,
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::OneOf(_)
    )
}

/// The choice; the default is left out, and so is any where there is nothing to choose from.
///
/// # Errors
///
/// `invalid-request` if a tool must be called and there is none.
pub(crate) fn choice(request: &ChatRequest, has_tools: bool) -> Result<Option<Tree<'_>>, Error> {
    if !has_tools {
        return if is_forced(request) {
            Err(Error::invalid_request(
                "a tool must be called, but there is none: add tools or set the tool choice to auto",
            ))
        } else {
            Ok(None)
        };
    }
    let single = request.parallel_tool_calls.map(|parallel| !parallel);
    let (kind, name, disable_parallel_tool_use) = match &request.tool_choice {
        ToolChoice::Auto if single.is_none() => return Ok(None),
        ToolChoice::Auto => ("auto", None, single),
        ToolChoice::None => ("none", None, None),
        // Some of the tools are no choice of this vendor's: refused before.
        ToolChoice::Required | ToolChoice::OneOf(_) => ("any", None, single),
        ToolChoice::Named(name) => ("tool", Some(name.as_str()), single),
    };
    Ok(Some(
        Tree::object([("type", kind.into())])
            .with("name", name)
            .with("disable_parallel_tool_use", disable_parallel_tool_use),
    ))
}

#[cfg(test)]
mod tests {
    use super::{choice, input_schema};
    use crate::fixtures::{ask, tool};
    use multillm_plugin_sdk::{ErrorKind, ToolChoice, ToolInput};
    use serde_json::{Value, json};

    fn schema(parameters: &str, strict: bool) -> String {
        let mut tool = tool("look");
        tool.input = ToolInput::Schema(parameters.to_owned());
        tool.strict = strict.then_some(true);
        serde_json::to_string(&input_schema(&tool).unwrap()).unwrap()
    }

    #[test]
    fn schemas_get_the_type_that_the_vendor_wants() {
        assert_eq!(schema(" ", false), r#"{"type":"object","properties":{}}"#);
        assert_eq!(schema("{}", false), r#"{"type":"object"}"#);
        let typed = r#"{"type": "object","properties":{"x":{"minimum":1.50}}}"#;
        assert_eq!(schema(typed, false), typed);
        assert_eq!(
            schema(r#"{"properties":{"z":{},"a":{}}}"#, true),
            r#"{"properties":{"z":{},"a":{}},"type":"object","additionalProperties":false}"#
        );
    }

    #[test]
    fn parameters_that_are_no_object_are_refused() {
        for parameters in ["[1]", "{", "3"] {
            let mut tool = tool("look");
            tool.input = ToolInput::Schema(parameters.to_owned());
            let error = input_schema(&tool).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidRequest, "{parameters}");
            assert!(error.message.contains("\"look\""), "{error:?}");
        }
    }

    #[test]
    fn choices_follow_the_vendors_words() {
        for (wanted, parallel, expected) in [
            (ToolChoice::Auto, None, Value::Null),
            (
                ToolChoice::Auto,
                Some(false),
                json!({"type": "auto", "disable_parallel_tool_use": true}),
            ),
            (ToolChoice::None, Some(false), json!({"type": "none"})),
            (
                ToolChoice::Required,
                Some(true),
                json!({"type": "any", "disable_parallel_tool_use": false}),
            ),
            (
                ToolChoice::Named("look".into()),
                None,
                json!({"type": "tool", "name": "look"}),
            ),
        ] {
            let mut request = ask("hi");
            request.tool_choice = wanted;
            request.parallel_tool_calls = parallel;
            let value = serde_json::to_value(choice(&request, true).unwrap()).unwrap();
            assert_eq!(value, expected);
        }
    }

    #[test]
    fn a_forced_call_needs_tools() {
        let mut request = ask("hi");
        request.parallel_tool_calls = Some(true);
        assert!(choice(&request, false).unwrap().is_none());
        request.tool_choice = ToolChoice::Required;
        let error = choice(&request, false).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
    }
}
