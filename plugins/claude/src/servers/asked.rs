//! Asking for them.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::{Error, ServerTool};

use crate::tree::Tree;

/// What a request says of them.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    /// In `tools`.
    pub(crate) tools: Vec<Tree<'a>>,
    /// In `mcp_servers`.
    pub(crate) servers: Vec<Tree<'a>>,
    /// For the `anthropic-beta` header.
    pub(crate) betas: Vec<&'static str>,
    /// One of them runs programs.
    pub(crate) runs_code: bool,
}

/// The version of each tool that every model of today takes, by the unified name and by the
/// vendor's own without its date. Another one is an option: `{"type":"web_search_20260209"}`.
/// <https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference>
const VERSIONS: [(&str, &str); 12] = [
    ("web-search", "web_search_20250305"),
    ("web_search", "web_search_20250305"),
    ("web-fetch", "web_fetch_20250910"),
    ("web_fetch", "web_fetch_20250910"),
    ("code-execution", "code_execution_20250825"),
    ("code_execution", "code_execution_20250825"),
    ("bash", "bash_20250124"),
    ("text_editor", "text_editor_20250728"),
    ("computer", "computer_20251124"),
    ("memory", "memory_20250818"),
    ("tool_search_tool_regex", "tool_search_tool_regex_20251119"),
    ("tool_search_tool_bm25", "tool_search_tool_bm25_20251119"),
];

/// What a version needs in the `anthropic-beta` header, by its beginning; the others need nothing.
const BETAS: [(&str, &str); 11] = [
    ("code_execution_20250522", "code-execution-2025-05-22"),
    ("code_execution_20250825", "code-execution-2025-08-25"),
    ("web_fetch_20250910", "web-fetch-2025-09-10"),
    ("computer_20241022", "computer-use-2024-10-22"),
    ("computer_20250124", "computer-use-2025-01-24"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("memory_20250818", "context-management-2025-06-27"),
    ("tool_search_tool_", "advanced-tool-use-2025-11-20"),
    ("advisor_2026", "advisor-tool-2026-03-01"),
    ("mcp_toolset", MCP),
    ("browser_2026", "computer-use-2025-11-24"),
];

const MCP: &str = "mcp-client-2025-11-20";

impl<'a> Asked<'a> {
    /// What these tools become. Their options are merged last into them.
    ///
    /// # Errors
    ///
    /// `unsupported` for what the vendor does not run, `invalid-request` for options that do not fit.
    pub(crate) fn of(tools: &'a [ServerTool], leaving: &mut Leaving) -> Result<Self, Error> {
        let mut asked = Asked::default();
        for tool in tools {
            let added = asked.add(tool);
            leaving.or_else(&tool.name, added, || Ok(()))?;
        }
        Ok(asked)
    }

    fn add(&mut self, tool: &'a ServerTool) -> Result<(), Error> {
        let name = tool.name.as_str();
        if matches!(name, "file-search" | "image-generation") {
            return Err(Error::unsupported(format!(
                "claude runs no {name:?}: leave it out of the server tools"
            )));
        }
        let what = format!("the server tool {name:?}");
        let options = match tool.options.as_deref().map_or("", str::trim) {
            "" => Json::object([]),
            text => match Json::parse(text) {
                Ok(options @ Json::Object(_)) => options,
                _ => {
                    return Err(Error::invalid_request(format!(
                        "the options of {what} are no JSON object"
                    )));
                }
            },
        };
        if name == "mcp" {
            return self.server(&what, options);
        }
        let known = VERSIONS.iter().find(|(word, _)| *word == name);
        let version = known.map_or(name, |(_, version)| *version);
        let chosen = options.text("type").unwrap_or(version).to_owned();
        self.runs_code |= runs_code(&chosen);
        self.beta(&chosen);
        let tool = Tree::object([
            ("type", version.into()),
            ("name", fixed_name(&chosen).to_owned().into()),
        ]);
        self.tools.push(
            tool.with_tails(
                [options]
                    .into_iter()
                    .filter(|tail| *tail != Json::object([])),
            ),
        );
        Ok(())
    }

    /// An MCP server: what belongs to its tools goes to `tools`, the rest says where it is.
    fn server(&mut self, what: &str, options: Json<'a>) -> Result<(), Error> {
        const OF_TOOLS: [&str; 3] = ["default_config", "configs", "cache_control"];
        let Some(url) = options.text("url").map(str::to_owned) else {
            return Err(Error::invalid_request(format!(
                "{what} needs the server's address: add \"url\" to its options"
            )));
        };
        let name = options.text("name").unwrap_or("mcp").to_owned();
        let rest = options.beside(&OF_TOOLS);
        let of_tools = match options {
            Json::Object(mut members) => {
                members.retain(|(key, _)| OF_TOOLS.contains(&&**key));
                Json::Object(members)
            }
            other => other,
        };
        let server = Tree::object([
            ("type", "url".into()),
            ("url", url.into()),
            ("name", name.clone().into()),
        ]);
        self.servers.push(server.with_tails(rest));
        let toolset = Tree::object([
            ("type", "mcp_toolset".into()),
            ("mcp_server_name", name.into()),
        ]);
        let of_tools = Some(of_tools).filter(|tail| *tail != Json::object([]));
        self.tools.push(toolset.with_tails(of_tools));
        self.beta("mcp_toolset");
        Ok(())
    }

    fn beta(&mut self, version: &str) {
        let known = BETAS.iter().find(|(begin, _)| version.starts_with(begin));
        self.betas.extend(known.map(|(_, beta)| *beta));
    }
}

/// Whether a version runs programs: later searches and fetches filter what they find by one.
fn runs_code(version: &str) -> bool {
    let later = |tool| {
        version
            .strip_prefix(tool)
            .is_some_and(|date| date >= "2026")
    };
    version.starts_with("code_execution_") || later("web_search_") || later("web_fetch_")
}

/// Whether one of the tools runs programs that the caller adds by hand.
pub(crate) fn own_tools_run_code(extra: &Json<'_>) -> bool {
    let tools = extra.get("tools").map_or(&[][..], Json::list).iter();
    tools.filter_map(|tool| tool.text("type")).any(runs_code)
}

/// The name that the vendor wants beside a version.
fn fixed_name(version: &str) -> &str {
    match version {
        "text_editor_20250124" => "str_replace_editor",
        _ if version.starts_with("text_editor_") => "str_replace_based_edit_tool",
        _ => match version.rsplit_once('_') {
            Some((name, date)) if date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()) => {
                name
            }
            _ => version,
        },
    }
}

/// What the caller's own members of the body need in the `anthropic-beta` header.
pub(crate) fn betas_of(extra: &Json<'_>) -> Vec<&'static str> {
    let mut betas = Vec::new();
    let tools = extra.get("tools").map_or(&[][..], Json::list).iter();
    let versions = tools.filter_map(|tool| tool.text("type"));
    for version in versions {
        let known = BETAS.iter().find(|(begin, _)| version.starts_with(begin));
        betas.extend(known.map(|(_, beta)| *beta));
    }
    if extra.get("mcp_servers").is_some() {
        betas.push(MCP);
    }
    let edits = extra.at(&["context_management", "edits"]);
    for edit in edits.map_or(&[][..], Json::list) {
        betas.push(match edit.text("type") {
            Some(kind) if kind.starts_with("compact_") => "compact-2026-01-12",
            _ => "context-management-2025-06-27",
        });
    }
    if extra.at(&["container", "skills"]).is_some() {
        betas.push("skills-2025-10-02");
    }
    if extra.at(&["output_config", "task_budget"]).is_some() {
        betas.push("task-budgets-2026-03-13");
    }
    betas
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm_plugin_sdk::ErrorKind;

    fn tool(name: &str, options: &str) -> ServerTool {
        ServerTool {
            name: name.to_owned(),
            options: Some(options.to_owned()).filter(|text| !text.is_empty()),
        }
    }

    fn said(tools: &[ServerTool]) -> (String, String, Vec<&'static str>) {
        let Asked {
            tools,
            servers,
            betas,
            ..
        } = Asked::of(tools, &mut Leaving::default()).unwrap();
        let text = |trees: Vec<Tree<'_>>| serde_json::to_string(&Tree::List(trees)).unwrap();
        (text(tools), text(servers), betas)
    }

    #[test]
    fn unified_names_become_versions_with_their_betas() {
        let (tools, servers, betas) = said(&[
            tool(
                "web-search",
                r#"{"max_uses":3,"user_location":{"type":"approximate","city":"Bern"}}"#,
            ),
            tool("web-fetch", ""),
            tool("code-execution", "{}"),
        ]);
        assert_eq!(
            tools,
            r#"[{"type":"web_search_20250305","name":"web_search","max_uses":3,"user_location":{"type":"approximate","city":"Bern"}},{"type":"web_fetch_20250910","name":"web_fetch"},{"type":"code_execution_20250825","name":"code_execution"}]"#
        );
        assert_eq!(servers, "[]");
        assert_eq!(betas, ["web-fetch-2025-09-10", "code-execution-2025-08-25"]);
    }

    #[test]
    fn an_option_chooses_another_version() {
        let (tools, _, betas) = said(&[
            tool("web-search", r#"{"type":"web_search_20260209"}"#),
            tool("text_editor_20250124", ""),
            tool("text_editor", ""),
            tool(
                "computer",
                r#"{"display_width_px":10,"display_height_px":20}"#,
            ),
            tool("tool_search_tool_bm25", ""),
            tool("brand_new", ""),
        ]);
        assert_eq!(
            tools,
            r#"[{"type":"web_search_20260209","name":"web_search"},{"type":"text_editor_20250124","name":"str_replace_editor"},{"type":"text_editor_20250728","name":"str_replace_based_edit_tool"},{"type":"computer_20251124","name":"computer","display_width_px":10,"display_height_px":20},{"type":"tool_search_tool_bm25_20251119","name":"tool_search_tool_bm25"},{"type":"brand_new","name":"brand_new"}]"#
        );
        assert_eq!(
            betas,
            ["computer-use-2025-11-24", "advanced-tool-use-2025-11-20"]
        );
    }

    #[test]
    fn what_runs_programs_is_known() {
        let of = |name: &str, options: &str| {
            let tool = tool(name, options);
            Asked::of(std::slice::from_ref(&tool), &mut Leaving::default())
                .unwrap()
                .runs_code
        };
        assert!(of("code-execution", "") && of("web-search", r#"{"type":"web_search_20260209"}"#));
        assert!(!of("web-search", "") && !of("bash", ""));
        let by_hand = |tools: &str| own_tools_run_code(&Json::parse(tools).unwrap());
        assert!(by_hand(
            r#"{"tools":[{"name":"f"},{"type":"code_execution_20250825"}]}"#
        ));
        assert!(!by_hand(r#"{"tools":[{"name":"f"}]}"#) && !by_hand("{}"));
    }

    #[test]
    fn a_server_of_tools_is_told_twice() {
        let options = r#"{"url":"https://mcp.example","name":"shop","authorization_token":"t","configs":{"buy":{"enabled":false}}}"#;
        let (tools, servers, betas) = said(&[tool("mcp", options)]);
        assert_eq!(
            tools,
            r#"[{"type":"mcp_toolset","mcp_server_name":"shop","configs":{"buy":{"enabled":false}}}]"#
        );
        assert_eq!(
            servers,
            r#"[{"type":"url","url":"https://mcp.example","name":"shop","authorization_token":"t"}]"#
        );
        assert_eq!(betas, ["mcp-client-2025-11-20"]);
    }

    #[test]
    fn what_is_not_run_or_does_not_fit_is_refused_by_name() {
        for (asked, kind, word) in [
            (
                tool("file-search", ""),
                ErrorKind::Unsupported,
                "file-search",
            ),
            (
                tool("image-generation", ""),
                ErrorKind::Unsupported,
                "image-generation",
            ),
            (
                tool("web-search", "[1]"),
                ErrorKind::InvalidRequest,
                "web-search",
            ),
            (tool("mcp", "{}"), ErrorKind::InvalidRequest, "url"),
        ] {
            let error =
                Asked::of(std::slice::from_ref(&asked), &mut Leaving::default()).unwrap_err();
            assert_eq!(error.kind, kind);
            assert!(error.message.contains(word), "{}", error.message);
        }
    }

    #[test]
    fn what_the_caller_adds_by_hand_gets_its_betas() {
        let of = |extra: &str| betas_of(&Json::parse(extra).unwrap());
        assert_eq!(
            of(
                r#"{"tools":[{"type":"memory_20250818","name":"memory"},{"name":"f"}],"mcp_servers":[{}]}"#
            ),
            ["context-management-2025-06-27", "mcp-client-2025-11-20"]
        );
        assert_eq!(
            of(
                r#"{"context_management":{"edits":[{"type":"compact_20260112"},{"type":"clear_tool_uses_20250919"}]},"container":{"skills":[]}}"#
            ),
            [
                "compact-2026-01-12",
                "context-management-2025-06-27",
                "skills-2025-10-02"
            ]
        );
        assert!(of(r#"{"container":"c","tools":null}"#).is_empty());
    }
}
