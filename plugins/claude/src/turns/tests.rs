//! What conversations become.

use multillm_plugin_sdk::body::{Blobs, json_body};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    Blob, BodyPart, Cache, ChatRequest, Error, ErrorKind, Media, MediaSource, Opaque, Part,
    Reasoning, ResultPart, Role, ServerToolCall, Text, ToolCall, ToolResult,
};
use serde_json::{Value, json};

use super::{Conversation, Turn, conversation, wire_id};
use crate::cache::{Keeping, Marks};
use crate::citations;
use crate::fixtures::{call, converse, message, said, text};
use crate::model::Model;
use crate::tree::Tree;

mod thoughts;

fn tree(turns: Vec<Turn<'_>>) -> Tree<'_> {
    Tree::List(turns.into_iter().map(Tree::from).collect())
}

fn spread<'a>(request: &'a ChatRequest, blobs: &mut Blobs) -> Result<Conversation<'a>, Error> {
    let marks = Marks::of(request, Keeping::Off);
    conversation(request, Model::of("claude"), &marks, blobs)
}

fn laid_out(request: &ChatRequest) -> Result<(Value, Option<String>), Error> {
    let mut system = None;
    let parts = json_body(request, |blobs| {
        let conversation = spread(request, blobs)?;
        let said = conversation.system.tree(None);
        system = said.map(|said| {
            serde_json::to_value(said)
                .unwrap()
                .as_str()
                .map_or_else(String::new, str::to_owned)
        });
        Ok(tree(conversation.turns))
    })?;
    Ok((request_body(parts), system))
}

fn request_body(parts: Vec<BodyPart>) -> Value {
    let text: String = parts
        .iter()
        .map(|part| match part {
            BodyPart::Text(text) => text.clone(),
            BodyPart::BlobBase64(id) => format!("<blob {id}>"),
        })
        .collect();
    serde_json::from_str(&text).unwrap()
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
        ..ToolResult::default()
    })
}

fn said_result(call_id: &str, words: &str) -> Part {
    result(call_id, vec![ResultPart::Text(words.to_owned())], false)
}

fn picture(media_type: &str) -> Media {
    Media::blob(Blob { id: 7, length: 10 }, media_type)
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
    let picture = ResultPart::Media(picture("image/png"));
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
    let cites = Part::Text(Text {
        citations: vec![citations::read(
            &Json::parse(r#"{"type":"web_search_result_location","encrypted_index":"E=="}"#)
                .unwrap(),
        )],
        ..Text::new("so.")
    });
    let signed = |words: &str, signature: &str| {
        Part::Text(Text {
            text: words.to_owned(),
            signature: Some(signature.to_owned()),
            ..Text::default()
        })
    };
    let request = converse(vec![
        said(Role::User, "q"),
        message(
            Role::Assistant,
            [
                Part::ServerToolCall(ServerToolCall {
                    id: Some("srv_1".into()),
                    name: "web-search".into(),
                    input: None,
                    data: server.to_owned(),
                }),
                own("web_search_tool_result", found),
                signed("It says ", "[]"),
                signed("so.", cited),
                cites,
                signed("Foreign.", "EuY="),
            ],
        ),
    ]);
    let parts = json_body(&request, |blobs| Ok(tree(spread(&request, blobs)?.turns))).unwrap();
    let expected = format!(
        r#"[{{"role":"user","content":[{{"type":"text","text":"q"}}]}},{{"role":"assistant","content":[{server},{found},{{"type":"text","text":"It says "}},{{"type":"text","text":"so.","citations":{cited}}},{{"type":"text","text":"so.","citations":{cited}}},{{"type":"text","text":"Foreign."}}]}}]"#
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
fn a_picture_of_the_models_is_sent_on_by_the_user() {
    let turns = turns(vec![
        said(Role::User, "draw"),
        message(
            Role::Assistant,
            [text("Here."), Part::Media(picture("image/png"))],
        ),
        said(Role::User, "bigger"),
    ]);
    assert_eq!(
        turns,
        json!([
            {"role": "user", "content": [{"type": "text", "text": "draw"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Here."}]},
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "<blob 7>"}},
                {"type": "text", "text": "bigger"}]},
        ])
    );
}

#[test]
fn pictures_are_blobs_or_urls() {
    let url = Media {
        detail: Some("low".into()),
        ..Media::url("https://example.com/a.png")
    };
    let turns = turns(vec![message(
        Role::User,
        [
            Part::Media(picture("image/JPG")),
            Part::Media(url),
            Part::Media(picture("application/pdf")),
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
            vec![message(Role::System, [Part::Media(picture("image/png"))])],
            ErrorKind::Unsupported,
        ),
        (
            vec![message(Role::User, [Part::Media(picture("image/tiff"))])],
            ErrorKind::Unsupported,
        ),
        (
            vec![message(
                Role::Assistant,
                [Part::Media(picture("image/png"))],
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

#[test]
fn open_tails_are_merged_last_into_what_bears_them() {
    let tail = |json: &str| Some(json.to_owned());
    let cached = r#"{"cache_control":{"type":"ephemeral"}}"#;
    let noted = |words: &str| {
        Part::Text(Text {
            extra: tail(cached),
            ..Text::new(words)
        })
    };
    let picture = Part::Media(Media {
        extra: tail(r#"{"source":{"media_type":"image/gif"}}"#),
        ..picture("image/png")
    });
    let thought = Part::Reasoning(Reasoning {
        text: "hm".into(),
        signature: Some("s".into()),
        extra: tail(r#"{"n":1.50}"#),
        ..Reasoning::default()
    });
    let called = Part::ToolCall(ToolCall {
        extra: tail(r#"{"input":{"y":2}}"#),
        ..call("c1", "look", r#"{"x":1}"#)
    });
    let returned = Part::ToolResult(ToolResult {
        call_id: "c1".into(),
        extra: tail(r#"{"tag":1}"#),
        ..ToolResult::default()
    });
    let mut messages = vec![
        message(Role::System, [text("Be brief.")]),
        message(Role::System, [noted("Rhyme.")]),
        message(Role::User, [noted("Hi"), picture]),
        message(Role::Assistant, [thought, called]),
        message(Role::Tool, [returned]),
    ];
    messages[2].extra = tail(r#"{"id":"m"}"#);
    let request = converse(messages);
    let parts = json_body(&request, |blobs| {
        let Conversation { system, turns, .. } = spread(&request, blobs)?;
        Ok(Tree::object([("messages", tree(turns))]).with("system", system.tree(Some("JSON."))))
    });
    let sent = request_body(parts.unwrap());
    let ephemeral = json!({"type": "ephemeral"});
    assert_eq!(
        sent,
        json!({"messages": [
            {"role": "user", "id": "m", "content": [
                {"type": "text", "text": "Hi", "cache_control": ephemeral},
                {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "<blob 7>"}}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s", "n": 1.50},
                {"type": "tool_use", "id": "c1", "name": "look", "input": {"x": 1, "y": 2}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "tag": 1}]}],
            "system": [
                {"type": "text", "text": "Be brief."},
                {"type": "text", "text": "Rhyme.", "cache_control": ephemeral},
                {"type": "text", "text": "JSON."}]})
    );
}

#[test]
fn what_has_no_place_is_refused_by_name() {
    let film = Media::from_source(
        MediaSource::FileId("file_1".into()),
        Some("video/mp4".into()),
    );
    for (part, named) in [
        (Part::Media(picture("audio/wav")), "audio/wav"),
        (Part::Media(picture("text/plain")), "text/plain"),
        (Part::Media(film), "file_1"),
    ] {
        let error = laid_out(&converse(vec![message(Role::User, [part])])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{}", error.message);
        assert!(error.message.contains(named), "{}", error.message);
        assert!(error.message.contains("claude"), "{}", error.message);
    }
}

#[test]
fn documents_stand_at_addresses_and_under_ids_too() {
    let pdf = |source| {
        Part::Media(Media {
            name: Some("a.pdf".into()),
            ..Media::from_source(source, Some("application/pdf".into()))
        })
    };
    let id = || MediaSource::FileId("file_1".into());
    let turns = turns(vec![message(
        Role::User,
        [
            pdf(MediaSource::Url("https://example.com/a.pdf".into())),
            pdf(id()),
            Part::Media(Media::from_source(id(), Some("image/png".into()))),
            Part::Media(Media::from_source(id(), None)),
            Part::Media(Media::url("https://example.com/b.PDF?x=1")),
        ],
    )]);
    assert_eq!(
        turns.pointer("/0/content").unwrap(),
        &json!([
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}, "title": "a.pdf"},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "a.pdf"},
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "document", "source": {"type": "url", "url": "https://example.com/b.PDF?x=1"}},
        ])
    );
}

#[test]
fn marks_for_the_cache_stand_before_what_the_caller_adds() {
    let cache = |seconds| Some(Cache { seconds });
    let noted = |words: &str, seconds| {
        Part::Text(Text {
            cache: cache(seconds),
            ..Text::new(words)
        })
    };
    let mut picture = picture("image/png");
    picture.cache = cache(Some(3600));
    let mut answered = Part::ToolResult(ToolResult {
        call_id: "c1".into(),
        cache: cache(Some(60)),
        ..ToolResult::default()
    });
    if let Part::ToolResult(result) = &mut answered {
        result.extra = Some(r#"{"cache_control":{"ttl":"5m"}}"#.into());
    }
    let request = converse(vec![
        message(Role::System, [text("Be brief."), noted("Rhyme.", None)]),
        message(Role::User, [noted("Hi", Some(301)), Part::Media(picture)]),
        message(
            Role::Assistant,
            [Part::ToolCall(call("c1", "look", "{}")), noted("So.", None)],
        ),
        message(Role::Tool, [answered]),
    ]);
    let parts = json_body(&request, |blobs| {
        let Conversation { system, turns, .. } = spread(&request, blobs)?;
        Ok(Tree::object([("messages", tree(turns))]).with("system", system.tree(None)))
    });
    let sent = request_body(parts.unwrap());
    let marks = |path: &str| sent.pointer(path).cloned();
    let (short, long) = (
        json!({"type": "ephemeral"}),
        json!({"type": "ephemeral", "ttl": "1h"}),
    );
    for (path, mark) in [
        ("/system/1", short.clone()),
        ("/messages/0/content/1", long),
        ("/messages/1/content/1", short),
        (
            "/messages/2/content/0",
            json!({"type": "ephemeral", "ttl": "5m"}),
        ),
    ] {
        assert_eq!(
            marks(&format!("{path}/cache_control")),
            Some(mark),
            "{path}"
        );
    }
    assert_eq!(marks("/system/0/cache_control"), None);
    // The second of five: the vendor takes four.
    assert_eq!(marks("/messages/0/content/0/cache_control"), None);
}
