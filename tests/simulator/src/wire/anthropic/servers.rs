//! Tools that Anthropic runs: what must be asked beside them, what an answer shows of them, and whether that
//! comes back unchanged. <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference>

use serde_json::{Value, json};

use crate::answer::{Answer, PAGE, PROGRAM};
use crate::seal;
use crate::server::http1::Request;
use crate::shape::{Field, Shape, field, required};
use crate::wire::{items_of, text_of};

use super::Trouble;

/// The beginnings of ids.
const USE: &str = "srvtoolu_";
const CONTAINER: &str = "container_";
/// What encrypted texts are made over.
const FOUND: &str = "anthropic-search";
const CITED: &str = "anthropic-citation";

const CACHE: Shape = Shape::Open;
static SEARCH: &[Field] = &[
    required("name", Shape::OneOf(&["web_search"])),
    field("max_uses", Shape::Whole(1, i64::MAX)),
    field("allowed_domains", Shape::List(&Shape::Text)),
    field("blocked_domains", Shape::List(&Shape::Text)),
    field("user_location", Shape::Open),
    field("cache_control", CACHE),
];
static FETCH: &[Field] = &[
    required("name", Shape::OneOf(&["web_fetch"])),
    field("max_uses", Shape::Whole(1, i64::MAX)),
    field("allowed_domains", Shape::List(&Shape::Text)),
    field("blocked_domains", Shape::List(&Shape::Text)),
    field("citations", Shape::Open),
    field("max_content_tokens", Shape::Whole(1, i64::MAX)),
    field("cache_control", CACHE),
];
static CODE: &[Field] = &[
    required("name", Shape::OneOf(&["code_execution"])),
    field("cache_control", CACHE),
];
static TOOLSET: &[Field] = &[
    required("mcp_server_name", Shape::Text),
    field("default_config", Shape::Open),
    field("configs", Shape::Open),
    field("cache_control", CACHE),
];

/// A tool of the vendor's in `tools`.
pub(super) static TOOL: Shape = Shape::Tagged(
    "type",
    &[
        ("web_search_20250305", SEARCH),
        ("web_fetch_20250910", FETCH),
        ("code_execution_20250825", CODE),
        ("mcp_toolset", TOOLSET),
    ],
);

/// What each version needs in the `anthropic-beta` header.
const BETAS: [(&str, &str); 3] = [
    ("web_fetch_20250910", "web-fetch-2025-09-10"),
    ("code_execution_20250825", "code-execution-2025-08-25"),
    ("mcp_toolset", "mcp-client-2025-11-20"),
];

fn refuse<T>(message: impl Into<String>) -> Result<T, Trouble> {
    Err(Trouble::invalid(message))
}

/// Whether a tool is one that the vendor runs.
pub(super) fn is_own(tool: &Value) -> bool {
    !matches!(text_of(tool, "type"), "" | "custom")
}

/// The unified names of the tools that are offered.
pub(super) fn offered(body: &Value) -> Vec<&'static str> {
    let types = items_of(body, "tools")
        .iter()
        .map(|tool| text_of(tool, "type"));
    types
        .filter_map(|kind| match kind.rsplit_once('_')?.0 {
            "web_search" => Some("web-search"),
            "code_execution" => Some("code-execution"),
            _ => None,
        })
        .collect()
}

/// What the tools need beside them: betas, servers with the sets of their tools, a container that exists.
pub(super) fn check(body: &Value, request: &Request) -> Result<(), Trouble> {
    let betas = request.header("anthropic-beta").unwrap_or_default();
    let has = |beta: &str| betas.split(',').any(|known| known.trim() == beta);
    for (index, tool) in items_of(body, "tools").iter().enumerate() {
        let kind = text_of(tool, "type");
        let needed = BETAS.iter().find(|(version, _)| *version == kind);
        if needed.is_some_and(|(_, beta)| !has(beta)) {
            return refuse(format!(
                "tools.{index}: Input tag '{kind}' found using 'type' does not match any of the expected tags: 'bash_20250124', 'custom', 'text_editor_20250728', 'web_search_20250305'"
            ));
        }
    }
    if body.get("context_management").is_some() && !has("context-management-2025-06-27") {
        return refuse("context_management: Extra inputs are not permitted");
    }
    let edits = body
        .get("context_management")
        .map(|it| items_of(it, "edits"));
    for (at, edit) in edits.unwrap_or_default().iter().enumerate() {
        if text_of(edit, "type").is_empty() {
            return refuse(format!(
                "context_management.edits.{at}.type: Field required"
            ));
        }
    }
    let servers = items_of(body, "mcp_servers");
    if !servers.is_empty() && !has("mcp-client-2025-11-20") {
        return refuse("mcp_servers: Extra inputs are not permitted");
    }
    let sets = items_of(body, "tools").iter();
    let sets: Vec<&str> = sets
        .filter(|tool| text_of(tool, "type") == "mcp_toolset")
        .map(|tool| text_of(tool, "mcp_server_name"))
        .collect();
    let names: Vec<&str> = servers
        .iter()
        .map(|server| text_of(server, "name"))
        .collect();
    if let Some(lone) = names.iter().find(|name| !sets.contains(name)) {
        return refuse(format!(
            "MCP server '{lone}' is not referenced by any mcp_toolset"
        ));
    }
    if let Some(lone) = sets.iter().find(|name| !names.contains(name)) {
        return refuse(format!(
            "mcp_toolset references unknown MCP server '{lone}'"
        ));
    }
    match body.get("container").and_then(Value::as_str) {
        Some(id) if !seal::issued(CONTAINER, id) => refuse(format!("container: {id} not found")),
        _ => Ok(()),
    }
}

/// The uses of an answer as blocks: a call and its result each.
pub(super) fn blocks(answer: &Answer) -> Vec<Value> {
    let uses = answer.used.iter().enumerate();
    uses.flat_map(|(index, name)| {
        let id = seal::id(USE, answer.seed, index);
        match *name {
            "web-search" => {
                let (url, title) = PAGE;
                let found = json!({"type": "web_search_result", "title": title, "url": url,
                    "encrypted_content": seal::sign(FOUND, url), "page_age": "2 days ago"});
                [
                    json!({"type": "server_tool_use", "id": id, "name": "web_search", "input": {"query": answer.asked}}),
                    json!({"type": "web_search_tool_result", "tool_use_id": id, "content": [found]}),
                ]
            }
            _ => {
                let (program, output) = PROGRAM;
                let ran = json!({"type": "bash_code_execution_result", "stdout": output, "stderr": "",
                    "return_code": 0, "content": []});
                [
                    json!({"type": "server_tool_use", "id": id, "name": "bash_code_execution", "input": {"command": program}}),
                    json!({"type": "bash_code_execution_tool_result", "tool_use_id": id, "content": ran}),
                ]
            }
        }
    })
    .collect()
}

/// The citation of what was found.
pub(super) fn citation() -> Value {
    let (url, title) = PAGE;
    json!({"type": "web_search_result_location", "cited_text": "what it says", "url": url, "title": title,
        "encrypted_index": seal::sign(CITED, url)})
}

/// The container that programs ran in: the one that was asked for, or a new one.
pub(super) fn container(answer: &Answer, asked: Option<&str>) -> Option<Value> {
    let ran = answer.used.contains(&"code-execution");
    let id = asked.map_or_else(|| seal::id(CONTAINER, answer.seed, 0), str::to_owned);
    ran.then(|| json!({"id": id, "expires_at": "2026-12-01T00:00:00Z"}))
}

/// Whether blocks of uses come back as they were made.
pub(super) fn returned(block: &Value, open: &mut Vec<String>, place: &str) -> Result<(), Trouble> {
    match text_of(block, "type") {
        "server_tool_use" => {
            let id = text_of(block, "id");
            if !seal::issued(USE, id) {
                return refuse(format!(
                    "{place}.server_tool_use.id: String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'"
                ));
            }
            open.push(id.to_owned());
            Ok(())
        }
        _ => {
            let id = text_of(block, "tool_use_id");
            let Some(at) = open.iter().position(|known| known == id) else {
                return refuse(format!(
                    "{place}: unexpected `tool_use_id` found in `{}` blocks: {id}",
                    text_of(block, "type")
                ));
            };
            open.remove(at);
            let stale = |found: &&Value| {
                let (url, encrypted) = (text_of(found, "url"), text_of(found, "encrypted_content"));
                !seal::verify(FOUND, url, encrypted)
            };
            match items_of(block, "content").iter().find(stale) {
                Some(_) => refuse(format!(
                    "{place}: Invalid `encrypted_content` in `search_result` block"
                )),
                None => Ok(()),
            }
        }
    }
}

/// Whether the citations of a text come back as they were made.
pub(super) fn cites_truly(block: &Value, place: &str) -> Result<(), Trouble> {
    let untrue = |citation: &&Value| {
        text_of(citation, "type") == "web_search_result_location"
            && !seal::verify(
                CITED,
                text_of(citation, "url"),
                text_of(citation, "encrypted_index"),
            )
    };
    match items_of(block, "citations").iter().find(untrue) {
        Some(_) => refuse(format!("{place}: Invalid `encrypted_index` in citation")),
        None => Ok(()),
    }
}
