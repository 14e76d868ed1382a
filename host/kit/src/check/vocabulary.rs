//! What a caller can say: requests that hold words nobody else uses, so that they are found again.

use multillm::chat::{
    ChatMessage, ChatRequest, Json, JsonObject, MediaPart, Part, ReasoningEffort, ResponseFormat,
    ResultPart, Role, Tool, ToolCall, ToolChoice, ToolResult,
};

/// A schema whose keys are in no order that a program would make, with digits that a float loses.
pub(super) const SCHEMA: &str = r#"{"type":"object","properties":{"zebra":{"type":"string","description":"kit-ż-zebra"},"apple":{"type":"integer","maximum":12345678901234567890},"mango":{"type":"number","minimum":0.10}},"required":["zebra","apple"],"additionalProperties":false}"#;

/// The keys of [`SCHEMA`], as they stand in it.
pub(super) const ORDER: [&str; 3] = ["zebra", "apple", "mango"];

/// A picture's first bytes; nobody looks further.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDRkit";

/// Words with blanks at their ends, lines, and characters of several planes.
pub(super) fn words(of: &str) -> String {
    format!("  kit {of} — žluťoučký 水 🦀 \"quoted\" \\ back\n\tsecond line of {of}  ")
}

/// A plain question.
pub(super) fn plain() -> ChatRequest {
    ChatRequest::new([ChatMessage::user("kit asks")]).max_tokens(64)
}

/// A conversation: instructions, a turn of each, a question.
pub(super) fn conversation() -> (ChatRequest, Vec<String>) {
    let said: Vec<String> = ["instructions", "first", "answer", "second"]
        .map(words)
        .to_vec();
    let [system, first, answer, second] = said.as_slice() else {
        return (plain(), vec![]);
    };
    let request = ChatRequest::new([
        ChatMessage::system(system),
        ChatMessage::user(first),
        ChatMessage::assistant(answer),
        ChatMessage::user(second),
    ]);
    (request.max_tokens(64), said)
}

/// A question with several parts in one message.
pub(super) fn parts() -> (ChatRequest, Vec<String>) {
    let said = ["part one", "part two", "part three"].map(words).to_vec();
    let parts = said.iter().map(Part::text).collect();
    let request = ChatRequest::new([ChatMessage::new(Role::User, parts)]);
    (request.max_tokens(64), said)
}

fn schema() -> Json {
    Json::parse(SCHEMA).unwrap_or_else(|_| Json::from("{}"))
}

fn tool(name: &str) -> Tool {
    let mut tool = Tool::new(name, schema());
    tool.description = Some(format!("kit describes {name}"));
    tool
}

/// A question that offers tools.
pub(super) fn tools(choice: ToolChoice) -> ChatRequest {
    let mut request = plain();
    request.tools = vec![tool("kit_look"), tool("kit_ask")];
    request.tool_choice = choice;
    request
}

/// A conversation in which a tool was called, with its result.
pub(super) fn called() -> ChatRequest {
    let call = ToolCall {
        id: "kit_call_7".to_owned(),
        name: "kit_look".to_owned(),
        arguments: r#"{"zebra":"kit-arguments","apple":3}"#.to_owned(),
        ..ToolCall::default()
    };
    let result = ToolResult {
        content: vec![ResultPart::Text {
            text: "kit result 水".to_owned(),
        }],
        ..ToolResult::new(&call, "")
    };
    let mut request = ChatRequest::new([
        ChatMessage::user("kit asks"),
        ChatMessage::new(Role::Assistant, vec![Part::ToolCall(call)]),
        ChatMessage::new(Role::Tool, vec![Part::ToolResult(result)]),
    ]);
    request.sampling.max_tokens = Some(64);
    request.tools = vec![tool("kit_look")];
    request
}

/// What a sampling value is called, the question that has it, and how it is found again.
pub(super) fn sampling() -> Vec<(&'static str, ChatRequest, Found)> {
    let with = |change: fn(&mut ChatRequest)| {
        let mut request = ChatRequest::new([ChatMessage::user("kit asks")]);
        change(&mut request);
        request
    };
    vec![
        (
            "max_tokens",
            with(|r| r.sampling.max_tokens = Some(7321)),
            Found::Number(7321.0),
        ),
        (
            "temperature",
            with(|r| r.sampling.temperature = Some(0.375)),
            Found::Number(0.375),
        ),
        (
            "top_p",
            with(|r| r.sampling.top_p = Some(0.8125)),
            Found::Number(0.8125),
        ),
        (
            "top_k",
            with(|r| r.sampling.top_k = Some(173)),
            Found::Number(173.0),
        ),
        (
            "stop",
            with(|r| r.sampling.stop = vec!["KIT-STOP".to_owned()]),
            Found::Text("KIT-STOP"),
        ),
        (
            "seed",
            with(|r| r.sampling.seed = Some(918_273)),
            Found::Number(918_273.0),
        ),
        (
            "frequency_penalty",
            with(|r| r.sampling.frequency_penalty = Some(0.4375)),
            Found::Number(0.4375),
        ),
        (
            "presence_penalty",
            with(|r| r.sampling.presence_penalty = Some(0.5625)),
            Found::Number(0.5625),
        ),
    ]
}

/// How something is found in a body.
pub(super) enum Found {
    Number(f64),
    Text(&'static str),
}

/// A question with each effort.
pub(super) fn efforts() -> Vec<ChatRequest> {
    let of = |effort| {
        let mut request = plain();
        request.sampling.max_tokens = Some(8000);
        request.reasoning_effort = Some(effort);
        request
    };
    [ReasoningEffort::Low, ReasoningEffort::High]
        .map(of)
        .to_vec()
}

/// A question for JSON, of any form or by a schema.
pub(super) fn formats() -> [(&'static str, ChatRequest); 2] {
    let mut any = plain();
    any.response_format = ResponseFormat::Json;
    [
        ("JSON", any),
        ("a schema", plain().json_schema("kit_form", schema())),
    ]
}

/// Questions about a picture: by address, and by its bytes.
pub(super) fn pictures() -> [(&'static str, ChatRequest); 2] {
    let ask =
        |media| ChatRequest::new([ChatMessage::user("kit looks").with_media(media)]).max_tokens(64);
    [
        (
            "image-url",
            ask(MediaPart::url("https://kit.example/a.png")),
        ),
        ("image-file", ask(MediaPart::of_type("image/png", PICTURE))),
    ]
}

/// A question with members of the vendor's own.
pub(super) fn extra() -> ChatRequest {
    let mut request = plain();
    let members = r#"{"kit_extra":{"zebra":1,"apple":[1.10,12345678901234567890]}}"#;
    request.extra = JsonObject::parse(members).unwrap_or_default();
    request
}
