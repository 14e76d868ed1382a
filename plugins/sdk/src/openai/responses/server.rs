//! Tools that the vendor runs, by their unified names and by the API's own.

use crate::body::extended;
use crate::json::Json;
use crate::{Error, ServerTool};

/// Unified names, the types of tools, and the types of items that are their calls.
const NAMES: [(&str, &str, &str); 5] = [
    ("web-search", "web_search", "web_search_call"),
    (
        "code-execution",
        "code_interpreter",
        "code_interpreter_call",
    ),
    ("file-search", "file_search", "file_search_call"),
    (
        "image-generation",
        "image_generation",
        "image_generation_call",
    ),
    ("mcp", "mcp", "mcp_call"),
];

/// The type of a tool of this name; any other is the API's own.
pub(super) fn kind_of(name: &str) -> &str {
    let known = NAMES.iter().find(|(unified, _, _)| *unified == name);
    known.map_or(name, |(_, kind, _)| kind)
}

/// The name of the tool that an item of this type is a call of.
pub(super) fn name_of(item: &str) -> String {
    let known = NAMES.iter().find(|(_, _, call)| *call == item);
    match known {
        Some((unified, _, _)) => (*unified).to_owned(),
        None => item.strip_suffix("_call").unwrap_or(item).to_owned(),
    }
}

/// The tool as it is asked for, with the vendor's own options.
///
/// # Errors
///
/// `unsupported` for what this vendor has no tool of, `invalid-request` for options that are no JSON object.
pub(super) fn asked_for<'a>(vendor: &str, tool: &'a ServerTool) -> Result<Json<'a>, Error> {
    let kind = match tool.name.as_str() {
        "web-fetch" => {
            return Err(Error::unsupported(format!(
                "{vendor} has no tool web-fetch: ask for web-search, which opens pages too"
            )));
        }
        name => kind_of(name),
    };
    let mut made = Json::object([("type", kind.into())]);
    if kind == "code_interpreter" {
        // The API demands a container: by rule one of its own making.
        let auto = Json::object([("type", "auto".into())]);
        let given = tool.options.as_deref().is_some_and(|options| {
            Json::parse(options).is_ok_and(|options| options.get("container").is_some())
        });
        if !given {
            made.merge(Json::object([("container", auto)]));
        }
    }
    let what = format!("the tool {:?}", tool.name);
    extended(made, &what, tool.options.as_deref())
}

/// What is to be included in an answer so that the results of the tool are in it. A tool by its own older name has none.
pub(super) fn shown(tool: &ServerTool) -> Option<&'static str> {
    let renamed = tool.options.as_deref().is_some_and(|options| {
        Json::parse(options).is_ok_and(|options| options.get("type").is_some())
    });
    match tool.name.as_str() {
        "web-search" if !renamed => Some("web_search_call.action.sources"),
        "code-execution" => Some("code_interpreter_call.outputs"),
        "file-search" => Some("file_search_call.results"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn asked(name: &str, options: Option<&str>) -> Result<String, Error> {
        let tool = ServerTool {
            name: name.to_owned(),
            options: options.map(str::to_owned),
        };
        asked_for("openai", &tool).map(|made| made.to_string())
    }

    #[test]
    fn unified_names_are_the_apis_types_and_options_are_the_vendors() {
        for (name, options, made) in [
            ("web-search", None, r#"{"type":"web_search"}"#),
            (
                "web-search",
                Some(r#"{"type":"web_search_preview","search_context_size":"low"}"#),
                r#"{"type":"web_search_preview","search_context_size":"low"}"#,
            ),
            (
                "code-execution",
                None,
                r#"{"type":"code_interpreter","container":{"type":"auto"}}"#,
            ),
            (
                "code-execution",
                Some(r#"{"container":"cntr_1"}"#),
                r#"{"type":"code_interpreter","container":"cntr_1"}"#,
            ),
            (
                "mcp",
                Some(r#"{"server_label":"docs","server_url":"https://example.org"}"#),
                r#"{"type":"mcp","server_label":"docs","server_url":"https://example.org"}"#,
            ),
            ("tool_search", None, r#"{"type":"tool_search"}"#),
        ] {
            assert_eq!(asked(name, options).unwrap(), made);
        }
        assert_eq!(
            asked("web-fetch", None).unwrap_err().kind,
            ErrorKind::Unsupported
        );
        let wrong = asked("web-search", Some("[]")).unwrap_err();
        assert_eq!(wrong.kind, ErrorKind::InvalidRequest);
        assert_eq!(name_of("code_interpreter_call"), "code-execution");
        assert_eq!(name_of("local_shell_call"), "local_shell");
    }
}
