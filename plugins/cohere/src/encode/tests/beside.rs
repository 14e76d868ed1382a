//! Documents, pictures that are sent on, and what is refused or left out.

use multillm_plugin_sdk::{
    Blob, ErrorKind, Media, Mode, Opaque, Part, Provider, ResultPart, Role, ToolResult,
};
use serde_json::json;

use crate::Cohere;
use crate::tests::{ask, call, encoded, message, target, text};

#[test]
fn documents_and_blocks_of_tools_are_what_answers_rest_on() {
    let block = |data: &str| Opaque {
        kind: "document".into(),
        data: data.into(),
    };
    let plain = r#"{"id":"d0","data":{"text":"The sky is green."}}"#;
    let wrapped = r#"{"type":"document","document":{"id":"d1","data":{"text":"x"}}}"#;
    let returned = Part::ToolResult(ToolResult {
        call_id: "c".into(),
        content: vec![ResultPart::Opaque(block(wrapped))],
        ..ToolResult::default()
    });
    let request = ask(vec![
        message(
            Role::User,
            vec![
                Part::Opaque(block(plain)),
                text("What colour?"),
                Part::Opaque(block(wrapped)),
            ],
        ),
        message(Role::Assistant, vec![call("c", "look", "{}")]),
        message(Role::Tool, vec![returned]),
    ]);
    let body = encoded(&request);
    assert_eq!(
        body["documents"],
        json!([{"id": "d0", "data": {"text": "The sky is green."}}, {"id": "d1", "data": {"text": "x"}}])
    );
    assert_eq!(
        body["messages"][0],
        json!({"role": "user", "content": "What colour?"})
    );
    assert_eq!(
        body["messages"][2]["content"],
        json!([{"type": "document", "document": {"id": "d1", "data": {"text": "x"}}}])
    );
}

#[test]
fn a_picture_of_the_models_is_sent_on_by_the_user() {
    let drawn = Part::Media(Media::blob(Blob { id: 2, length: 1 }, "image/png"));
    let mut messages = vec![
        message(Role::User, vec![text("draw")]),
        message(Role::Assistant, vec![text("Here."), drawn]),
    ];
    let alone = Cohere::encode(&target("{}"), &ask(messages.clone()), Mode::Whole);
    assert_eq!(alone.unwrap_err().kind, ErrorKind::Unsupported);
    messages.push(message(Role::User, vec![text("bigger")]));
    let body = encoded(&ask(messages));
    assert_eq!(
        body["messages"][2]["content"],
        json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,<blob 2>"}},
            {"type": "text", "text": "bigger"}])
    );
}

#[test]
fn the_former_api_and_what_cannot_be_said_are_told() {
    let mut request = ask(vec![message(Role::User, vec![text("Hi")])]);
    request.extra = Some(r#"{"preamble":"Be brief."}"#.into());
    let error = Cohere::encode(&target("{}"), &request, Mode::Whole).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("/v2/chat"), "{}", error.message);
    request.extra = None;
    request.reasoning_effort = Some("deep".into());
    request.drop_unsupported = true;
    let dropped = Cohere::encode(&target("{}"), &request, Mode::Whole).unwrap();
    assert_eq!(dropped.warnings.len(), 1, "{:?}", dropped.warnings);
    assert!(dropped.warnings[0].contains("deep"));
}
