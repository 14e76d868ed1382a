//! Everything is tried natively: no WebAssembly, no network, no key.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use multillm_plugin_sdk::testing::{ask, body, call, response, says, target};
use multillm_plugin_sdk::{
    ChatEvent, Decoder as _, ErrorKind, FinishReason, Frame, Message, Part, ResultPart, Role, Tool,
    ToolInput, ToolResult, events,
};
use serde_json::json;

use super::*;

fn plain() -> Target {
    target("harbor-1", "{}")
}

#[test]
fn a_conversation_with_tools_is_written_in_its_order() {
    let mut question = ask(vec![
        says(Role::User, "How is the tide?"),
        Message::new(
            Role::Assistant,
            vec![call("c-1", "tide", r#"{"b":1.50,"a":2}"#)],
        ),
        Message::new(
            Role::Tool,
            vec![Part::ToolResult(ToolResult {
                call_id: "c-1".to_owned(),
                name: "tide".to_owned(),
                content: vec![ResultPart::Text("low".to_owned())],
                is_error: true,
                ..ToolResult::default()
            })],
        ),
    ]);
    question.tools = vec![Tool {
        name: "tide".to_owned(),
        input: ToolInput::Schema(r#"{"type":"object","properties":{"z":{},"a":{}}}"#.to_owned()),
        ..Tool::default()
    }];
    let request = Harbor::encode(&plain(), &question, Mode::Stream).unwrap();
    assert_eq!(
        body(&request)["messages"],
        json!([
            {"who": "crew", "text": "How is the tide?"},
            {"who": "ship", "text": "", "calls": [{"id": "c-1", "tool": "tide", "input": {"b": 1.50, "a": 2}}]},
            {"who": "tool", "text": "low", "call": "c-1", "failed": true},
        ])
    );
    let text = format!("{:?}", request.body);
    assert!(
        text.contains(r#"\"z\":{},\"a\":{}"#) && text.contains("1.50"),
        "{text}"
    );
    question.tool_choice = multillm_plugin_sdk::ToolChoice::Required;
    let error = Harbor::encode(&plain(), &question, Mode::Whole).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

fn stream(frames: &[(&str, &str)]) -> (Vec<ChatEvent>, Result<(), Error>) {
    let (mut decoder, mut events) = (stream::Events::new(&plain()), events::Events::new());
    for (event, data) in frames {
        let frame = Frame {
            event: Some((*event).to_owned()),
            data: (*data).to_owned(),
        };
        let read = decoder.frame(&frame, &mut events);
        if read.is_err() || events.is_over() {
            return (events.into_inner(), read);
        }
    }
    let end = decoder.end(&mut events);
    (events.into_inner(), end)
}

#[test]
fn calls_come_whole_and_in_pieces_alike() {
    let whole = r#"{"id":"h-1","model":"harbor-1","message":{"text":"Let me look.","calls":[
        {"id":"c-1","tool":"tide","input":{"at":1.50}}]},"end":"done","used":{"in":9,"out":4}}"#;
    let whole = Harbor::decode(&plain(), &response(200, whole)).unwrap();
    let (events, end) = stream(&[
        ("text", r#"{"text":"Let me "}"#),
        ("text", r#"{"text":"look."}"#),
        ("ping", "now"),
        ("call", r#"{"index":0,"id":"c-1","tool":"tide"}"#),
        ("input", r#"{"index":0,"part":"{\"at\":"}"#),
        ("input", r#"{"index":0,"part":"1.50}"}"#),
        (
            "end",
            r#"{"id":"h-1","model":"harbor-1","end":"done","used":{"in":9,"out":4}}"#,
        ),
    ]);
    assert!(end.is_ok());
    assert_eq!(multillm_plugin_sdk::assemble::assemble(events), whole);
    // It only says that it is done, and waits for a tool.
    assert_eq!(whole.finish.reason, FinishReason::ToolCalls);
    let (_, cut) = stream(&[("text", r#"{"text":"Let me "}"#)]);
    assert_eq!(cut.unwrap_err().kind, ErrorKind::Truncated);
    let (_, full) = stream(&[(
        "error",
        r#"{"error":{"code":"full","message":"No berth."}}"#,
    )]);
    assert_eq!(full.unwrap_err().kind, ErrorKind::Overloaded);
}

#[test]
fn a_list_goes_on_from_its_last_model() {
    let page = |body| Harbor::decode_list(&plain(), &response(200, body)).unwrap();
    let first = page(r#"{"models":[{"id":"a","window":8000},{"id":"b"}],"more":true}"#);
    assert_eq!(first.next.as_deref(), Some("b"));
    assert_eq!(first.models[0].context_tokens, Some(8000));
    let next = Harbor::encode_list(&plain(), first.next.as_deref()).unwrap();
    assert_eq!(next.query, [("after".to_owned(), "b".to_owned())]);
    assert_eq!(page(r#"{"models":[],"more":true}"#).next, None);
    assert_eq!(page(r#"{"models":[{"id":"c"}]}"#).next, None);
}

#[test]
fn failures_are_classified_whatever_the_body_is() {
    let failure = |status, body| Harbor::decode_error(&plain(), &response(status, body));
    let long = failure(
        400,
        r#"{"error":{"code":"too_long","message":"Your rope is too long."}}"#,
    );
    assert_eq!(
        (long.kind, long.message.as_str()),
        (ErrorKind::ContextLength, "Your rope is too long.")
    );
    for body in ["", "<html>", "[]"] {
        assert_eq!(failure(502, body).kind, ErrorKind::Server);
    }
    for nothing in ["", "[]", "{}", "<html>"] {
        let error = Harbor::decode(&plain(), &response(200, nothing)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{nothing}");
    }
}
