//! What whole answers mean.

use multillm_plugin_sdk::{
    CitationSource, ErrorKind, FinishReason, Opaque, Part, Reasoning, ServerToolCall, Text,
    ToolCall, Usage,
};

use super::message;

fn thought(text: &str, signature: Option<&str>, redacted: Option<&str>) -> Part {
    Part::Reasoning(Reasoning {
        text: text.to_owned(),
        signature: signature.map(str::to_owned),
        redacted: redacted.map(str::to_owned),
        ..Reasoning::default()
    })
}

fn words(text: &str, signature: Option<&str>) -> Part {
    Part::Text(Text {
        text: text.to_owned(),
        signature: signature.map(str::to_owned),
        ..Text::default()
    })
}

fn content(blocks: &str) -> Vec<Part> {
    let body = format!(r#"{{"type":"message","content":[{blocks}],"stop_reason":"end_turn"}}"#);
    message(&body).unwrap().content
}

#[test]
fn a_message_is_read_whole() {
    let answer = message(
        r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
            {"type":"thinking","thinking":"Hm.","signature":"S=="},
            {"type":"redacted_thinking","data":"R=="},
            {"type":"text","text":"Let me \u00e9 look."},
            {"type":"tool_use","id":"toolu_1","name":"look","input":{"x": 1},"caller":{"type":"direct"}},
            {"type":"tool_use","id":"toolu_2","name":"look","input":null}],
            "stop_reason":"tool_use","stop_sequence":null,"container":null,
            "usage":{"input_tokens":3,"cache_creation_input_tokens":10,"cache_read_input_tokens":0,
                     "output_tokens":84,"service_tier":"standard"}}"#,
    )
    .unwrap();
    let call = |id: &str, arguments: &str| {
        Part::ToolCall(ToolCall {
            id: Some(id.to_owned()),
            local: false,
            name: "look".to_owned(),
            arguments: arguments.to_owned(),
            signature: None,
            ..ToolCall::default()
        })
    };
    assert_eq!(
        answer.content,
        [
            thought("Hm.", Some("S=="), None),
            thought("", None, Some("R==")),
            words("Let me é look.", None),
            call("toolu_1", r#"{"x": 1}"#),
            call("toolu_2", "{}"),
        ]
    );
    assert_eq!(answer.id.as_deref(), Some("msg_1"));
    assert_eq!(answer.model.as_deref(), Some("claude-x"));
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
    assert_eq!(
        answer.usage,
        Usage {
            prompt_tokens: Some(13),
            completion_tokens: Some(84),
            total_tokens: None,
            cached_tokens: Some(0),
            cache_write_tokens: Some(10),
            reasoning_tokens: None,
            ..Usage::UNKNOWN
        }
    );
}

#[test]
fn blocks_without_a_unified_form_are_kept_as_they_came() {
    let server = r#"{"type":"server_tool_use", "id":"srv","name":"web_search","input":{"q":"x"}}"#;
    let odd = r#"{"type":"some_new_block","text":{"not":"text"},"citations":"all"}"#;
    let parts = content(&format!(
        r#"{server},{odd},{{"no":"type"}},7,{{"type":"text","text":"a"}}"#
    ));
    assert_eq!(
        parts,
        [
            Part::ServerToolCall(ServerToolCall {
                id: Some("srv".to_owned()),
                name: "web-search".to_owned(),
                input: Some(r#"{"q":"x"}"#.to_owned()),
                data: server.to_owned(),
            }),
            Part::Opaque(Opaque {
                kind: "some_new_block".to_owned(),
                data: odd.to_owned(),
            }),
            words("a", None),
        ]
    );
}

#[test]
fn citations_belong_to_their_own_text() {
    let parts = content(
        r#"{"type":"text","text":"It says "},
           {"type":"text","text":"so","citations":[{"type":"char_location","document_index":1}, {"n":2}]},
           {"type":"text","text":"","citations":[{"n":3}]},
           {"type":"text","text":".","citations":null}"#,
    );
    let [Part::Text(before), Part::Text(cited), Part::Text(after)] = parts.as_slice() else {
        panic!("{parts:?}");
    };
    assert_eq!(
        (before.text.as_str(), before.citations.len()),
        ("It says ", 0)
    );
    assert_eq!((after.text.as_str(), after.citations.len()), (".", 0));
    let [first, second] = cited.citations.as_slice() else {
        panic!("{cited:?}");
    };
    assert_eq!(cited.text, "so");
    assert_eq!(first.source, CitationSource::Document("1".to_owned()));
    assert_eq!(second.extra.as_deref(), Some(r#"{"n":2}"#));
}

#[test]
fn the_rest_of_an_answer_is_told_and_its_container_kept() {
    let answer = message(
        r#"{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"stop_sequence",
            "stop_sequence":"END","container":{"id":"c1","expires_at":"x"},
            "usage":{"input_tokens":1,"output_tokens":2,"inference_geo":"global"},"brand_new":1.50}"#,
    )
    .unwrap();
    assert_eq!(
        answer.extra.as_deref(),
        Some(
            r#"{"stop_sequence":"END","container":{"id":"c1","expires_at":"x"},"brand_new":1.50,"usage":{"inference_geo":"global"}}"#
        )
    );
    assert!(
        matches!(answer.content.as_slice(), [Part::Text(_), Part::Opaque(kept)] if kept.kind == "container"),
        "{:?}",
        answer.content
    );
}

#[test]
fn a_caller_other_than_the_model_signs_the_call() {
    let parts = content(
        r#"{"type":"tool_use","id":"t","name":"f","input":{},"toolset_name":"browser",
            "caller":{"type":"code_execution_20250825","tool_id":"srv"}}"#,
    );
    let [Part::ToolCall(call)] = parts.as_slice() else {
        panic!("{parts:?}");
    };
    assert_eq!(
        call.signature.as_deref(),
        Some(
            r#"{"caller":{"type":"code_execution_20250825","tool_id":"srv"},"toolset_name":"browser"}"#
        )
    );
}

#[test]
fn an_answer_may_be_empty() {
    for body in [
        r#"{"type":"message","id":"m","content":[],"stop_reason":"end_turn"}"#,
        r#"{"type":"message","content":null,"stop_reason":"end_turn","error":null}"#,
        r#"{"content":[{"type":"text","text":""},{"type":"thinking","thinking":""}],"stop_reason":"end_turn"}"#,
    ] {
        let answer = message(body).unwrap();
        assert!(answer.content.is_empty(), "{body}");
        assert_eq!(answer.finish.reason, FinishReason::Stop);
        assert!(answer.usage.is_unknown());
    }
    let refused = message(
        r#"{"type":"message","content":[],"stop_reason":"refusal","stop_details":{"type":"refusal"}}"#,
    )
    .unwrap();
    assert_eq!(refused.finish.reason, FinishReason::ContentFilter);
    assert_eq!(refused.finish.raw.as_deref(), Some("refusal"));
}

#[test]
fn an_error_in_a_success_is_an_error() {
    let error =
        message(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#)
            .unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::Overloaded, None));
    assert!(error.retryable);
    let gateway = message(r#"{"error":"no upstream"}"#).unwrap_err();
    assert_eq!(gateway.message, "no upstream");
}

#[test]
fn what_is_no_message_is_malformed() {
    for body in [
        "",
        "[]",
        "\"x\"",
        "null",
        "{}",
        "{\"id\":\"x\"}",
        "<html>",
        r#"{"type":"message","content":"hello"}"#,
        r#"{"type":"message","content":[{"type":"text","text":7}]}"#,
        r#"{"type":"message","content":[]"#,
    ] {
        let error = message(body).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{body}");
    }
}

#[test]
fn input_that_comes_as_text_is_what_the_text_says() {
    for (input, arguments) in [(r#""""#, "{}"), (r#""{\"a\": 1}""#, r#"{"a": 1}"#)] {
        let block = format!(r#"{{"type":"tool_use","id":"t","name":"f","input":{input}}}"#);
        let parts = content(&block);
        assert!(
            matches!(parts.as_slice(), [Part::ToolCall(call)] if call.arguments == arguments),
            "{parts:?}"
        );
    }
}
