use serde_json::{Value, json};

use super::super::tests::send;
use super::*;
use crate::testing::{ask, says, text, thought};
use crate::{Blob, ErrorKind, Media, MediaSource, Mode, ServerToolCall, Text, Tool, ToolInput};

fn sent(dialect: &Dialect, messages: Vec<Message>) -> Result<Value, Error> {
    let (_, mut body) = send(dialect, "m", &ask(messages), Mode::Whole)?;
    Ok(body["messages"].take())
}

fn turn(role: Role, content: Vec<Part>) -> Vec<Message> {
    vec![Message {
        role,
        content,
        extra: None,
    }]
}

fn image(source: MediaSource, detail: Option<&str>) -> Media {
    Media {
        detail: detail.map(str::to_owned),
        ..Media::from_source(source, Some("image/png".to_owned()))
    }
}

fn call(id: &str, arguments: &str, signature: Option<&str>) -> Part {
    Part::ToolCall(ToolCall {
        id: Some(id.to_owned()),
        local: true,
        name: "look".to_owned(),
        arguments: arguments.to_owned(),
        signature: signature.map(str::to_owned),
        ..ToolCall::default()
    })
}

fn result(id: &str, content: Vec<ResultPart>) -> Part {
    Part::ToolResult(ToolResult {
        call_id: id.to_owned(),
        local: true,
        name: "look".to_owned(),
        content,
        is_error: false,
        ..ToolResult::default()
    })
}

#[test]
fn pictures_are_urls_or_stand_in_for_their_bytes() {
    let blob = Blob { id: 4, length: 3 };
    let parts = vec![
        text("What?"),
        Part::Media(image(MediaSource::Blob(blob), Some("low"))),
        Part::Media(image(
            MediaSource::Url("https://x.example/a".to_owned()),
            None,
        )),
    ];
    assert_eq!(
        sent(&Dialect::default(), turn(Role::User, parts)).unwrap(),
        json!([{"role": "user", "content": [
            {"type": "text", "text": "What?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,<blob 4>", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://x.example/a"}},
        ]}])
    );
}

#[test]
fn several_texts_stay_apart_unless_the_server_wants_one() {
    let parts = || turn(Role::User, vec![text("a"), text(""), text("b")]);
    assert_eq!(
        sent(&Dialect::default(), parts()).unwrap(),
        json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}])
    );
    let flat = Dialect {
        flat_content: true,
        ..Dialect::default()
    };
    assert_eq!(
        sent(&flat, parts()).unwrap(),
        json!([{"role": "user", "content": "a\nb"}])
    );
    assert_eq!(
        sent(&flat, turn(Role::User, vec![])).unwrap(),
        json!([{"role": "user", "content": ""}])
    );
}

#[test]
fn calls_and_results_go_back_in_order_with_their_ids() {
    let mut messages = turn(
        Role::Assistant,
        vec![call("a", "", None), call("b", r#"{"x":1}"#, None)],
    );
    messages.extend(turn(
        Role::Tool,
        vec![
            result(
                "a",
                vec![ResultPart::Text("1".into()), ResultPart::Text("2".into())],
            ),
            result("b", vec![]),
        ],
    ));
    messages.push(says(Role::Assistant, "Done."));
    assert_eq!(
        sent(&Dialect::default(), messages).unwrap(),
        json!([
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "look", "arguments": "{\"x\":1}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": "1\n2"},
            {"role": "tool", "tool_call_id": "b", "content": ""},
            {"role": "assistant", "content": "Done."},
        ])
    );
}

#[test]
fn a_custom_call_goes_back_as_one() {
    let messages = turn(
        Role::Assistant,
        vec![text("So:"), call("a", "select 1", Some(CUSTOM))],
    );
    assert_eq!(
        sent(&Dialect::default(), messages).unwrap(),
        json!([{"role": "assistant", "content": "So:", "tool_calls": [
            {"id": "a", "type": "custom", "custom": {"name": "look", "input": "select 1"}}]}])
    );
}

#[test]
fn ids_that_a_server_would_refuse_are_replaced_alike_in_call_and_result() {
    let long = "x".repeat(41);
    for (rule, id, fits) in [
        (CallIds::UpTo(40), "call_1", true),
        (CallIds::UpTo(40), long.as_str(), false),
        (CallIds::UpTo(40), "", false),
        (CallIds::NineAlphanumeric, "aB3dE6gH9", true),
        (CallIds::NineAlphanumeric, "call_1", false),
        (CallIds::NineAlphanumeric, "call_1234", false),
    ] {
        let dialect = Dialect {
            call_ids: rule,
            ..Dialect::default()
        };
        let mut messages = turn(Role::Assistant, vec![call(id, "{}", None)]);
        messages.extend(turn(Role::Tool, vec![result(id, vec![])]));
        let body = sent(&dialect, messages).unwrap();
        let found = body[0]["tool_calls"][0]["id"].as_str().unwrap();
        assert_eq!(body[1]["tool_call_id"], found);
        assert_eq!(found == id, fits, "{found}");
        if rule == CallIds::NineAlphanumeric {
            assert!(found.len() == 9 && found.bytes().all(|b| b.is_ascii_alphanumeric()));
        } else {
            assert!(found.len() <= 40);
        }
    }
    assert_ne!(letters("call_1", 9), letters("call_2", 9));
}

#[test]
fn thoughts_go_back_only_where_the_server_wants_them() {
    let spoken = || vec![thought("hm"), text("x")];
    let calling = || vec![thought("hm"), call("a", "{}", None)];
    use ReasoningHistory::{Drop, Keep, ToolCalls};
    for (history, content, kept) in [
        (Drop, calling(), false),
        (ToolCalls, spoken(), false),
        (ToolCalls, calling(), true),
        (Keep, spoken(), true),
    ] {
        let dialect = Dialect {
            reasoning_history: history,
            ..Dialect::default()
        };
        let body = sent(&dialect, turn(Role::Assistant, content)).unwrap();
        let found = body[0].get("reasoning_content");
        assert_eq!(found, kept.then(|| json!("hm")).as_ref());
    }
    let other = Dialect {
        reasoning_history: Keep,
        reasoning_field: ReasoningField::Reasoning,
        ..Dialect::default()
    };
    let body = sent(&other, turn(Role::Assistant, spoken())).unwrap();
    assert_eq!(body[0]["reasoning"], "hm");
}

#[test]
fn what_does_not_belong_is_refused() {
    let picture = || image(MediaSource::Url("https://x.example".to_owned()), None);
    for (role, part, kind) in [
        (Role::System, Part::Media(picture()), ErrorKind::Unsupported),
        (Role::User, call("a", "{}", None), ErrorKind::InvalidRequest),
        (Role::Tool, text("x"), ErrorKind::InvalidRequest),
        (
            Role::Assistant,
            result("a", vec![]),
            ErrorKind::InvalidRequest,
        ),
        (
            Role::Tool,
            result("a", vec![ResultPart::Media(picture())]),
            ErrorKind::Unsupported,
        ),
    ] {
        let error = sent(&Dialect::default(), turn(role, vec![part])).unwrap_err();
        assert_eq!(error.kind, kind, "{}", error.message);
    }
}

fn opaque(kind: &str, data: &str) -> Part {
    Part::Opaque(Opaque {
        kind: kind.to_owned(),
        data: data.to_owned(),
    })
}

fn thought_as(words: &str, form: &str) -> Part {
    Part::Reasoning(Reasoning {
        text: words.to_owned(),
        signature: Some(form.to_owned()),
        redacted: None,
        ..Reasoning::default()
    })
}

fn answered(model: &str, dialect: &Dialect, content: Vec<Part>) -> Value {
    let request = ask(turn(Role::Assistant, content));
    let (_, mut body) = send(dialect, model, &request, Mode::Whole).unwrap();
    body["messages"][0].take()
}

#[test]
fn what_a_server_wants_back_goes_back_as_it_came() {
    let extra = r#"{"google":{"thought_signature":"Q2k="}}"#;
    let details = r#"[{"type":"reasoning.encrypted","data":"x","index":0}]"#;
    let parts = vec![
        thought("Hm"),
        call("a", "{}", Some(extra)),
        opaque("reasoning_details", details),
        opaque("image_url", r#"{"type":"image_url"}"#),
        opaque("audio", r#"{"id":"a1","data":"AAAA"}"#),
    ];
    assert_eq!(
        answered("m", &Dialect::default(), parts),
        json!({"role": "assistant", "content": null, "audio": {"id": "a1"},
            "reasoning_details": [{"type": "reasoning.encrypted", "data": "x", "index": 0}],
            "tool_calls": [{"id": "a", "type": "function",
                "function": {"name": "look", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "Q2k="}}}]})
    );
    let signed = Part::Text(Text {
        text: "Hi".to_owned(),
        signature: Some(extra.to_owned()),
        ..Text::default()
    });
    assert_eq!(
        answered("m", &Dialect::default(), vec![signed]),
        json!({"role": "assistant", "content": "Hi",
            "extra_content": {"google": {"thought_signature": "Q2k="}}})
    );
}

#[test]
fn thoughts_that_stood_in_the_content_stand_there_again() {
    for (form, piece) in [
        (
            r#"{"type":"thinking","thinking":[{"type":"text","text":""}]}"#,
            json!({"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}),
        ),
        (
            r#"{"type":"thinking","thinking":"","signature":"s"}"#,
            json!({"type": "thinking", "thinking": "so", "signature": "s"}),
        ),
        (
            r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"","signature":"s"}]}"#,
            json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "so", "signature": "s"}]}),
        ),
    ] {
        let parts = vec![thought_as("so", form), text("yes")];
        assert_eq!(
            answered("m", &Dialect::default(), parts),
            json!({"role": "assistant", "content": [piece, {"type": "text", "text": "yes"}]})
        );
    }
}

#[test]
fn some_models_demand_the_thoughts_of_their_calls() {
    let called = || vec![thought("Hm"), call("a", "{}", None)];
    let silent = || vec![call("a", "{}", None)];
    let said = || vec![thought("Hm"), text("Hi")];
    let thoughts = |model: &str, parts| {
        answered(model, &Dialect::default(), parts)
            .get("reasoning_content")
            .cloned()
    };
    for model in [
        "kimi-k2-thinking",
        "moonshotai/Kimi-K2.5",
        "deepseek-v4-pro",
    ] {
        assert_eq!(thoughts(model, called()), Some(json!("Hm")), "{model}");
        assert_eq!(thoughts(model, silent()), Some(json!("")), "{model}");
        assert_eq!(thoughts(model, said()), None, "{model}");
    }
    assert_eq!(thoughts("kimi-k3", said()), Some(json!("Hm")));
    assert_eq!(thoughts("kimi-k3", vec![text("Hi")]), None);
    assert_eq!(thoughts("m", called()), None);
    let dropped = Dialect {
        reasoning_history: ReasoningHistory::Drop,
        ..Dialect::default()
    };
    let answer = answered("kimi-k2-thinking", &dropped, called());
    assert!(answer.get("reasoning_content").is_none());
}

#[test]
fn open_tails_are_merged_last_into_what_bears_them() {
    let tail = |json: &str| Some(json.to_owned());
    let noted = Part::Text(Text {
        extra: tail(r#"{"note":1.50}"#),
        ..Text::new("a")
    });
    let picture = Part::Media(Media {
        extra: tail(r#"{"image_url":{"detail":"original"}}"#),
        ..Media::url("https://x.example/a")
    });
    let mut said = says(Role::User, "hi");
    said.extra = tail(r#"{"name":"ann"}"#);
    let mut thinking = thought("hm");
    if let Part::Reasoning(part) = &mut thinking {
        part.extra = tail(r#"{"reasoning_id":"r"}"#);
    }
    let called = Part::ToolCall(ToolCall {
        id: Some("c1".to_owned()),
        name: "look".to_owned(),
        extra: tail(r#"{"function":{"arguments":"{\"x\":2}"},"index":0}"#),
        ..ToolCall::default()
    });
    let returned = Part::ToolResult(ToolResult {
        call_id: "c1".to_owned(),
        extra: tail(r#"{"tag":"t"}"#),
        ..ToolResult::default()
    });
    let messages = vec![
        said,
        Message::new(Role::User, vec![noted.clone(), picture]),
        Message::new(Role::Assistant, vec![thinking, noted, called]),
        Message {
            extra: tail(r#"{"tag":"m"}"#),
            ..Message::new(Role::Tool, vec![returned])
        },
    ];
    let dialect = Dialect {
        reasoning_history: ReasoningHistory::Keep,
        ..Dialect::default()
    };
    let body = sent(&dialect, messages).unwrap();
    assert_eq!(
        body,
        json!([
            {"role": "user", "content": "hi", "name": "ann"},
            {"role": "user", "content": [
                {"type": "text", "text": "a", "note": 1.50},
                {"type": "image_url", "image_url": {"url": "https://x.example/a", "detail": "original"}}]},
            {"role": "assistant", "content": [{"type": "text", "text": "a", "note": 1.50}],
             "reasoning_content": "hm", "reasoning_id": "r", "tool_calls": [{"id": "c1", "type": "function",
                "function": {"name": "look", "arguments": "{\"x\":2}"}, "index": 0}]},
            {"role": "tool", "tool_call_id": "c1", "content": "", "tag": "m"},
        ])
    );
}

#[test]
fn what_this_wire_has_no_place_for_is_refused_by_name() {
    let film = Media::blob(Blob { id: 1, length: 3 }, "video/mp4");
    let flac = Media::blob(Blob { id: 1, length: 3 }, "audio/flac");
    let search = ServerToolCall {
        id: None,
        name: "web-search".to_owned(),
        input: None,
        data: "{}".to_owned(),
    };
    for (role, part, named) in [
        (Role::User, Part::Media(film.clone()), "video/mp4"),
        (Role::User, Part::Media(flac), "audio/flac"),
        (Role::User, Part::ServerToolCall(search), "web-search"),
        (
            Role::Tool,
            result("a", vec![ResultPart::Media(film)]),
            "video/mp4",
        ),
    ] {
        let error = sent(&Dialect::default(), turn(role, vec![part])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{}", error.message);
        assert!(error.message.contains(named), "{}", error.message);
        assert!(error.message.contains("openai"), "{}", error.message);
    }
}

#[test]
fn sound_and_documents_are_pieces_where_the_server_knows_them() {
    let blob = Blob { id: 4, length: 3 };
    let invoice = Media {
        name: Some("invoice.pdf".to_owned()),
        ..Media::blob(blob, "application/pdf")
    };
    let kept = Media::from_source(MediaSource::FileId("file-1".to_owned()), None);
    let parts = || {
        vec![
            Part::Media(Media::blob(blob, "audio/x-wav")),
            Part::Media(Media::blob(blob, "audio/mpeg")),
            Part::Media(invoice.clone()),
            Part::Media(Media::blob(blob, "application/pdf")),
            Part::Media(kept.clone()),
        ]
    };
    let data = "data:application/pdf;base64,<blob 4>";
    assert_eq!(
        sent(&Dialect::default(), turn(Role::User, parts())).unwrap()[0]["content"],
        json!([
            {"type": "input_audio", "input_audio": {"data": "<blob 4>", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "<blob 4>", "format": "mp3"}},
            {"type": "file", "file": {"filename": "invoice.pdf", "file_data": data}},
            {"type": "file", "file": {"filename": "document.pdf", "file_data": data}},
            {"type": "file", "file": {"file_id": "file-1"}},
        ])
    );
    let plain = Dialect {
        additions: false,
        ..Dialect::default()
    };
    for part in parts() {
        let error = sent(&plain, turn(Role::User, vec![part])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{}", error.message);
    }
}

#[test]
fn a_call_of_a_tool_that_takes_free_text_stays_free_text_whoever_made_it() {
    let mut request = ask(vec![Message::new(
        Role::Assistant,
        vec![call("c1", "*** begin", None)],
    )]);
    request.tools = vec![Tool {
        name: "look".to_owned(),
        input: ToolInput::Text(None),
        ..Tool::default()
    }];
    let (_, body) = send(&Dialect::default(), "m", &request, Mode::Whole).unwrap();
    assert_eq!(
        body["messages"][0]["tool_calls"],
        json!([{"id": "c1", "type": "custom", "custom": {"name": "look", "input": "*** begin"}}])
    );
}

#[test]
fn what_an_answer_shows_is_shown_again_behind_the_results_of_its_calls() {
    let blob = Blob { id: 2, length: 3 };
    let mut voice = Media::blob(blob, "audio/wav");
    voice.extra = Some(r#"{"id":"audio_1","expires_at":9}"#.to_owned());
    let search = ServerToolCall {
        id: Some("ws_1".to_owned()),
        name: "web-search".to_owned(),
        input: None,
        data: r#"{"type":"web_search_call","id":"ws_1"}"#.to_owned(),
    };
    let turns = vec![
        Message::new(
            Role::Assistant,
            vec![
                Part::ServerToolCall(search),
                Part::Media(Media::blob(blob, "image/png")),
                Part::Media(voice),
                call("c1", "{}", None),
            ],
        ),
        Message::new(
            Role::Tool,
            vec![result("c1", vec![ResultPart::Text("ok".to_owned())])],
        ),
        says(Role::User, "go on"),
    ];
    assert_eq!(
        sent(&Dialect::default(), turns).unwrap(),
        json!([
            {"role": "assistant", "content": null, "audio": {"id": "audio_1"}, "tool_calls": [{"id": "c1",
                "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "ok"},
            {"role": "user", "content": [{"type": "image_url",
                "image_url": {"url": "data:image/png;base64,<blob 2>"}}]},
            {"role": "user", "content": "go on"},
        ])
    );
}
