//! What became of them: blocks of an answer.

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::outcome::MOST_CALLS;
use multillm_plugin_sdk::{
    Media, MediaSource, Opaque, ResultPart, ServerToolCall, ServerToolResult,
};

use super::unified;

/// A block of the vendor's own.
#[derive(Debug, PartialEq)]
pub(crate) enum Made {
    /// The model used a tool.
    Call(ServerToolCall),
    /// What a tool returned.
    Result(ServerToolResult),
    /// Anything else.
    Other(Opaque),
}

/// The names of the calls so far, by their ids: a result says less of what was called.
#[derive(Debug, Default)]
pub(crate) struct Calls(Vec<(String, String)>);

impl Calls {
    /// What a block of this kind is; `data` is the whole of it.
    pub(crate) fn made(&mut self, kind: &str, data: String) -> Made {
        let block = Json::parse(&data).unwrap_or_default();
        let id = |key| block.text(key).map(str::to_owned);
        match kind {
            "server_tool_use" | "mcp_tool_use" => {
                let name = match kind {
                    "mcp_tool_use" => "mcp",
                    _ => unified(block.text("name").unwrap_or(kind)),
                };
                if let Some(id) = id("id").filter(|_| self.0.len() < MOST_CALLS) {
                    self.0.push((id, name.to_owned()));
                }
                Made::Call(ServerToolCall {
                    id: id("id"),
                    name: name.to_owned(),
                    input: member(&data, "input").map(|input| input.get().to_owned()),
                    data,
                })
            }
            _ => match kind.strip_suffix("_tool_result") {
                None => Made::Other(Opaque {
                    kind: kind.to_owned(),
                    data,
                }),
                Some(of) => {
                    let call_id = id("tool_use_id");
                    let called = |known: &&(String, String)| Some(&known.0) == call_id.as_ref();
                    let name = self.0.iter().rev().find(called);
                    let name = name.map_or_else(|| unified(of), |(_, name)| name);
                    Made::Result(ServerToolResult {
                        name: name.to_owned(),
                        is_error: failed(&block),
                        content: shown(block.get("content")),
                        call_id,
                        data,
                    })
                }
            },
        }
    }
}

impl Made {
    /// Records it.
    pub(crate) fn tell(self, events: &mut Events) {
        match self {
            Made::Call(call) => events.server_tool_call(call),
            Made::Result(result) => events.server_tool_result(result),
            Made::Other(block) => events.opaque(block),
        }
    }
}

/// Errors are content of a type of their own, such as `web_search_tool_result_error`.
fn failed(block: &Json<'_>) -> bool {
    let kind = block.at(&["content", "type"]).and_then(Json::str);
    block.get("is_error") == Some(&Json::Bool(true))
        || kind.is_some_and(|kind| kind.ends_with("_error"))
}

/// What of a result a person can read: texts, titles with their addresses, what a program printed,
/// and the files that it made.
fn shown(content: Option<&Json<'_>>) -> Vec<ResultPart> {
    let mut parts = Vec::new();
    match content {
        Some(Json::Text(text)) if !text.is_empty() => {
            parts.push(ResultPart::Text(text.to_string()));
        }
        Some(Json::List(items)) => items.iter().for_each(|item| piece(item, &mut parts)),
        Some(item) => piece(item, &mut parts),
        None => {}
    }
    parts
}

fn piece(of: &Json<'_>, parts: &mut Vec<ResultPart>) {
    let lines = [
        "title",
        "url",
        "text",
        "stdout",
        "stderr",
        "tool_name",
        "error_code",
    ];
    let lines: Vec<&str> = lines.iter().filter_map(|key| of.text(key)).collect();
    if !lines.is_empty() {
        parts.push(ResultPart::Text(lines.join("\n")));
    }
    if let Some(id) = of.text("file_id") {
        let source = MediaSource::FileId(id.to_owned());
        parts.push(ResultPart::Media(Media::from_source(source, None)));
    }
    // What was fetched has its title within; its text is long, and the vendor's to keep.
    if let Some(title) = of.at(&["content", "title"]).and_then(Json::str) {
        parts.push(ResultPart::Text(title.to_owned()));
    }
    match of.get("content") {
        Some(Json::Text(text)) if !text.is_empty() => {
            parts.push(ResultPart::Text(text.to_string()));
        }
        Some(Json::List(items)) => items.iter().for_each(|item| piece(item, parts)),
        _ => {}
    }
    let references = of.get("tool_references").map_or(&[][..], Json::list);
    references.iter().for_each(|item| piece(item, parts));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(calls: &mut Calls, kind: &str, data: &str) -> (String, bool, String) {
        let Made::Result(result) = calls.made(kind, data.to_owned()) else {
            panic!("{kind} is no result");
        };
        assert_eq!(result.data, data);
        let shown: Vec<String> = result
            .content
            .iter()
            .map(|part| match part {
                ResultPart::Text(text) => text.clone(),
                ResultPart::Media(media) => format!("{:?}", media.source),
                ResultPart::Opaque(block) => block.kind.clone(),
            })
            .collect();
        (result.name, result.is_error, shown.join(" | "))
    }

    #[test]
    fn calls_have_unified_names_and_results_those_of_their_calls() {
        let mut calls = Calls::default();
        let data = r#"{"type":"server_tool_use","id":"s1","name":"bash_code_execution","input":{"command": "ls"}}"#;
        let Made::Call(call) = calls.made("server_tool_use", data.to_owned()) else {
            panic!("no call");
        };
        assert_eq!(
            (call.id.as_deref(), call.name.as_str()),
            (Some("s1"), "code-execution")
        );
        assert_eq!(call.input.as_deref(), Some(r#"{"command": "ls"}"#));
        assert_eq!(call.data, data);
        let ran = r#"{"type":"bash_code_execution_tool_result","tool_use_id":"s1","content":{"type":"bash_code_execution_result","stdout":"a\n","stderr":"","return_code":0,"content":[{"type":"bash_code_execution_output","file_id":"file_1"}]}}"#;
        assert_eq!(
            result(&mut calls, "bash_code_execution_tool_result", ran),
            (
                "code-execution".to_owned(),
                false,
                r#"a
 | MediaSource::FileId("file_1")"#
                    .to_owned()
            )
        );
        let shop =
            r#"{"type":"mcp_tool_use","id":"m1","name":"buy","server_name":"shop","input":{}}"#;
        assert!(
            matches!(calls.made("mcp_tool_use", shop.to_owned()), Made::Call(call) if call.name == "mcp")
        );
        let bought = r#"{"type":"mcp_tool_result","tool_use_id":"m1","is_error":true,"content":[{"type":"text","text":"sold out"}]}"#;
        assert_eq!(
            result(&mut calls, "mcp_tool_result", bought),
            ("mcp".to_owned(), true, "sold out".to_owned())
        );
        let regex =
            r#"{"type":"server_tool_use","id":"r","name":"tool_search_tool_regex","input":{}}"#;
        calls.made("server_tool_use", regex.to_owned());
        let found = r#"{"type":"tool_search_tool_result","tool_use_id":"r","content":{"type":"tool_search_tool_search_result","tool_references":[{"type":"tool_reference","tool_name":"look"}]}}"#;
        assert_eq!(
            result(&mut calls, "tool_search_tool_result", found),
            (
                "tool_search_tool_regex".to_owned(),
                false,
                "look".to_owned()
            )
        );
    }

    #[test]
    fn results_show_what_can_be_read() {
        let mut calls = Calls::default();
        for (kind, content, is_error, shown) in [
            (
                "web_search_tool_result",
                r#"[{"type":"web_search_result","title":"T","url":"https://e.org","encrypted_content":"E"},{"type":"web_search_result","title":"U","url":"https://f.org"}]"#,
                false,
                "T\nhttps://e.org | U\nhttps://f.org",
            ),
            (
                "web_search_tool_result",
                r#"{"type":"web_search_tool_result_error","error_code":"max_uses_exceeded"}"#,
                true,
                "max_uses_exceeded",
            ),
            (
                "web_fetch_tool_result",
                r#"{"type":"web_fetch_result","url":"https://e.org","content":{"type":"document","source":{"type":"text","data":"long"},"title":"T"}}"#,
                false,
                "https://e.org | T",
            ),
            (
                "advisor_tool_result",
                r#"{"type":"advisor_result","text":"do"}"#,
                false,
                "do",
            ),
        ] {
            let data = format!(r#"{{"type":"{kind}","tool_use_id":"x","content":{content}}}"#);
            let name = unified(kind.strip_suffix("_tool_result").unwrap()).to_owned();
            assert_eq!(
                result(&mut calls, kind, &data),
                (name, is_error, shown.to_owned())
            );
        }
        let odd = r#"{"type":"compaction","content":"In short"}"#;
        let Made::Other(block) = calls.made("compaction", odd.to_owned()) else {
            panic!("no block");
        };
        assert_eq!(
            (block.kind.as_str(), block.data.as_str()),
            ("compaction", odd)
        );
    }
}
