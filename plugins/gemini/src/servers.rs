//! Tools that the vendor runs: asked for by a unified name, and what became of them.
//!
//! A call and its result are parts of an answer (`executableCode` and `codeExecutionResult`, `toolCall`
//! and `toolResponse`) that go back as they came, with their signatures.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Error, ResultPart, ServerTool, ServerToolCall, ServerToolResult};

use crate::contents::NAME;
use crate::wire;

/// The vendor's name of a tool.
///
/// # Errors
///
/// `unsupported` for what the vendor does not run, `invalid-request` for options that do not fit.
pub(crate) fn asked(tool: &ServerTool) -> Result<Json<'_>, Error> {
    let name = match tool.name.as_str() {
        "web-search" => "googleSearch",
        "web-fetch" => "urlContext",
        "code-execution" => "codeExecution",
        "file-search" => "fileSearch",
        "image-generation" => {
            return Err(Error::unsupported(
                "gemini draws without a tool: ask for the output \"image\" instead",
            ));
        }
        "mcp" => {
            return Err(Error::unsupported(
                "gemini asks no MCP server by address and name: leave \"mcp\" out of the server tools",
            ));
        }
        own => own,
    };
    let options = match tool.options.as_deref().map_or("", str::trim) {
        "" => Json::object([]),
        text => match Json::parse(text) {
            Ok(options @ Json::Object(_)) => options,
            _ => {
                return Err(Error::invalid_request(format!(
                    "the options of the server tool {:?} are no JSON object",
                    tool.name
                )));
            }
        },
    };
    Ok(Json::Object(vec![(name.into(), options)]))
}

/// What a part says of such a tool.
pub(crate) enum Made {
    Call(ServerToolCall),
    Result(ServerToolResult),
}

/// What a part of this kind is, if it is one of these.
pub(crate) fn made(kind: &str, part: &Json<'_>) -> Option<Made> {
    let of = part.get(kind)?;
    let id = of.text("id").map(str::to_owned);
    let data = part.to_string();
    Some(match kind {
        "executableCode" => Made::Call(ServerToolCall {
            id,
            name: CODE.to_owned(),
            input: of.beside(&["id"]).map(|input| input.to_string()),
            data,
        }),
        "codeExecutionResult" => {
            let outcome = wire::word(of, "outcome");
            Made::Result(ServerToolResult {
                call_id: id,
                name: CODE.to_owned(),
                is_error: outcome.is_some_and(|word| !matches!(&*word, "OUTCOME_OK" | "1")),
                content: texts(of.text("output")),
                data,
            })
        }
        "toolCall" => Made::Call(ServerToolCall {
            id,
            name: unified(of),
            input: of.get("args").map(Json::to_string),
            data,
        }),
        "toolResponse" => {
            let response = of.get("response");
            let failed = response.and_then(|response| response.get("error"));
            Made::Result(ServerToolResult {
                call_id: id,
                name: unified(of),
                is_error: failed.is_some(),
                content: texts(response.map(Json::to_string).as_deref()),
                data,
            })
        }
        _ => return None,
    })
}

const CODE: &str = "code-execution";

fn texts(text: Option<&str>) -> Vec<ResultPart> {
    let text = text.map(|text| ResultPart::Text(text.to_owned()));
    text.into_iter().collect()
}

/// The unified name of a `toolType`; the vendor's own where it has none.
fn unified(of: &Json<'_>) -> String {
    let own = wire::word(of, "toolType").unwrap_or_default();
    let name = match own.to_ascii_uppercase().as_str() {
        "GOOGLE_SEARCH" | "GOOGLE_SEARCH_WEB" | "GOOGLE_SEARCH_IMAGE" => "web-search",
        "URL_CONTEXT" => "web-fetch",
        "FILE_SEARCH" => "file-search",
        "CODE_EXECUTION" => CODE,
        "" => NAME,
        _ => return own.into_owned(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm_plugin_sdk::ErrorKind;

    fn tool(name: &str, options: Option<&str>) -> ServerTool {
        ServerTool {
            name: name.to_owned(),
            options: options.map(str::to_owned),
        }
    }

    #[test]
    fn unified_names_become_the_vendors() {
        for (name, options, made) in [
            ("web-search", None, r#"{"googleSearch":{}}"#),
            ("web-fetch", Some("{}"), r#"{"urlContext":{}}"#),
            ("code-execution", None, r#"{"codeExecution":{}}"#),
            (
                "file-search",
                Some(r#"{"fileSearchStoreNames":["a"]}"#),
                r#"{"fileSearch":{"fileSearchStoreNames":["a"]}}"#,
            ),
            ("googleMaps", None, r#"{"googleMaps":{}}"#),
        ] {
            assert_eq!(asked(&tool(name, options)).unwrap().to_string(), made);
        }
        for (name, options, kind) in [
            ("image-generation", None, ErrorKind::Unsupported),
            ("mcp", None, ErrorKind::Unsupported),
            ("web-search", Some("[]"), ErrorKind::InvalidRequest),
        ] {
            let error = asked(&tool(name, options)).unwrap_err();
            assert_eq!(error.kind, kind);
            assert!(error.message.contains(name) || name == "image-generation");
        }
    }

    #[test]
    fn calls_and_results_are_told_and_kept() {
        let of = |text: &str| {
            let part = Json::parse(text).unwrap();
            let kind = wire::kind(&part).unwrap().to_owned();
            made(&kind, &part)
        };
        let code = r#"{"executableCode":{"id":"a","language":"PYTHON","code":"1+1"},"thoughtSignature":"s"}"#;
        let Some(Made::Call(call)) = of(code) else {
            panic!("no call");
        };
        assert_eq!(
            (call.id.as_deref(), call.name.as_str()),
            (Some("a"), "code-execution")
        );
        assert_eq!(
            call.input.as_deref(),
            Some(r#"{"language":"PYTHON","code":"1+1"}"#)
        );
        assert_eq!(call.data, code);
        for (outcome, is_error) in [("OUTCOME_OK", false), ("OUTCOME_FAILED", true)] {
            let ran =
                format!(r#"{{"codeExecutionResult":{{"outcome":"{outcome}","output":"2\n"}}}}"#);
            let Some(Made::Result(result)) = of(&ran) else {
                panic!("no result");
            };
            assert_eq!((result.is_error, result.data), (is_error, ran));
            assert_eq!(result.content, [ResultPart::Text("2\n".to_owned())]);
        }
        let search =
            r#"{"toolCall":{"toolType":"GOOGLE_SEARCH_WEB","args":{"queries":["q"]},"id":"t"}}"#;
        assert!(matches!(of(search), Some(Made::Call(call))
            if call.name == "web-search" && call.input.as_deref() == Some(r#"{"queries":["q"]}"#)));
        let found = r#"{"toolResponse":{"toolType":"URL_CONTEXT","response":{"a":1},"id":"t"}}"#;
        assert!(matches!(of(found), Some(Made::Result(result))
            if result.name == "web-fetch" && result.call_id.as_deref() == Some("t") && !result.is_error));
        assert!(of(r#"{"brandNew":{}}"#).is_none());
    }
}
