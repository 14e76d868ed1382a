//! Tools that the vendor runs: asked for by arguments, and what of them is told while an answer comes.

use multillm::chat::{
    ChatRequest, Json, Part, ResultPart, ServerTool, ServerToolCall, ServerToolResult,
};
use serde_json::Value;

use super::{Context, Failure, foreign};

/// The unified names.
pub(super) const NAMES: [&str; 6] = [
    "web-search",
    "web-fetch",
    "code-execution",
    "file-search",
    "image-generation",
    "mcp",
];
/// The most of a call or a result that is told, in characters.
const SHOWN: usize = 100;

/// Arguments that ask for them.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ServerTools {
    /// Let the vendor search the web: the same as --server-tool web-search
    #[arg(long)]
    web_search: bool,
    /// A tool that the vendor runs: web-search, web-fetch, code-execution, file-search, image-generation, mcp or the vendor's own, with its options. May be repeated
    #[arg(long, value_name = "NAME[=JSON]")]
    server_tool: Vec<String>,
}

impl ServerTools {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        !self.web_search && self.server_tool.is_empty()
    }

    /// Whether one of this name is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        let all = self.all().unwrap_or_default();
        all.iter().any(|tool| tool.name == name)
    }

    /// Refuses what cannot be read.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.all().map(drop)
    }

    /// Asks for them. One that is there already is asked for as these say.
    pub(super) fn add_to(&self, request: &mut ChatRequest) -> Result<(), Failure> {
        for tool in self.all()? {
            put(&mut request.server_tools, tool);
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<ServerTool>, Failure> {
        let search = self.web_search.then_some("web-search");
        let named = self.server_tool.iter().map(String::as_str);
        let mut all = vec![];
        for text in search.into_iter().chain(named) {
            let tool =
                one(text).map_err(|fault| Failure::Usage(format!("--server-tool {fault}")))?;
            put(&mut all, tool);
        }
        Ok(all)
    }
}

/// Adds a tool. A vendor has several MCP servers, and else one tool of a name.
pub(super) fn put(tools: &mut Vec<ServerTool>, tool: ServerTool) {
    let same = |there: &&mut ServerTool| there.name == tool.name && tool.name != "mcp";
    match tools.iter_mut().find(same) {
        Some(there) => *there = tool,
        None => tools.push(tool),
    }
}

/// Reads `NAME` or `NAME=JSON`.
///
/// # Errors
///
/// What is wrong with it, the name first.
pub(super) fn one(text: &str) -> Result<ServerTool, String> {
    let (name, options) = match text.split_once('=') {
        Some((name, options)) => (name.trim(), Some(options)),
        None => (text.trim(), None),
    };
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !is_name {
        return Err(format!("{text:?}: write NAME or NAME=JSON"));
    }
    let options = options.map(|options| match Json::parse(options) {
        Ok(json) if json.is_object() => Ok(json),
        Ok(_) => Err(format!("{name}: its options are no JSON object")),
        Err(error) => Err(format!("{name}: its options are no JSON: {error}")),
    });
    // `web_search` is meant as `web-search`.
    let dashed = name.to_ascii_lowercase().replace('_', "-");
    let unified = NAMES.into_iter().find(|known| *known == dashed);
    Ok(ServerTool {
        name: unified.unwrap_or(name).to_owned(),
        options: options.transpose()?,
    })
}

/// What a call asks for, on one line.
pub(super) fn call(call: &ServerToolCall) -> String {
    let input = call.input.as_deref().unwrap_or_default();
    let told = serde_json::from_str::<Value>(input).ok();
    let words = told.as_ref().and_then(wanted);
    let words = words.unwrap_or_else(|| match input.trim() {
        "" | "{}" => String::new(),
        input => input.to_owned(),
    });
    told_of(&call.name, &words)
}

/// What of an input says the most to a person.
fn wanted(input: &Value) -> Option<String> {
    const TELLING: [&str; 8] = [
        "query", "queries", "url", "urls", "code", "command", "prompt", "action",
    ];
    let value = TELLING.iter().find_map(|name| input.get(name))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            let texts = list.iter().filter_map(Value::as_str);
            Some(texts.collect::<Vec<_>>().join("; "))
        }
        Value::Object(_) => wanted(value),
        _ => None,
    }
}

/// What came of it, on one line.
pub(super) fn result(result: &ServerToolResult) -> String {
    let texts = result.content.iter().filter_map(|part| match part {
        ResultPart::Text { text } => text.lines().find(|line| !line.trim().is_empty()),
        ResultPart::Media(_) | ResultPart::Opaque(_) => None,
    });
    let texts: Vec<&str> = texts.collect();
    let words = match (result.is_error, texts.as_slice()) {
        (true, []) => "failed".to_owned(),
        (true, [first, ..]) => format!("failed: {first}"),
        (false, []) => "done".to_owned(),
        (false, [one]) => (*one).to_owned(),
        (false, [first, rest @ ..]) => format!("{first} and {} more", rest.len()),
    };
    told_of(&format!("{} →", result.name), &words)
}

fn told_of(name: &str, words: &str) -> String {
    let line = match words.is_empty() {
        true => name.to_owned(),
        false => format!("{name} {words}"),
    };
    let line = foreign::line(&line);
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

/// Tells what a part says of such tools, if it does.
pub(super) fn tell(part: &Part, context: &Context) {
    let line = match part {
        Part::ServerToolCall(made) => call(made),
        Part::ServerToolResult(made) => result(made),
        _ => return,
    };
    context.printer.dim_note(&line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_a_name_and_perhaps_options() {
        let tool = one("web_search").unwrap();
        assert_eq!((tool.name.as_str(), tool.options), ("web-search", None));
        let tool = one(r#"mcp={"url":"https://h/mcp","z":1,"a":1.50}"#).unwrap();
        assert_eq!(
            tool.options.unwrap().as_str(),
            r#"{"url":"https://h/mcp","z":1,"a":1.50}"#
        );
        assert_eq!(one("googleMaps").unwrap().name, "googleMaps");
        for (text, fault) in [
            ("", "write NAME or NAME=JSON"),
            ("a b", "write NAME or NAME=JSON"),
            ("web-search=3", "web-search: its options are no JSON object"),
            ("web-search={", "web-search: its options are no JSON: "),
        ] {
            let told = one(text).unwrap_err();
            assert!(told.contains(fault), "{text}: {told}");
        }
    }

    #[test]
    fn a_tool_is_asked_for_once_and_servers_as_often_as_named() {
        let args = ServerTools {
            web_search: true,
            server_tool: vec![
                r#"web-search={"max_uses":2}"#.into(),
                r#"mcp={"name":"a"}"#.into(),
                r#"mcp={"name":"b"}"#.into(),
            ],
        };
        let Ok(all) = args.all() else {
            panic!("they cannot be read");
        };
        let names: Vec<&str> = all.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["web-search", "mcp", "mcp"]);
        assert_eq!(
            all[0].options.as_ref().unwrap().as_str(),
            r#"{"max_uses":2}"#
        );
    }

    #[test]
    fn calls_and_results_are_told_on_one_line() {
        let made = |input: &str| {
            call(&ServerToolCall {
                name: "web-search".to_owned(),
                input: Some(input.to_owned()),
                ..ServerToolCall::default()
            })
        };
        assert_eq!(made(r#"{"query":"rust\n1.90"}"#), "web-search rust 1.90");
        assert_eq!(
            made(r#"{"action":{"type":"search","query":"a"}}"#),
            "web-search a"
        );
        assert_eq!(made(r#"{"queries":["a","b"]}"#), "web-search a; b");
        assert_eq!(made("{}"), "web-search");
        assert_eq!(made(r#"{"x":1}"#), r#"web-search {"x":1}"#);
        assert_eq!(
            made(&format!(r#"{{"query":"{}"}}"#, "y".repeat(500)))
                .chars()
                .count(),
            101
        );
        let came = |is_error, texts: &[&str]| {
            result(&ServerToolResult {
                name: "code-execution".to_owned(),
                is_error,
                content: texts
                    .iter()
                    .map(|text| ResultPart::Text {
                        text: (*text).to_owned(),
                    })
                    .collect(),
                ..ServerToolResult::default()
            })
        };
        assert_eq!(came(false, &[]), "code-execution → done");
        assert_eq!(came(false, &["\n2\n3"]), "code-execution → 2");
        assert_eq!(came(false, &["a\nb", "c"]), "code-execution → a and 1 more");
        assert!(!came(true, &["no\u{1b}[2J"]).contains('\u{1b}'));
    }
}
