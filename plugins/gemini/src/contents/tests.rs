//! Turns as the vendor wants them.

use multillm_plugin_sdk::body::json_body;
use multillm_plugin_sdk::{
    Blob, BodyPart, ErrorKind, Opaque, Reasoning, ServerToolCall, ServerToolResult, Text,
};
use serde_json::{Value, json};

use super::*;
use crate::tests::{message, request, signed, text};

fn arranged(model: &str, messages: Vec<Message>) -> Result<(Value, Value), Error> {
    let request = request(messages);
    let parts = json_body(&request, |blobs| {
        let it = conversation(model, &request, &Settings::default(), blobs)?;
        Ok(Json::List(vec![
            it.system.unwrap_or_default(),
            Json::List(it.turns),
        ]))
    })?;
    let body: String = parts
        .iter()
        .map(|part| match part {
            BodyPart::Text(text) => text.clone(),
            BodyPart::BlobBase64(id) => format!("blob {id}"),
        })
        .collect();
    Ok(serde_json::from_str(&body).unwrap())
}

fn turns(model: &str, messages: Vec<Message>) -> Value {
    arranged(model, messages).unwrap().1
}

fn call(id: &str, local: bool, name: &str, arguments: &str, signature: Option<&str>) -> Part {
    Part::ToolCall(ToolCall {
        id: Some(id.to_owned()),
        local,
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        signature: signature.map(str::to_owned),
        ..ToolCall::default()
    })
}

fn result(id: &str, local: bool, name: &str, content: Vec<ResultPart>) -> Part {
    Part::ToolResult(ToolResult {
        call_id: id.to_owned(),
        local,
        name: name.to_owned(),
        content,
        is_error: false,
        ..ToolResult::default()
    })
}

fn returned(text: &str) -> Vec<ResultPart> {
    vec![ResultPart::Text(text.to_owned())]
}

fn png(id: u32) -> Media {
    Media::blob(Blob { id, length: 3 }, "image/png")
}

fn link(url: &str) -> Part {
    Part::Media(Media {
        detail: Some("high".to_owned()),
        ..Media::url(url)
    })
}

#[test]
fn system_text_is_apart_and_turns_alternate() {
    let (system, turns) = arranged(
        "gemini-2.5-flash",
        vec![
            message(Role::System, vec![text("Be brief.")]),
            message(Role::User, vec![text("a"), text("")]),
            message(Role::User, vec![text("b")]),
            message(Role::Assistant, vec![]),
            message(Role::User, vec![text("c")]),
            message(Role::System, vec![text("Be kind.")]),
            message(Role::Assistant, vec![text("d")]),
            message(Role::Assistant, vec![text("e")]),
        ],
    )
    .unwrap();
    assert_eq!(
        system,
        json!({"parts": [{"text": "Be brief."}, {"text": "Be kind."}]})
    );
    assert_eq!(
        turns,
        json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}, {"text": "c"}]},
            {"role": "model", "parts": [{"text": "d"}, {"text": "e"}]},
        ])
    );
}

#[test]
fn gemma_is_told_the_system_text_by_the_user() {
    let messages = vec![
        message(Role::System, vec![text("Be brief.")]),
        message(Role::User, vec![text("a")]),
    ];
    let (system, turns) = arranged("gemma-3-27b-it", messages).unwrap();
    assert_eq!(system, Value::Null);
    assert_eq!(
        turns,
        json!([{"role": "user", "parts": [{"text": "Be brief."}, {"text": "a"}]}])
    );
}

#[test]
fn results_stand_in_one_turn_in_the_order_of_their_calls() {
    let turns = turns(
        "gemini-2.5-flash",
        vec![
            message(Role::User, vec![text("go")]),
            message(
                Role::Assistant,
                vec![
                    text("Well."),
                    call("c1", true, "a", r#"{ "z": 1, "b": 0.10 }"#, Some("c2ln")),
                    call("v2", false, "b", "", None),
                    call("c3", true, "c", r#"{"cut": "o"#, None),
                ],
            ),
            message(Role::Tool, vec![result("c3", true, "c", returned("[1]"))]),
            message(Role::User, vec![text("and?")]),
            message(Role::Tool, vec![result("v2", false, "b", returned("42"))]),
            message(
                Role::Tool,
                vec![result("c1", true, "a", returned(r#"{"y":1,"x":2}"#))],
            ),
        ],
    );
    assert_eq!(
        turns,
        json!([
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"text": "Well."},
                {"functionCall": {"name": "a", "args": {"z": 1, "b": 0.10}}, "thoughtSignature": "c2ln"},
                {"functionCall": {"id": "v2", "name": "b", "args": {}}},
                {"functionCall": {"name": "c", "args": {"_raw": r#"{"cut": "o"#}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "a", "response": {"y": 1, "x": 2}}},
                {"functionResponse": {"id": "v2", "name": "b", "response": {"result": "42"}}},
                {"functionResponse": {"name": "c", "response": {"result": [1]}}},
                {"text": "and?"},
            ]},
        ])
    );
}

#[test]
fn a_failed_tool_says_so() {
    let failed = |text: &str| {
        let Part::ToolResult(mut result) = result("c", true, "f", returned(text)) else {
            unreachable!()
        };
        result.is_error = true;
        turns(
            "gemini-2.5-flash",
            vec![message(Role::Tool, vec![Part::ToolResult(result)])],
        )[0]["parts"][0]["functionResponse"]["response"]
            .clone()
    };
    assert_eq!(failed("boom"), json!({"error": "boom"}));
    assert_eq!(failed(r#"{"a":1}"#), json!({"error": {"a": 1}}));
}

#[test]
fn what_the_model_said_goes_back_part_by_part() {
    let thought = Part::Reasoning(Reasoning {
        text: "hm".to_owned(),
        signature: Some("dA==".to_owned()),
        redacted: None,
        ..Reasoning::default()
    });
    let block = Part::Opaque(Opaque {
        kind: "executableCode".to_owned(),
        data: r#"{"executableCode":{"language":"PYTHON","code":"1"},"thoughtSignature":"eA=="}"#
            .to_owned(),
    });
    let parts = vec![
        thought,
        signed("Hi", Some("cw==")),
        signed("", Some("ZQ==")),
        text(""),
        block,
    ];
    assert_eq!(
        turns("gemini-2.5-flash", vec![message(Role::Assistant, parts)]),
        json!([{"role": "model", "parts": [
            {"text": "hm", "thought": true, "thoughtSignature": "dA=="},
            {"text": "Hi", "thoughtSignature": "cw=="},
            {"text": "", "thoughtSignature": "ZQ=="},
            {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "eA=="},
        ]}])
    );
}

#[test]
fn a_user_who_says_nothing_first_keeps_a_turn() {
    let said = |role, words: &str| message(role, vec![text(words)]);
    let turns = turns(
        "gemini-2.5-flash",
        vec![
            said(Role::User, ""),
            said(Role::Assistant, "Hello"),
            said(Role::User, "Hi"),
        ],
    );
    let roles: Vec<_> = turns
        .as_array()
        .unwrap()
        .iter()
        .map(|turn| &turn["role"])
        .collect();
    assert_eq!(roles, ["user", "model", "user"]);
    assert_ne!(turns[0]["parts"], json!([]));
    let empty = arranged("gemini-2.5-flash", vec![said(Role::User, "")]).unwrap_err();
    assert_eq!(empty.kind, ErrorKind::InvalidRequest);
}

#[test]
fn gemini_3_gets_a_signature_on_the_first_call_of_another_vendors_turn() {
    let messages = |signature| {
        vec![message(
            Role::Assistant,
            vec![
                call("c1", true, "a", "{}", signature),
                call("c2", true, "b", "{}", None),
            ],
        )]
    };
    let signatures = |model: &str, signature| {
        let turns = turns(model, messages(signature));
        [0, 1].map(|at| turns[0]["parts"][at].get("thoughtSignature").cloned())
    };
    assert_eq!(
        signatures("gemini-3-pro-preview", None),
        [Some(json!(FOREIGN_CALL)), None]
    );
    assert_eq!(
        signatures("gemini-3-pro-preview", Some("cw==")),
        [Some(json!("cw==")), None]
    );
    assert_eq!(signatures("gemini-2.5-flash", None), [None, None]);
}

#[test]
fn pictures_are_inline_or_fetched() {
    let parts = vec![
        Part::Media(png(4)),
        link("https://example.org/a/cat.JPG?size=1#x"),
        link("https://www.youtube.com/watch?v=abc"),
    ];
    assert_eq!(
        turns("gemini-2.5-flash", vec![message(Role::User, parts)]),
        json!([{"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": "blob 4"}},
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.org/a/cat.JPG?size=1#x"}},
            {"fileData": {"fileUri": "https://www.youtube.com/watch?v=abc"}},
        ]}])
    );
}

#[test]
fn pictures_of_a_tool_are_in_its_result_or_right_behind_the_results() {
    let messages = || {
        let seen = vec![
            ResultPart::Text("seen".to_owned()),
            ResultPart::Media(png(1)),
        ];
        vec![message(
            Role::Tool,
            vec![
                result("c1", true, "a", seen),
                result("c2", true, "b", returned("x")),
            ],
        )]
    };
    let picture = json!({"inlineData": {"mimeType": "image/png", "data": "blob 1"}});
    let second = json!({"functionResponse": {"name": "b", "response": {"result": "x"}}});
    assert_eq!(
        turns("gemini-3-flash", messages())[0]["parts"],
        json!([
            {"functionResponse": {"name": "a", "response": {"result": "seen"}, "parts": [picture]}},
            second,
        ])
    );
    assert_eq!(
        turns("gemini-2.5-flash", messages())[0]["parts"],
        json!([
            {"functionResponse": {"name": "a", "response": {"result": "seen"}}},
            second,
            picture,
        ])
    );
}

#[test]
fn what_has_no_place_is_refused() {
    let picture = || Part::Media(png(1));
    for (messages, kind) in [
        (vec![], ErrorKind::InvalidRequest),
        (
            vec![message(Role::System, vec![text("only")])],
            ErrorKind::InvalidRequest,
        ),
        (
            vec![message(Role::System, vec![picture()])],
            ErrorKind::Unsupported,
        ),
        (
            vec![message(Role::User, vec![call("c", true, "f", "{}", None)])],
            ErrorKind::InvalidRequest,
        ),
        (
            vec![message(
                Role::Assistant,
                vec![result("c", true, "f", returned(""))],
            )],
            ErrorKind::InvalidRequest,
        ),
        (
            vec![message(
                Role::Assistant,
                vec![Part::Opaque(Opaque {
                    kind: "x".to_owned(),
                    data: "7".to_owned(),
                })],
            )],
            ErrorKind::InvalidRequest,
        ),
    ] {
        assert_eq!(
            arranged("gemini-2.5-flash", messages).unwrap_err().kind,
            kind
        );
    }
}

#[test]
fn open_tails_are_merged_last_into_what_bears_them() {
    let tail = |json: &str| Some(json.to_owned());
    let noted = |words: &str| {
        Part::Text(Text {
            extra: tail(r#"{"partMetadata":{"n":1.50}}"#),
            ..Text::new(words)
        })
    };
    let mut system = message(Role::System, vec![noted("Be brief.")]);
    system.extra = tail(r#"{"role":"system"}"#);
    let picture = Part::Media(Media {
        extra: tail(r#"{"mediaResolution":{"level":"LOW"}}"#),
        ..png(2)
    });
    let mut asked = message(Role::User, vec![noted("What?"), picture]);
    asked.extra = tail(r#"{"tag":"m"}"#);
    let called = Part::ToolCall(ToolCall {
        name: "look".to_owned(),
        arguments: r#"{"x":1}"#.to_owned(),
        extra: tail(r#"{"functionCall":{"args":{"y":2}}}"#),
        ..ToolCall::default()
    });
    let returned = Part::ToolResult(ToolResult {
        local: true,
        name: "look".to_owned(),
        content: returned("ok"),
        extra: tail(r#"{"functionResponse":{"willContinue":false}}"#),
        ..ToolResult::default()
    });
    let messages = vec![
        system,
        asked,
        message(Role::Assistant, vec![called]),
        message(Role::Tool, vec![returned]),
    ];
    let (system, turns) = arranged("gemini-2.5-flash", messages.clone()).unwrap();
    let metadata = json!({"n": 1.50});
    assert_eq!(
        system,
        json!({"parts": [{"text": "Be brief.", "partMetadata": metadata}], "role": "system"})
    );
    assert_eq!(
        turns,
        json!([
            {"role": "user", "tag": "m", "parts": [{"text": "What?", "partMetadata": metadata},
                {"inlineData": {"mimeType": "image/png", "data": "blob 2"}, "mediaResolution": {"level": "LOW"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "look", "args": {"x": 1, "y": 2}}}]},
            {"role": "user", "parts": [{"functionResponse":
                {"name": "look", "response": {"result": "ok"}, "willContinue": false}}]},
        ])
    );
    let (system, turns) = arranged("gemma-3-27b-it", messages).unwrap();
    assert_eq!(system, Value::Null);
    assert_eq!(
        turns.pointer("/0/parts/0").unwrap(),
        &json!({"text": "Be brief.", "partMetadata": metadata, "role": "system"})
    );
}

#[test]
fn what_has_no_place_is_refused_by_name() {
    let made = Media::from_source(MediaSource::Base64("AAAA".to_owned()), None);
    let archive = Media::blob(Blob { id: 1, length: 1 }, "application/zip");
    let block = ResultPart::Opaque(Opaque {
        kind: "search_result".to_owned(),
        data: "{}".to_owned(),
    });
    for (part, named) in [
        (Part::Media(made), "base64"),
        (Part::Media(archive), "application/zip"),
        (result("c", true, "f", vec![block]), "search_result"),
    ] {
        let refused = arranged("gemini-2.5-flash", vec![message(Role::User, vec![part])]);
        let error = refused.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{}", error.message);
        assert!(error.message.contains(named), "{}", error.message);
        assert!(error.message.contains("gemini"), "{}", error.message);
    }
}

#[test]
fn media_of_any_type_are_data_or_files() {
    let film = Media {
        media_type: Some("video/mp4".to_owned()),
        ..Media::url("https://x.example/watch")
    };
    let file = |id: &str| Media::from_source(MediaSource::FileId(id.to_owned()), None);
    let sound = Media::blob(Blob { id: 3, length: 1 }, "audio/flac");
    let parts = [film, file("files/abc"), file("gs://b/o"), sound].map(Part::Media);
    let turns = turns(
        "gemini-2.5-flash",
        vec![message(Role::User, parts.to_vec())],
    );
    assert_eq!(
        turns.pointer("/0/parts").unwrap(),
        &json!([
            {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.example/watch"}},
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
            {"fileData": {"fileUri": "gs://b/o"}},
            {"inlineData": {"mimeType": "audio/flac", "data": "blob 3"}},
        ])
    );
}

#[test]
fn what_the_vendors_tools_did_goes_back_as_it_came() {
    let code = r#"{"executableCode":{"language":"PYTHON","code":"1"},"thoughtSignature":"s"}"#;
    let ran = r#"{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1.50"}}"#;
    let drawn = Media {
        extra: Some(r#"{"thoughtSignature":"p"}"#.to_owned()),
        ..Media::blob(Blob { id: 2, length: 3 }, "image/png")
    };
    let answer = message(
        Role::Assistant,
        vec![
            Part::ServerToolCall(ServerToolCall {
                id: None,
                name: "code-execution".to_owned(),
                input: None,
                data: code.to_owned(),
            }),
            Part::ServerToolResult(ServerToolResult {
                call_id: None,
                name: "code-execution".to_owned(),
                is_error: false,
                content: vec![],
                data: ran.to_owned(),
            }),
            Part::Media(drawn),
        ],
    );
    let said = message(Role::User, vec![Part::text("go")]);
    let (_, turns) = arranged("gemini-3-pro", vec![said, answer]).unwrap();
    let kept = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(
        turns.pointer("/1/parts").unwrap(),
        &json!([kept(code), kept(ran),
            {"inlineData": {"mimeType": "image/png", "data": "blob 2"}, "thoughtSignature": "p"}])
    );
}
