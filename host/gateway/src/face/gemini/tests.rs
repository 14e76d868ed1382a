//! Requests and the pieces of answers.

use multillm::chat::{
    ChatResponse, FinishReason, Part, ReasoningEffort, ResponseFormat, Role, ToolCall, ToolChoice,
};
use serde_json::{Value, json};

use super::super::tests::{stamp, streamed};
use super::super::{Asked, Face};
use super::{Operation, entry};

fn read(body: &Value) -> Asked {
    let (_, entry) = entry("fast:generateContent").unwrap();
    let body = body.to_string();
    let read = entry.read(body.as_bytes());
    read.unwrap_or_else(|error| panic!("{body}: {error}"))
}

#[test]
fn paths_say_the_model_and_what_is_asked() {
    let (operation, entry) = entry("a/b:c:streamGenerateContent").unwrap();
    assert_eq!((operation, entry.stream), (Operation::Chat, Some(true)));
    assert_eq!(entry.model.as_deref(), Some("a/b:c"));
    assert_eq!(
        super::entry("m:countTokens").unwrap().0,
        Operation::CountTokens
    );
    assert!(super::entry("m:predict").is_none() && super::entry("m").is_none());
}

#[test]
fn contents_are_read_in_both_spellings() {
    for (system, config, declarations, call) in [
        (
            "systemInstruction",
            "generationConfig",
            "functionDeclarations",
            "functionCall",
        ),
        (
            "system_instruction",
            "generation_config",
            "function_declarations",
            "function_call",
        ),
    ] {
        let camel = system == "systemInstruction";
        let name =
            |camel_name: &'static str, snake: &'static str| if camel { camel_name } else { snake };
        let asked = read(&json!({
            system: {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "look"}, {name("inlineData", "inline_data"): {name("mimeType", "mime_type"): "image/png", "data": "AAEC"}}]},
                {"role": "model", "parts": [{"text": "hm", "thought": true}, {call: {"name": "look", "args": {"z": 1, "a": 2}}, name("thoughtSignature", "thought_signature"): "CiQ="}]},
                {"parts": [{name("functionResponse", "function_response"): {"name": "look", "response": {"result": "a cat"}}}]},
            ],
            "tools": [{declarations: [{"name": "look", "parameters": {"type": "OBJECT", "properties": {"type": {"type": "STRING", "enum": ["A"]}}}}]},
                {name("googleSearch", "google_search"): {}}],
            name("toolConfig", "tool_config"): {name("functionCallingConfig", "function_calling_config"): {"mode": "ANY", name("allowedFunctionNames", "allowed_function_names"): ["look"]}},
            config: {name("maxOutputTokens", "max_output_tokens"): 500, "temperature": 0.2, name("topK", "top_k"): 40.0,
                name("responseMimeType", "response_mime_type"): "application/json", name("thinkingConfig", "thinking_config"): {name("thinkingBudget", "thinking_budget"): 4096}},
            name("safetySettings", "safety_settings"): [],
        }));
        assert_eq!(asked.lost(["claude"].into_iter()), [""; 0]);
        let request = &asked.request;
        let roles: Vec<Role> = request
            .messages
            .iter()
            .map(|message| message.role)
            .collect();
        assert_eq!(
            roles,
            [Role::System, Role::User, Role::Assistant, Role::User]
        );
        let [Part::Reasoning(_), Part::ToolCall(asked_for)] =
            request.messages[2].content.as_slice()
        else {
            panic!("{:?}", request.messages[2]);
        };
        assert_eq!(
            (asked_for.signature.as_deref(), asked_for.local),
            (Some("CiQ="), true)
        );
        let Part::ToolResult(result) = &request.messages[3].content[0] else {
            panic!("no result");
        };
        assert_eq!((&result.call_id, result.content.len()), (&asked_for.id, 1));
        let schema = request.tools[0].parameters.as_str();
        assert_eq!(
            schema,
            r#"{"type":"object","properties":{"type":{"type":"string","enum":["A"]}}}"#
        );
        assert_eq!(request.server_tools[0].name, "web-search");
        assert_eq!(request.tool_choice, ToolChoice::Named("look".into()));
        assert_eq!(
            (request.sampling.max_tokens, request.sampling.top_k),
            (Some(500), Some(40))
        );
        assert_eq!(request.response_format, ResponseFormat::Json);
        assert_eq!(request.reasoning_effort, Some(ReasoningEffort::Medium));
    }
}

#[test]
fn what_only_this_wire_says_is_named() {
    let contents = json!([{"parts": [{"text": "hi"}]}]);
    for (name, value, place) in [
        ("cachedContent", json!("c"), "cachedContent"),
        (
            "generationConfig",
            json!({"candidateCount": 2}),
            "generationConfig.candidateCount",
        ),
        (
            "generationConfig",
            json!({"speechConfig": {}}),
            "generationConfig.speechConfig",
        ),
        (
            "tools",
            json!([{"googleMaps": {"x": 1}}]),
            "tools[0].googleMaps",
        ),
    ] {
        let asked = read(&json!({"contents": contents, name: value}));
        assert_eq!(asked.lost(["claude"].into_iter()), [place]);
    }
    let asked = read(&json!({"contents": [{"parts": [{"executableCode": {}}]}]}));
    assert_eq!(asked.lost(["claude"].into_iter()), ["contents[0].parts[0]"]);
    let (_, entry) = entry("m:generateContent").unwrap();
    let error = entry
        .read(br#"{"contents":[{"role":"king"}]}"#)
        .unwrap_err();
    assert_eq!(
        error.message,
        "contents[0].role: expected user or model, not \"king\""
    );
}

#[test]
fn answers_are_candidates_whole_and_in_events() {
    let call = ToolCall {
        id: "call_0".into(),
        name: "look".into(),
        arguments: "{\"z\":1.50}".into(),
        local: true,
        signature: Some("s".into()),
        ..ToolCall::default()
    };
    let mut answer = ChatResponse::new(
        vec![Part::text("hi"), Part::ToolCall(call)],
        FinishReason::ToolCalls,
    );
    answer.usage.prompt_tokens = Some(9);
    answer.usage.completion_tokens = Some(23);
    answer.usage.reasoning_tokens = Some(20);
    let reply = read(&json!({"contents": []})).reply("fast", stamp());
    let body = String::from_utf8(reply.whole(&answer)).unwrap();
    assert!(
        body.contains(
            r#""functionCall":{"name":"look","args":{"z":1.50}},"thoughtSignature":"LW1sbTEtIHM=""#
        ),
        "{body}"
    );
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["candidates"][0]["finishReason"], "STOP");
    assert_eq!(
        told["usageMetadata"],
        json!({"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 32, "thoughtsTokenCount": 20})
    );
    let mut renderer = reply.stream();
    let mut out = vec![];
    renderer.begin("gemini", &mut out);
    for event in answer.into_events() {
        renderer.event(&event, &mut out);
    }
    let text = String::from_utf8(out).unwrap();
    let events: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    let ends = events
        .iter()
        .filter(|event| event["candidates"][0].get("finishReason").is_some());
    assert_eq!((events.len(), ends.count()), (3, 1));
    assert_eq!(
        events[0]["candidates"][0]["content"]["parts"][0]["text"],
        "hi"
    );
    assert!(streamed(Face::OllamaChat, &[]).is_empty());
}
