//! The matrix of what goes into a question beside words: every kind of media and every tool that vendors run, to every
//! vendor. What a component says that it cannot is refused by name before anything is sent; everything else is answered,
//! or refused in the same way by model.
//!
//! The rules are judged here; the table that results is `docs/conversation-matrix.md`. `BLESS=1` writes it.

use std::fmt::Write as _;
use std::fs;

use multillm::chat::{
    ChatMessage, ChatRequest, ChatResponse, Json, MediaPart, Part, ResultPart, Role, ServerTool,
    ToolCall, ToolResult,
};
use multillm::plugin::wire::Support;
use multillm::{ErrorKind, MultiLlmService, Result};
use serde_json::json;

use crate::answers::{both_ways, weather};
use crate::stage::{PICTURE, Stage, root};
use crate::vendors::{LINES, Line, RESPONSES, admit_responses};

/// Something in a question, and the capability that it needs.
struct Row {
    name: &'static str,
    needs: &'static str,
    model: fn(&Line) -> String,
    request: ChatRequest,
}

fn chats(line: &Line) -> String {
    line.plugin.to_owned()
}

fn asking(part: MediaPart) -> ChatRequest {
    ChatRequest::new([ChatMessage::user("What is it?").with_media(part)])
}

fn bytes(media_type: &str, data: &'static [u8], name: &str) -> MediaPart {
    MediaPart {
        name: Some(name.to_owned()),
        ..MediaPart::of_type(media_type, data)
    }
}

fn address(media_type: &str, url: &str) -> MediaPart {
    MediaPart {
        media_type: Some(media_type.to_owned()),
        ..MediaPart::url(url)
    }
}

/// A result of a tool that holds this.
fn returned(part: MediaPart) -> ChatRequest {
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "get_weather".to_owned(),
        arguments: r#"{"city":"Oslo"}"#.to_owned(),
        local: true,
        ..ToolCall::default()
    };
    let result = ToolResult {
        content: vec![
            ResultPart::Text {
                text: "see".to_owned(),
            },
            ResultPart::Media(part),
        ],
        ..ToolResult::new(&call, "")
    };
    ChatRequest::new([
        ChatMessage::user("Look"),
        ChatMessage::new(Role::Assistant, vec![Part::ToolCall(call)]),
        ChatMessage::new(Role::Tool, vec![Part::ToolResult(result)]),
    ])
    .tool(weather())
}

fn server_tool(name: &str, options: Option<serde_json::Value>) -> ChatRequest {
    let mut request = ChatRequest::new([ChatMessage::user("Hello")]);
    request.server_tools.push(ServerTool {
        name: name.to_owned(),
        options: options.map(Json::from),
    });
    request
}

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
const WAV: &[u8] =
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0";
const MP4: &[u8] = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom";

fn rows() -> Vec<Row> {
    let row = |name, needs, request| Row {
        name,
        needs,
        model: chats,
        request,
    };
    let sees = |name, needs, request| Row {
        name,
        needs,
        model: Line::sees,
        request,
    };
    let picture = || bytes("image/png", &PICTURE, "a.png");
    vec![
        sees("picture", "image_file", asking(picture())),
        sees(
            "picture by address",
            "image_url",
            asking(address("image/png", "https://example.org/a.png")),
        ),
        sees(
            "picture in a tool's result",
            "image_file",
            returned(picture()),
        ),
        sees(
            "PDF",
            "document_file",
            asking(bytes("application/pdf", PDF, "a.pdf")),
        ),
        sees(
            "PDF by address",
            "document_url",
            asking(address("application/pdf", "https://example.org/a.pdf")),
        ),
        sees(
            "PDF in a tool's result",
            "document_file",
            returned(bytes("application/pdf", PDF, "a.pdf")),
        ),
        sees(
            "plain text as a file",
            "document_file",
            asking(bytes("text/plain", b"some words", "a.txt")),
        ),
        sees(
            "recording",
            "audio_file",
            asking(bytes("audio/wav", WAV, "a.wav")),
        ),
        sees(
            "film",
            "video_file",
            asking(bytes("video/mp4", MP4, "a.mp4")),
        ),
        row("web-search", "web_search", server_tool("web-search", None)),
        row("web-fetch", "web_fetch", server_tool("web-fetch", None)),
        row(
            "code-execution",
            "code_execution",
            server_tool("code-execution", None),
        ),
        row(
            "file-search",
            "file_search",
            server_tool("file-search", Some(json!({ "vector_store_ids": ["vs_1"] }))),
        ),
        row(
            "image-generation",
            "image_generation",
            server_tool("image-generation", None),
        ),
        row(
            "mcp",
            "mcp",
            server_tool(
                "mcp",
                Some(json!({ "name": "shop", "url": "https://mcp.example/sse" })),
            ),
        ),
    ]
}

/// What stands in the table for an outcome, and what is wrong with it.
async fn cell(
    stage: &Stage,
    service: &MultiLlmService,
    line: &Line,
    row: &Row,
) -> (String, Option<String>) {
    let plugin = service.plugin_of(line.plugin).await.unwrap();
    let capabilities = &plugin.info().capabilities;
    let support = capabilities.iter().find(|(name, _)| *name == row.needs);
    let support = support.map_or(Support::No, |(_, support)| *support);
    let before = stage.simulator.requests();
    let outcomes = both_ways(service, &row.request, &(row.model)(line)).await;
    let sent = stage.simulator.requests() - before;
    let shown = |outcome: &Result<ChatResponse>| match outcome {
        Ok(_) => "answered".to_owned(),
        Err(error) => error.kind.as_str().to_owned(),
    };
    let text = shown(&outcomes[0]);
    let place = format!("{} by {}", row.name, line.plugin);
    let wrong = match &outcomes {
        [whole, streamed] if shown(whole) != shown(streamed) => {
            Some("streamed otherwise than whole")
        }
        [Ok(_), _] if support == Support::No => Some("answered, and said to be impossible"),
        [Ok(_), _] => None,
        [Err(error), _] if error.kind != ErrorKind::Unsupported => {
            Some("neither answered nor unsupported")
        }
        [Err(error), _] if !names(&error.message, row) => Some("not refused by name"),
        [Err(_), _] if sent > 0 => Some("refused after it was sent"),
        _ => None,
    };
    (
        text,
        wrong.map(|what| format!("{place}: {what}: {outcomes:?}")),
    )
}

/// Whether a refusal says what it refuses.
fn names(message: &str, row: &Row) -> bool {
    let words: &[&str] = match row.needs {
        "image_file" | "image_url" => &["picture", "image"],
        "document_file" | "document_url" => &["document", "pdf", "text/plain", "file", "PDF"],
        "audio_file" => &["recording", "audio", "sound"],
        "video_file" => &["film", "video"],
        "image_generation" => &["image-generation", "output \"image\""],
        _ => &[row.name],
    };
    words.iter().any(|word| message.contains(word))
}

const HEAD: &str = "\
# What goes into a question, to every vendor

Made by the test `matrix` (`BLESS=1 cargo test -p multillm-tests matrix`), which also judges it. *answered*: it reached the vendor, whole and
streamed, and the answer came. *unsupported*: it is refused by name before anything is sent, as the component says of itself
([capabilities.md](capabilities.md)) or as the model asked here is known. `openai-responses` and `azure-responses` are the Responses API of
both; the others are asked by chat.

";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_goes_into_a_question_is_answered_or_refused_by_name() {
    let mut stage = Stage::new();
    admit_responses(&mut stage);
    stage.once();
    let service = stage.service();
    let lines: Vec<&Line> = LINES.iter().chain(&RESPONSES).collect();
    let plugins: Vec<&str> = lines.iter().map(|line| line.plugin).collect();
    let mut table = format!("{HEAD}| | {} |\n|---|", plugins.join(" | "));
    table.push_str(&"---|".repeat(lines.len()));
    table.push('\n');
    let mut wrong = vec![];
    for row in rows() {
        let mut cells = vec![];
        for line in &lines {
            let (text, fault) = cell(&stage, &service, line, &row).await;
            cells.push(text);
            wrong.extend(fault);
        }
        writeln!(table, "| {} | {} |", row.name, cells.join(" | ")).unwrap();
    }
    assert!(wrong.is_empty(), "{}\n{table}", wrong.join("\n"));
    let file = root().join("docs").join("conversation-matrix.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &table).unwrap();
    }
    let stands = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        stands, table,
        "docs/conversation-matrix.md is not true: BLESS=1 cargo test -p multillm-tests matrix"
    );
}
