//! Requests and the pieces of answers.

use multillm::chat::{
    CacheMark, ChatEvent, ChatResponse, FinishReason, MediaSource, Part, ReasoningEffort,
    ReasoningPart, ResponseFormat, ResultPart, Role, ToolCall, ToolChoice, Usage,
};
use serde_json::{Value, json};

use super::super::tests::{stamp, streamed};
use super::super::{Asked, Entry, Face};

fn read(body: &Value) -> Asked {
    let body = body.to_string();
    let read = Entry::new(Face::AnthropicMessages).read(body.as_bytes());
    read.unwrap_or_else(|error| panic!("{body}: {error}"))
}

fn lost(asked: &Asked, wire: &str) -> Vec<String> {
    let lost = asked.lost([wire].into_iter());
    lost.into_iter().map(str::to_owned).collect()
}

#[test]
fn what_claude_code_sends_is_read_in_order() {
    let asked = read(&json!({
        "model": "fast", "max_tokens": 32000, "stream": true,
        "system": [
            {"type": "text", "text": "You are."},
            {"type": "text", "text": "Rules.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}},
                {"type": "document", "title": "a.pdf", "source": {"type": "url", "url": "https://example.org/a"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}, "citations": {"enabled": false}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm \u{e4}", "signature": "Eu=="},
                {"type": "redacted_thinking", "data": "xx"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"z": 1.50, "a": [1]}, "caller": {"type": "direct"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "cache_control": {"type": "ephemeral"},
                 "content": [{"type": "text", "text": "no"}, {"type": "image", "source": {"type": "file", "file_id": "f1"}}]},
                {"type": "text", "text": "go on"}]},
        ],
        "tools": [
            {"name": "look", "description": "d", "input_schema": {"type": "object", "properties": {"b": {}, "a": {}}}, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305", "name": "web_search"}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
        "thinking": {"type": "adaptive"}, "stop_sequences": ["END"], "temperature": 1,
        "metadata": {"user_id": "u"}, "context_management": {"edits": []}, "output_config": {"effort": "high"},
    }));
    assert_eq!(lost(&asked, "openai-chat"), [""; 0]);
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
    let system: Vec<(&str, Option<CacheMark>)> = request.messages[0]
        .content
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some((text.text.as_str(), text.cache)),
            _ => None,
        })
        .collect();
    assert_eq!(
        system,
        [
            ("You are.", None),
            (
                "Rules.",
                Some(CacheMark {
                    seconds: Some(3600)
                })
            )
        ]
    );
    let [
        Part::Text(_),
        Part::Media(picture),
        Part::Media(pdf),
        Part::Media(words),
    ] = request.messages[1].content.as_slice()
    else {
        panic!("{:?}", request.messages[1]);
    };
    assert_eq!(picture.media_type(), Some("image/png"));
    assert_eq!(
        (pdf.media_type(), pdf.name.as_deref()),
        (Some("application/pdf"), Some("a.pdf"))
    );
    assert!(matches!(&words.source, MediaSource::Bytes { data, .. } if &data[..] == b"words"));
    let answer = &request.messages[2];
    assert_eq!(answer.origin.as_deref(), Some("anthropic-messages"));
    let [
        Part::Reasoning(thought),
        Part::Reasoning(hidden),
        Part::ToolCall(call),
    ] = answer.content.as_slice()
    else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (thought.text.as_str(), thought.signature.as_deref()),
        ("hm \u{e4}", Some("Eu=="))
    );
    assert_eq!(hidden.redacted.as_deref(), Some("xx"));
    assert_eq!(
        (call.id.as_str(), call.arguments.as_str()),
        ("toolu_1", r#"{"z":1.5,"a":[1]}"#)
    );
    assert_eq!(
        call.extra.get("anthropic-messages").unwrap().to_string(),
        r#"{"caller":{"type":"direct"}}"#
    );
    let Part::ToolResult(result) = &request.messages[3].content[0] else {
        panic!("no result");
    };
    assert_eq!(
        (
            result.name.as_str(),
            result.is_error,
            result.cache.is_some()
        ),
        ("look", true, true)
    );
    assert!(matches!(
        result.content.as_slice(),
        [ResultPart::Text { .. }, ResultPart::Media(_)]
    ));
    assert!(request.tools[0].cache.is_some());
    assert_eq!(request.server_tools[0].name, "web-search");
    assert_eq!(
        (&request.tool_choice, request.parallel_tool_calls),
        (&ToolChoice::Required, Some(false))
    );
    assert_eq!(
        (request.sampling.max_tokens, request.sampling.stop.len()),
        (Some(32000), 1)
    );
    assert_eq!(request.reasoning_effort, Some(ReasoningEffort::High));
    let tail = request.extra_by_wire.get("anthropic-messages").unwrap();
    let names: Vec<&str> = tail.keys().collect();
    assert_eq!(
        names,
        [
            "thinking",
            "metadata",
            "context_management",
            "output_config"
        ]
    );
}

#[test]
fn a_budget_becomes_an_effort_and_a_schema_the_form_of_the_answer() {
    let messages = json!([{"role": "user", "content": "hi"}]);
    for (thinking, effort) in [
        (
            json!({"type": "enabled", "budget_tokens": 1024}),
            Some(ReasoningEffort::Minimal),
        ),
        (
            json!({"type": "enabled", "budget_tokens": 10000}),
            Some(ReasoningEffort::Medium),
        ),
        (
            json!({"type": "enabled", "budget_tokens": 31999}),
            Some(ReasoningEffort::High),
        ),
        (json!({"type": "disabled"}), None),
        (json!({"type": "adaptive", "display": "summarized"}), None),
    ] {
        let asked = read(&json!({"messages": messages, "thinking": thinking}));
        assert_eq!(asked.request.reasoning_effort, effort, "{thinking}");
        assert_eq!(lost(&asked, "gemini"), [""; 0]);
        assert!(
            asked
                .request
                .extra_by_wire
                .get("anthropic-messages")
                .is_some()
        );
    }
    let format = json!({"type": "json_schema", "schema": {"type": "object"}});
    for body in [
        json!({"messages": messages, "output_format": format}),
        json!({"messages": messages, "output_config": {"format": format}}),
    ] {
        assert!(matches!(
            read(&body).request.response_format,
            ResponseFormat::JsonSchema(_)
        ));
    }
    for (name, value, place) in [
        ("mcp_servers", json!([]), "mcp_servers"),
        ("container", json!("c1"), "container"),
        ("thinking", json!({"type": "between_tools"}), "thinking"),
        (
            "output_config",
            json!({"task_budget": {"total": 5}}),
            "output_config.task_budget",
        ),
    ] {
        let asked = read(&json!({"messages": messages, name: value}));
        assert_eq!(lost(&asked, "gemini"), [place]);
        assert_eq!(lost(&asked, "anthropic-messages"), [""; 0]);
    }
    let own = json!({"messages": [{"role": "user", "content": [{"type": "search_result", "source": "s", "title": "t", "content": []}]}]});
    assert_eq!(lost(&read(&own), "gemini"), ["messages[0].content[0]"]);
}

#[test]
fn counts_of_the_cache_stand_beside_the_input() {
    let mut answer = ChatResponse::new(vec![Part::text("hi")], FinishReason::Stop);
    answer.usage = Usage {
        prompt_tokens: Some(1000),
        completion_tokens: Some(10),
        cached_tokens: Some(900),
        cache_write_tokens: Some(50),
        reasoning_tokens: Some(4),
        ..Usage::default()
    };
    let usage = super::answer::usage(&answer);
    assert_eq!(
        usage,
        json!({
            "input_tokens": 50, "output_tokens": 10, "cache_read_input_tokens": 900,
            "cache_creation_input_tokens": 50, "output_tokens_details": {"thinking_tokens": 4},
        })
    );
    answer.usage = Usage::default();
    assert_eq!(
        super::answer::usage(&answer),
        json!({"input_tokens": 0, "output_tokens": 0})
    );
}

#[test]
fn reasons_to_stop_keep_the_vendors_word_where_it_is_one_of_these() {
    for (reason, raw, word) in [
        (FinishReason::Stop, None, "end_turn"),
        (FinishReason::Stop, Some("stop_sequence"), "stop_sequence"),
        (FinishReason::Length, Some("MAX_TOKENS"), "max_tokens"),
        (
            FinishReason::Length,
            Some("model_context_window_exceeded"),
            "model_context_window_exceeded",
        ),
        (FinishReason::ToolCalls, Some("stop"), "tool_use"),
        (FinishReason::ContentFilter, Some("SAFETY"), "refusal"),
        (FinishReason::Other, Some("pause_turn"), "pause_turn"),
        (
            FinishReason::Error,
            Some("MALFORMED_FUNCTION_CALL"),
            "error",
        ),
    ] {
        let mut answer = ChatResponse::new(vec![], reason);
        answer.raw_finish_reason = raw.map(str::to_owned);
        assert_eq!(super::answer::stop(&answer).0, word);
    }
}

/// The names of a stream's events, and of blocks and deltas their types.
fn story(events: &[ChatEvent]) -> Vec<String> {
    let bytes = streamed(Face::AnthropicMessages, events);
    let text = String::from_utf8(bytes).unwrap();
    let said = text
        .split("\n\n")
        .filter_map(|event| event.split_once("\ndata: "));
    let told = said.map(|(name, data)| {
        let data: Value = serde_json::from_str(data).unwrap();
        let inner = ["/content_block/type", "/delta/type"]
            .iter()
            .find_map(|path| data.pointer(path)?.as_str());
        let index = data.get("index").map_or(String::new(), ToString::to_string);
        let name = name
            .trim_start_matches("event: ")
            .trim_start_matches("content_block_");
        format!("{name}{index} {}", inner.unwrap_or_default())
            .trim()
            .to_owned()
    });
    told.filter(|name| name != "ping").collect()
}

#[test]
fn blocks_begin_grow_and_end_in_their_order() {
    let signed = Part::Reasoning(ReasoningPart {
        text: "hm".into(),
        signature: Some("s".into()),
        ..ReasoningPart::default()
    });
    let delta = |index, name: Option<&str>, arguments: &str| ChatEvent::ToolCallDelta {
        index,
        name: name.map(str::to_owned),
        id: Some(format!("t{index}")),
        signature: None,
        arguments: arguments.to_owned(),
    };
    let call = |index: u32| {
        ChatEvent::ToolCall(ToolCall {
            id: format!("t{index}"),
            name: "f".into(),
            ..ToolCall::default()
        })
    };
    let end = ChatResponse::new(vec![], FinishReason::ToolCalls);
    let told = story(&[
        ChatEvent::Reasoning { text: "h".into() },
        ChatEvent::Reasoning { text: "m".into() },
        ChatEvent::PartEnd {
            part: signed.clone(),
        },
        ChatEvent::PartEnd { part: signed },
        ChatEvent::Text { text: "a".into() },
        delta(0, Some("f"), ""),
        delta(1, Some("f"), ""),
        delta(0, None, "{}"),
        delta(1, None, "{}"),
        call(0),
        call(1),
        ChatEvent::Done(Box::new(end)),
    ]);
    assert_eq!(
        told,
        [
            "message_start",
            "start0 thinking",
            "delta0 thinking_delta",
            "delta0 thinking_delta",
            "delta0 signature_delta",
            "stop0",
            "start1 text",
            "delta1 text_delta",
            "stop1",
            "start2 tool_use",
            "start3 tool_use",
            "delta2 input_json_delta",
            "delta3 input_json_delta",
            "stop2",
            "stop3",
            "message_delta",
            "message_stop",
        ]
    );
}

#[test]
fn a_signature_without_thoughts_is_a_block_of_its_own() {
    let answer = ChatResponse::new(
        vec![
            Part::Reasoning(ReasoningPart {
                signature: Some("s".into()),
                ..ReasoningPart::default()
            }),
            Part::text("x"),
        ],
        FinishReason::Stop,
    );
    let reply = read(&json!({"messages": []})).reply("m", stamp());
    let whole: Value = serde_json::from_slice(&reply.whole(&answer)).unwrap();
    assert_eq!(
        whole["content"][0],
        json!({"type": "thinking", "thinking": "", "signature": "-mlm1-s"})
    );
    let told = story(&answer.into_events());
    assert_eq!(
        told[1..4],
        ["start0 thinking", "delta0 signature_delta", "stop0"]
    );
}

#[test]
fn free_text_is_the_text_of_an_objects_only_member() {
    let call = ToolCall {
        id: "t1".into(),
        name: "apply".into(),
        arguments: "*** \"Begin\"\n".into(),
        signature: Some("custom".into()),
        ..ToolCall::default()
    };
    let delta =
        |name: Option<&str>, signature: Option<&str>, arguments: &str| ChatEvent::ToolCallDelta {
            index: 0,
            name: name.map(str::to_owned),
            id: Some("t1".into()),
            signature: signature.map(str::to_owned),
            arguments: arguments.to_owned(),
        };
    let mut answer = ChatResponse::new(vec![Part::ToolCall(call.clone())], FinishReason::ToolCalls);
    answer.plugin = "gemini".to_owned();
    let live = [
        delta(Some("apply"), Some("custom"), ""),
        delta(None, None, "*** \"Be"),
        delta(None, None, "gin\"\n"),
        ChatEvent::ToolCall(call.clone()),
        ChatEvent::Done(Box::new(answer.clone())),
    ];
    let wire = multillm_callers::Wire::AnthropicMessages;
    let reply = read(&json!({"messages": []})).reply("m", stamp());
    let whole = wire.whole(&reply.whole(&answer)).unwrap();
    assert_eq!(whole.calls[0].arguments, r#"{"_raw":"*** \"Begin\"\n"}"#);
    let heard = wire
        .stream(&streamed(Face::AnthropicMessages, &live))
        .unwrap();
    assert_eq!(heard.calls, whole.calls);
    let input: Value = serde_json::from_str(&whole.calls[0].arguments).unwrap();
    let back = read(&json!({"messages": [{"role": "assistant", "content": [
        {"type": "tool_use", "id": "t1", "name": "apply", "input": input}]}]}));
    let Part::ToolCall(read) = &back.request.messages[0].content[0] else {
        panic!("no call");
    };
    assert_eq!(read.arguments, call.arguments);
}
