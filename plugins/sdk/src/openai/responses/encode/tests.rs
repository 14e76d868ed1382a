use serde_json::{Value, json};

use super::*;
use crate::openai::settings::Settings;
use crate::testing::{ask, body, says, text};
use crate::{
    Blob, ErrorKind, JsonSchema, Media, MediaSource, Message, Opaque, Part, Reasoning,
    ResponseFormat, ResultPart, Role, ServerTool, ServerToolCall, Text, Tool, ToolCall, ToolChoice,
    ToolInput, ToolResult,
};

fn made(model: &str, request: &ChatRequest) -> Result<Request, Error> {
    let dialect = Dialect {
        api: Api::Responses,
        ..Dialect::default()
    };
    let place = Place::new("responses");
    encode(
        &dialect,
        &place,
        &crate::testing::target(model, "{}"),
        request,
        Mode::Whole,
    )
}

fn sent(model: &str, request: &ChatRequest) -> Value {
    body(&made(model, request).unwrap())
}

fn input(messages: Vec<Message>) -> Value {
    sent("gpt-4o", &ask(messages))["input"].take()
}

fn with(part: Part, extra: &str) -> Part {
    let extra = Some(extra.to_owned());
    match part {
        Part::Text(part) => Part::Text(Text { extra, ..part }),
        Part::ToolCall(part) => Part::ToolCall(ToolCall { extra, ..part }),
        Part::Reasoning(part) => Part::Reasoning(Reasoning { extra, ..part }),
        other => other,
    }
}

fn thought(words: &str, encrypted: Option<&str>) -> Part {
    Part::Reasoning(Reasoning {
        text: words.to_owned(),
        signature: encrypted.map(str::to_owned),
        ..Reasoning::default()
    })
}

fn call(id: &str, arguments: &str, signature: Option<&str>) -> Part {
    Part::ToolCall(ToolCall {
        id: Some(id.to_owned()),
        name: "look".to_owned(),
        arguments: arguments.to_owned(),
        signature: signature.map(str::to_owned),
        ..ToolCall::default()
    })
}

fn result(id: &str, content: Vec<ResultPart>) -> Message {
    let result = ToolResult {
        call_id: id.to_owned(),
        name: "look".to_owned(),
        content,
        ..ToolResult::default()
    };
    Message::new(Role::Tool, vec![Part::ToolResult(result)])
}

#[test]
fn a_plain_question_keeps_nothing_with_the_vendor() {
    let mut request = ask(vec![
        says(Role::System, "Be brief."),
        says(Role::User, "hi"),
    ]);
    request.sampling.max_tokens = Some(50);
    request.sampling.temperature = Some(0.5);
    assert_eq!(
        sent("gpt-4o", &request),
        json!({"model": "gpt-4o", "instructions": "Be brief.", "input": [{"role": "user", "content": "hi"}],
               "max_output_tokens": 50, "temperature": 0.5, "store": false, "stream": false})
    );
}

#[test]
fn a_model_that_reasons_gives_its_thoughts_encrypted_unless_the_vendor_keeps_them() {
    let mut request = ask(vec![
        says(Role::User, "hi"),
        says(Role::System, "Now in French."),
    ]);
    request.reasoning_effort = Some("max".to_owned());
    let found = sent("gpt-5.2", &request);
    assert_eq!(found["include"], json!(["reasoning.encrypted_content"]));
    assert_eq!(found["reasoning"], json!({"effort": "xhigh"}));
    assert_eq!(
        found["input"][1],
        json!({"role": "developer", "content": "Now in French."})
    );
    for (extra, store) in [
        (r#"{"store":true}"#, true),
        (r#"{"background":true}"#, true),
    ] {
        request.extra = Some(extra.to_owned());
        let found = sent("gpt-5.2", &request);
        assert_eq!(
            (&found["store"], &found["include"]),
            (&json!(store), &Value::Null)
        );
    }
    request.extra = Some(r#"{"previous_response_id":"resp_1"}"#.to_owned());
    assert_eq!(sent("gpt-5.2", &request)["previous_response_id"], "resp_1");
}

#[test]
fn what_the_api_does_not_take_is_refused_by_name_or_left_out_with_a_word() {
    let mut request = ask(vec![says(Role::User, "hi")]);
    request.sampling.seed = Some(1);
    request.sampling.stop = vec!["x".to_owned()];
    request.sampling.temperature = Some(0.2);
    let error = made("o3", &request).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(error.message.contains("stop, seed"), "{}", error.message);
    request.drop_unsupported = true;
    let left = made("o3", &request).unwrap();
    assert_eq!(
        left.warnings,
        [
            "stop: the Responses API has none",
            "seed: the Responses API has none",
            "temperature: \"o3\" reasons, and takes none"
        ]
    );
    let found = body(&left);
    for name in ["temperature", "seed", "stop"] {
        assert_eq!(found[name], Value::Null);
    }
}

#[test]
fn media_are_pieces_and_their_bytes_stay_with_the_host() {
    let blob = Blob { id: 3, length: 9 };
    let kept = |kind: Option<&str>| {
        let source = MediaSource::FileId("file-1".to_owned());
        Part::Media(Media::from_source(source, kind.map(str::to_owned)))
    };
    let at = |kind: &str| {
        let source = MediaSource::Url("https://x.example/a".to_owned());
        Part::Media(Media::from_source(source, Some(kind.to_owned())))
    };
    let mut named = Media::blob(blob, "application/pdf");
    named.name = Some("a.pdf".to_owned());
    let parts = vec![
        text("see"),
        Part::Media(Media {
            detail: Some("low".to_owned()),
            ..Media::blob(blob, "image/png")
        }),
        Part::Media(named),
        at("application/pdf"),
        at("image/png"),
        kept(None),
        kept(Some("image/png")),
    ];
    assert_eq!(
        input(vec![Message::new(Role::User, parts)])[0]["content"],
        json!([
            {"type": "input_text", "text": "see"},
            {"type": "input_image", "image_url": "data:image/png;base64,<blob 3>", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,<blob 3>"},
            {"type": "input_file", "file_url": "https://x.example/a"},
            {"type": "input_image", "image_url": "https://x.example/a"},
            {"type": "input_file", "file_id": "file-1"},
            {"type": "input_image", "file_id": "file-1"},
        ])
    );
    for kind in ["audio/wav", "video/mp4"] {
        let media = Part::Media(Media::blob(blob, kind));
        let asked = ask(vec![Message::new(Role::User, vec![media])]);
        let error = made("gpt-4o", &asked).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains(kind), "{}", error.message);
    }
}

#[test]
fn an_answer_goes_back_as_the_items_that_it_came_in() {
    let drawn = ServerToolCall {
        id: Some("ig_1".to_owned()),
        name: "image-generation".to_owned(),
        input: None,
        data: r#"{"type":"image_generation_call","id":"ig_1","status":"completed"}"#.to_owned(),
    };
    let block = |kind: &str, data: &str| {
        Part::Opaque(Opaque {
            kind: kind.to_owned(),
            data: data.to_owned(),
        })
    };
    let answer = vec![
        with(thought("so", Some("gAAA")), r#"{"id":"rs_1"}"#),
        with(text("One"), r#"{"id":"msg_1","phase":"commentary"}"#),
        with(
            text("Two"),
            r#"{"id":"msg_1","status":"completed","logprobs":[{"token":"T"}]}"#,
        ),
        with(text("No."), r#"{"id":"msg_2","type":"refusal"}"#),
        Part::ServerToolCall(drawn),
        Part::Media(Media::blob(Blob { id: 1, length: 2 }, "image/png")),
        block(
            "mcp_list_tools",
            r#"{"type":"mcp_list_tools","id":"mcpl_1","tools":[]}"#,
        ),
        block("reasoning_details", r#"[{"type":"reasoning.text"}]"#),
        with(call("call_1", "", None), r#"{"id":"fc_1","namespace":"n"}"#),
        call("call_2", "free text", Some("custom")),
    ];
    let turns = vec![
        Message::new(Role::Assistant, answer),
        result("call_1", vec![ResultPart::Text("cat".to_owned())]),
        result(
            "call_2",
            vec![
                ResultPart::Text("a".to_owned()),
                ResultPart::Media(Media::url("https://x.example/a")),
            ],
        ),
    ];
    assert_eq!(
        input(turns),
        json!([
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "so"}],
             "encrypted_content": "gAAA", "id": "rs_1"},
            {"role": "assistant", "content": [
                {"type": "output_text", "text": "One", "annotations": []},
                {"type": "output_text", "text": "Two", "annotations": [], "logprobs": [{"token": "T"}]}],
             "type": "message", "id": "msg_1", "phase": "commentary", "status": "completed"},
            {"role": "assistant", "content": [{"refusal": "No.", "type": "refusal"}], "type": "message", "id": "msg_2"},
            {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "<blob 1>"},
            {"type": "mcp_list_tools", "id": "mcpl_1", "tools": []},
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}", "id": "fc_1", "namespace": "n"},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "look", "input": "free text"},
            {"type": "function_call_output", "call_id": "call_1", "output": "cat"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": [
                {"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "https://x.example/a"}]},
        ])
    );
}

/// An item that the vendor knows by its id misses the thoughts that led to it.
#[test]
fn thoughts_that_nobody_keeps_are_left_out_and_so_are_the_ids_of_what_followed() {
    let answer = vec![
        with(thought("so", None), r#"{"id":"rs_1"}"#),
        with(call("call_1", "{}", None), r#"{"id":"fc_1"}"#),
        with(text("yes"), r#"{"id":"msg_1"}"#),
    ];
    let mut request = ask(vec![Message::new(Role::Assistant, answer)]);
    assert_eq!(
        sent("o3", &request)["input"],
        json!([
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
            {"role": "assistant", "content": [{"type": "output_text", "text": "yes", "annotations": []}]},
        ])
    );
    request.extra = Some(r#"{"store":true}"#.to_owned());
    let kept = sent("o3", &request);
    assert_eq!(kept["input"][0]["id"], "rs_1");
    assert_eq!(kept["input"][1]["id"], "fc_1");
    assert_eq!(kept["input"][2]["id"], "msg_1");
}

#[test]
fn what_another_api_or_vendor_answered_is_said_in_words_and_shown() {
    let answer = vec![
        thought("hm", None),
        thought("hm", Some(r#"{"type":"thinking","signature":"x"}"#)),
        text("a"),
        Part::Media(Media::blob(Blob { id: 1, length: 2 }, "image/png")),
        call("toolu_1", "{}", None),
    ];
    assert_eq!(
        input(vec![Message::new(Role::Assistant, answer)]),
        json!([
            {"role": "assistant", "content": "a"},
            {"type": "function_call", "call_id": "toolu_1", "name": "look", "arguments": "{}"},
            {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,<blob 1>"}]},
        ])
    );
}

#[test]
fn what_the_vendor_keeps_and_shortens_is_said_by_settings_and_who_asks_by_the_request() {
    let target = crate::testing::target(
        "gpt-4o",
        r#"{"prompt":{"id":"pmpt_1","variables":{"b":1,"a":2}},"context_management":[{"type":"compaction"}]}"#,
    );
    let dialect = Dialect {
        api: Api::Responses,
        ..Dialect::default()
    };
    let dialect = dialect.with(&Settings::of(&target).unwrap()).unwrap();
    let mut request = ask(vec![]);
    request.user = Some("u-1".to_owned());
    let place = Place::new("responses");
    let found = encode(&dialect, &place, &target, &request, Mode::Whole);
    let found = body(&found.unwrap());
    assert_eq!(
        found["prompt"],
        json!({"id": "pmpt_1", "variables": {"b": 1, "a": 2}})
    );
    assert_eq!(found["context_management"], json!([{"type": "compaction"}]));
    assert_eq!(found["user"], "u-1");
    assert_eq!(found.get("input"), None);
}

#[test]
fn tools_of_both_kinds_stand_side_by_side_and_any_may_be_chosen() {
    let function = Tool {
        name: "look".to_owned(),
        description: Some("looks".to_owned()),
        input: ToolInput::Schema(r#"{"type":"object","properties":{"z":{},"a":{}}}"#.to_owned()),
        strict: Some(true),
        defer_loading: Some(true),
        ..Tool::default()
    };
    let grammar = r#"{"type":"grammar","syntax":"lark","definition":"s: \"a\""}"#;
    let free = Tool {
        name: "patch".to_owned(),
        input: ToolInput::Text(Some(grammar.to_owned())),
        ..Tool::default()
    };
    let server = |name: &str, options: Option<&str>| ServerTool {
        name: name.to_owned(),
        options: options.map(str::to_owned),
    };
    let mut request = ChatRequest {
        tools: vec![function, free],
        server_tools: vec![
            server("web-search", None),
            server("mcp", Some(r#"{"server_label":"docs"}"#)),
        ],
        parallel_tool_calls: Some(false),
        response_format: ResponseFormat::JsonSchema(JsonSchema {
            name: "x".to_owned(),
            description: None,
            schema: r#"{"type":"object","properties":{"b":{},"a":{}}}"#.to_owned(),
            strict: Some(true),
        }),
        ..ask(vec![says(Role::User, "hi")])
    };
    let found = sent("gpt-4o", &request);
    assert_eq!(
        found["tools"],
        json!([
            {"type": "function", "name": "look", "description": "looks", "strict": true, "defer_loading": true,
             "parameters": {"type": "object", "properties": {"z": {}, "a": {}}}},
            {"type": "custom", "name": "patch",
             "format": {"type": "grammar", "syntax": "lark", "definition": "s: \"a\""}},
            {"type": "web_search"},
            {"type": "mcp", "server_label": "docs"},
        ])
    );
    assert_eq!(found["parallel_tool_calls"], false);
    assert_eq!(found["include"], json!(["web_search_call.action.sources"]));
    assert_eq!(
        found["text"]["format"],
        json!({"type": "json_schema", "name": "x", "strict": true,
               "schema": {"type": "object", "properties": {"b": {}, "a": {}}}})
    );
    for (choice, said) in [
        (ToolChoice::Auto, Value::Null),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (
            ToolChoice::Named("look".to_owned()),
            json!({"type": "function", "name": "look"}),
        ),
        (
            ToolChoice::Named("patch".to_owned()),
            json!({"type": "custom", "name": "patch"}),
        ),
        (
            ToolChoice::Named("web-search".to_owned()),
            json!({"type": "web_search"}),
        ),
        (
            ToolChoice::OneOf(vec!["look".to_owned(), "mcp".to_owned()]),
            json!({"type": "allowed_tools", "mode": "required", "tools": [
                {"type": "function", "name": "look"}, {"type": "mcp", "server_label": "docs"}]}),
        ),
    ] {
        request.tool_choice = choice;
        assert_eq!(sent("gpt-4o", &request)["tool_choice"], said);
    }
}

#[test]
fn items_of_the_apis_own_stand_where_the_caller_puts_them() {
    let item = |kind: &str| {
        Part::Opaque(Opaque {
            kind: kind.to_owned(),
            data: format!(r#"{{"type":"{kind}","id":"x"}}"#),
        })
    };
    let turns = vec![
        Message::new(
            Role::User,
            vec![text("a"), item("item_reference"), text("b")],
        ),
        Message::new(Role::Tool, vec![item("tool_search_output")]),
    ];
    assert_eq!(
        input(turns),
        json!([
            {"role": "user", "content": "a"},
            {"type": "item_reference", "id": "x"},
            {"role": "user", "content": "b"},
            {"type": "tool_search_output", "id": "x"},
        ])
    );
    let foreign = Part::Opaque(Opaque {
        kind: "container_upload".to_owned(),
        data: "{}".to_owned(),
    });
    let error = made(
        "gpt-4o",
        &ask(vec![Message::new(Role::User, vec![foreign])]),
    )
    .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
}

#[test]
fn what_is_counted_is_the_question_without_how_it_is_answered() {
    let dialect = Dialect::default();
    let mut request = ask(vec![says(Role::User, "hi")]);
    request.sampling.max_tokens = Some(9);
    request.extra = Some(r#"{"previous_response_id":"r","metadata":{"a":"b"}}"#.to_owned());
    let place = Place::new("responses");
    let target = crate::testing::target("gpt-5.4-nano", "{}");
    let counted = encode_count(&dialect, &place, &target, &request).unwrap();
    assert_eq!(counted.path, ["responses", "input_tokens"]);
    assert_eq!(
        body(&counted),
        json!({"model": "gpt-5.4-nano", "input": [{"role": "user", "content": "hi"}], "previous_response_id": "r"})
    );
}
