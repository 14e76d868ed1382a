//! What conversations become.

use multillm_plugin_sdk::body::json_body;
use multillm_plugin_sdk::{
    Blob, BodyPart, ChatRequest, Error, ErrorKind, Image, ImageSource, Opaque, Part, ResultPart,
    Role, Text, ToolResult,
};
use serde_json::{Value, json};

use super::{Turn, conversation, wire_id};
use crate::fixtures::{call, converse, message, said, text};
use crate::model::Model;
use crate::tree::Tree;

mod thoughts;

fn tree(turns: Vec<Turn<'_>>) -> Tree<'_> {
    Tree::List(turns.into_iter().map(Tree::from).collect())
}

fn laid_out(request: &ChatRequest) -> Result<(Value, Option<String>), Error> {
    let mut system = None;
    let parts = json_body(request, |blobs| {
        let conversation = conversation(request, Model::of("claude"), blobs)?;
        system = conversation.system;
        Ok(tree(conversation.turns))
    })?;
    let text: String = parts
        .iter()
        .map(|part| match part {
            BodyPart::Text(text) => text.clone(),
            BodyPart::BlobBase64(id) => format!("<blob {id}>"),
        })
        .collect();
    Ok((serde_json::from_str(&text).unwrap(), system))
}

fn turns(messages: Vec<multillm_plugin_sdk::Message>) -> Value {
    laid_out(&converse(messages)).unwrap().0
}

fn refusal(messages: Vec<multillm_plugin_sdk::Message>) -> Error {
    laid_out(&converse(messages)).unwrap_err()
}

fn result(call_id: &str, content: Vec<ResultPart>, is_error: bool) -> Part {
    Part::ToolResult(ToolResult {
        call_id: call_id.to_owned(),
        local: false,
        name: "look".to_owned(),
        content,
        is_error,
    })
}

fn said_result(call_id: &str, words: &str) -> Part {
    result(call_id, vec![ResultPart::Text(words.to_owned())], false)
}

fn picture(media_type: &str) -> Image {
    Image {
        source: ImageSource::Blob(Blob {
            id: 7,
            media_type: media_type.to_owned(),
            length: 10,
        }),
        detail: None,
    }
}

#[test]
fn system_text_is_hoisted_from_anywhere() {
    let request = converse(vec![
        said(Role::System, "Be brief."),
        said(Role::User, "Hi"),
        said(Role::System, "  "),
        said(Role::System, "Rhyme."),
        said(Role::User, "Go on"),
    ]);
    let (turns, system) = laid_out(&request).unwrap();
    assert_eq!(system.as_deref(), Some("Be brief.\n\nRhyme."));
    assert_eq!(
        turns,
        json!([{"role": "user", "content": [
            {"type": "text", "text": "Hi"}, {"type": "text", "text": "Go on"}]}])
    );
}

#[test]
fn empty_text_and_empty_turns_vanish() {
    let turns = turns(vec![
        said(Role::User, "a"),
        said(Role::Assistant, ""),
        message(Role::Assistant, []),
        message(Role::User, [text(" \n"), text("b")]),
    ]);
    assert_eq!(
        turns,
        json!([{"role": "user", "content": [
            {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}])
    );
}

#[test]
fn results_of_one_turn_stand_together_and_first() {
    let turns = turns(vec![
        said(Role::User, "look twice"),
        message(
            Role::Assistant,
            [
                text("Looking."),
                Part::ToolCall(call("t1", "look", r#"{ "z":1, "a":2 }"#)),
                Part::ToolCall(call("t2", "look", "")),
            ],
        ),
        said(Role::User, "hurry"),
        message(Role::Tool, [said_result("t1", "cat")]),
        message(Role::Tool, [said_result("t2", "dog")]),
        said(Role::User, "and?"),
    ]);
    assert_eq!(
        turns,
        json!([
            {"role": "user", "content": [{"type": "text", "text": "look twice"}]},
            {"role": "assistant", "content": [
                {"type": "text", "text": "Looking."},
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"z": 1, "a": 2}},
                {"type": "tool_use", "id": "t2", "name": "look", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "cat"},
                {"type": "tool_result", "tool_use_id": "t2", "content": "dog"},
                {"type": "text", "text": "hurry"},
                {"type": "text", "text": "and?"}]},
        ])
    );
}

#[test]
fn results_carry_pictures_failures_and_nothing() {
    let picture = ResultPart::Image(picture("image/png"));
    let turns = turns(vec![message(
        Role::Tool,
        [
            result("a", vec![ResultPart::Text("see".into()), picture], false),
            result("b", vec![], true),
            result("c", vec![ResultPart::Text(" ".into())], false),
            result("d", vec![ResultPart::Text("no disk".into())], true),
        ],
    )]);
    assert_eq!(
        turns,
        json!([{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": [
                {"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "<blob 7>"}}]},
            {"type": "tool_result", "tool_use_id": "b", "content": "the tool failed", "is_error": true},
            {"type": "tool_result", "tool_use_id": "c"},
            {"type": "tool_result", "tool_use_id": "d", "content": "no disk", "is_error": true},
        ]}])
    );
}

#[test]
fn blocks_of_the_vendors_own_keep_their_place_and_bytes() {
    let own = |kind: &str, data: &str| {
        Part::Opaque(Opaque {
            kind: kind.to_owned(),
            data: data.to_owned(),
        })
    };
    let server =
        r#"{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{"q":1.50}}"#;
    let found = r#"{"type":"web_search_tool_result","tool_use_id":"srv_1","content":[]}"#;
    let cited = r#"[{"type":"web_search_result_location","encrypted_index":"E=="}]"#;
    let signed = |words: &str, signature: &str| {
        Part::Text(Text {
            text: words.to_owned(),
            signature: Some(signature.to_owned()),
        })
    };
    let request = converse(vec![
        said(Role::User, "q"),
        message(
            Role::Assistant,
            [
                own("server_tool_use", server),
                own("web_search_tool_result", found),
                signed("It says ", "[]"),
                signed("so.", cited),
                signed("Foreign.", "EuY="),
            ],
        ),
    ]);
    let parts = json_body(&request, |blobs| {
        Ok(tree(
            conversation(&request, Model::of("claude"), blobs)?.turns,
        ))
    })
    .unwrap();
    let expected = format!(
        r#"[{{"role":"user","content":[{{"type":"text","text":"q"}}]}},{{"role":"assistant","content":[{server},{found},{{"type":"text","text":"It says "}},{{"type":"text","text":"so.","citations":{cited}}},{{"type":"text","text":"Foreign."}}]}}]"#
    );
    assert_eq!(parts, [BodyPart::Text(expected)]);
}

#[test]
fn who_made_a_call_goes_back_with_it_and_its_result() {
    let mut made = call("t", "click", "{}");
    let caller = r#"{"type":"code_execution_20250825","tool_id":"srv_1"}"#;
    made.signature = Some(format!(
        r#"{{"caller":{caller},"toolset_name":"computer"}}"#
    ));
    let mut foreign = call("u", "click", "{}");
    foreign.signature = Some("no json".to_owned());
    let turns = turns(vec![
        said(Role::User, "q"),
        message(
            Role::Assistant,
            [Part::ToolCall(made), Part::ToolCall(foreign)],
        ),
        message(Role::Tool, [said_result("t", "x"), said_result("u", "y")]),
    ]);
    assert_eq!(
        turns,
        json!([
            {"role": "user", "content": [{"type": "text", "text": "q"}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t", "name": "click", "input": {},
                 "caller": {"type": "code_execution_20250825", "tool_id": "srv_1"},
                 "toolset_name": "computer"},
                {"type": "tool_use", "id": "u", "name": "click", "input": {}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t", "content": "x", "toolset_name": "computer"},
                {"type": "tool_result", "tool_use_id": "u", "content": "y"}]},
        ])
    );
}

#[test]
fn pictures_are_blobs_or_urls() {
    let url = Image {
        source: ImageSource::Url("https://example.com/a.png".into()),
        detail: Some("low".into()),
    };
    let turns = turns(vec![message(
        Role::User,
        [
            Part::Image(picture("image/JPG")),
            Part::Image(url),
            Part::Image(picture("application/pdf")),
        ],
    )]);
    assert_eq!(
        turns.pointer("/0/content").unwrap(),
        &json!([
            {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "<blob 7>"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "<blob 7>"}},
        ])
    );
}

#[test]
fn a_beginning_of_the_answer_has_no_white_space_at_its_end() {
    let turns = turns(vec![
        said(Role::User, "count"),
        said(Role::Assistant, "one "),
        said(Role::User, "go on"),
        said(Role::Assistant, "two \n"),
    ]);
    assert_eq!(turns.pointer("/1/content/0/text").unwrap(), "one ");
    assert_eq!(turns.pointer("/3/content/0/text").unwrap(), "two");
}

#[test]
fn what_cannot_stand_there_is_refused() {
    for (messages, kind) in [
        (
            vec![message(Role::System, [Part::Image(picture("image/png"))])],
            ErrorKind::Unsupported,
        ),
        (
            vec![message(Role::User, [Part::Image(picture("image/tiff"))])],
            ErrorKind::Unsupported,
        ),
        (
            vec![message(
                Role::Assistant,
                [Part::Image(picture("image/png"))],
            )],
            ErrorKind::Unsupported,
        ),
        (
            vec![message(Role::User, [Part::ToolCall(call("a", "b", ""))])],
            ErrorKind::InvalidRequest,
        ),
        (
            vec![message(Role::Assistant, [said_result("a", "b")])],
            ErrorKind::InvalidRequest,
        ),
    ] {
        assert_eq!(refusal(messages).kind, kind);
    }
    let mut nameless = call("", "look", "");
    nameless.id = None;
    let error = refusal(vec![message(Role::Assistant, [Part::ToolCall(nameless)])]);
    assert!(error.message.contains("\"look\""), "{error:?}");
}

#[test]
fn ids_are_rewritten_alike_for_call_and_result() {
    assert_eq!(wire_id("toolu_01-Ab"), "toolu_01-Ab");
    let foreign = wire_id("functions.look:0");
    assert!(foreign.starts_with("functions_look_0_"), "{foreign}");
    assert!(
        foreign
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
    );
    assert_ne!(wire_id("a.b"), wire_id("a:b"));
    assert!(!wire_id("").is_empty());
    let turns = turns(vec![
        said(Role::User, "q"),
        message(
            Role::Assistant,
            [Part::ToolCall(call("call:0", "look", ""))],
        ),
        message(Role::Tool, [said_result("call:0", "x")]),
    ]);
    assert_eq!(
        turns.pointer("/1/content/0/id").unwrap(),
        turns.pointer("/2/content/0/tool_use_id").unwrap()
    );
}
