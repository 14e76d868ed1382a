//! What requests become.

use multillm_plugin_sdk::{
    BodyPart, Cache, ChatRequest, Error, ErrorKind, Framing, HeaderValue, JsonSchema, Media,
    MediaSource, Method, Mode, Part, ResponseFormat, Role, ToolChoice,
};
use serde_json::{Value, json};

mod servers;

use super::{JSON_INSTRUCTION, request};
use crate::fixtures::{ask, call, converse, message, said, target, tool};

fn body_with(model: &str, settings: &str, asked: &ChatRequest) -> Result<Value, Error> {
    let request = request(&target(model, settings), asked, Mode::Whole)?;
    let [BodyPart::Text(text)] = request.body.as_slice() else {
        panic!("{:?}", request.body);
    };
    Ok(serde_json::from_str(text).unwrap())
}

fn body(model: &str, asked: &ChatRequest) -> Value {
    body_with(model, "{}", asked).unwrap()
}

fn field(model: &str, asked: &ChatRequest, name: &str) -> Value {
    body(model, asked).get(name).cloned().unwrap_or_default()
}

#[test]
fn a_plain_question_is_a_small_body() {
    let whole = request(&target("claude-sonnet-4-5", "{}"), &ask("Hi"), Mode::Whole).unwrap();
    assert_eq!(
        (whole.method, whole.framing),
        (Method::Post, Framing::Whole)
    );
    assert_eq!(whole.path, ["v1", "messages"]);
    assert!(whole.query.is_empty());
    assert_eq!(
        body("claude-sonnet-4-5", &ask("Hi")),
        json!({"model": "claude-sonnet-4-5", "max_tokens": 8192, "stream": false,
               "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]})
    );
    let streamed = request(&target("claude", "{}"), &ask("Hi"), Mode::Stream).unwrap();
    assert_eq!(streamed.framing, Framing::Sse);
    let [BodyPart::Text(text)] = streamed.body.as_slice() else {
        panic!("{:?}", streamed.body);
    };
    assert!(text.contains(r#""stream":true"#), "{text}");
}

#[test]
fn everything_asked_is_there() {
    let mut asked = converse(vec![
        said(Role::System, "Be brief."),
        said(Role::User, "Hi"),
    ]);
    asked.sampling.max_tokens = Some(50);
    asked.sampling.temperature = Some(0.5);
    asked.sampling.top_p = Some(0.9);
    asked.sampling.top_k = Some(40);
    asked.sampling.stop = vec!["END".into()];
    asked.sampling.frequency_penalty = Some(0.0);
    asked.tools = vec![tool("look")];
    asked.tool_choice = ToolChoice::Named("look".into());
    asked.parallel_tool_calls = Some(false);
    asked.extra = Some(r#"{"metadata":{"user_id":"u"},"max_tokens":60}"#.into());
    assert_eq!(
        body("claude-3-opus-20240229", &asked),
        json!({"model": "claude-3-opus-20240229", "max_tokens": 60, "system": "Be brief.",
               "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
               "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
               "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": true},
               "stop_sequences": ["END"], "stream": false, "temperature": 0.5, "top_p": 0.9, "top_k": 40,
               "metadata": {"user_id": "u"}})
    );
}

/// `temperature`, `top_p` and `top_k` of the body, or why there is none.
fn sampled(
    model: &str,
    settings: &str,
    wanted: (Option<f64>, Option<f64>, Option<u32>),
    effort: Option<&str>,
) -> Result<[Option<f64>; 3], String> {
    let mut asked = ask("Hi");
    (
        asked.sampling.temperature,
        asked.sampling.top_p,
        asked.sampling.top_k,
    ) = wanted;
    asked.reasoning_effort = effort.map(str::to_owned);
    match body_with(model, settings, &asked) {
        Ok(body) => Ok(
            ["temperature", "top_p", "top_k"].map(|name| body.get(name).and_then(Value::as_f64))
        ),
        Err(error) => {
            assert_eq!(error.kind, ErrorKind::Unsupported, "{error:?}");
            Err(error.message)
        }
    }
}

#[test]
fn sampling_goes_where_it_is_taken() {
    let plain = |model, wanted| sampled(model, "{}", wanted, None).unwrap();
    assert_eq!(
        plain("claude-3-5-haiku-latest", (Some(0.7), Some(0.9), Some(5))),
        [Some(0.7), Some(0.9), Some(5.0)]
    );
    for (wanted, sent) in [
        ((Some(0.7), None, Some(5)), [Some(0.7), None, Some(5.0)]),
        ((Some(1.0), Some(0.9), None), [None, Some(0.9), None]),
        ((Some(0.7), Some(1.0), None), [Some(0.7), None, None]),
        ((Some(1.0), Some(1.0), None), [Some(1.0), None, None]),
    ] {
        assert_eq!(plain("claude-opus-4-1", wanted), sent, "{wanted:?}");
    }
    // what says nothing is left out
    assert_eq!(
        plain("claude-opus-4-8", (Some(1.0), Some(1.0), None)),
        [None; 3]
    );
    let thinking = |wanted| {
        let low = Some("low");
        sampled("claude-sonnet-4-5", "{}", wanted, low).unwrap()
    };
    assert_eq!(
        thinking((Some(1.0), Some(0.95), None)),
        [None, Some(0.95), None]
    );
}

#[test]
fn sampling_that_a_model_refuses_is_refused_by_name() {
    let newer = r#"{"api_version":"2026-10-21"}"#;
    let low = Some("low");
    for (model, settings, wanted, effort, named) in [
        (
            "claude-opus-4-8",
            "{}",
            (Some(0.5), None, None),
            None,
            "no temperature:",
        ),
        (
            "claude-opus-4-8",
            "{}",
            (Some(0.0), Some(0.9), Some(5)),
            None,
            "no temperature and no top_p and no top_k:",
        ),
        (
            "claude-haiku-5",
            "{}",
            (Some(1.0), None, Some(5)),
            None,
            "no top_k:",
        ),
        (
            "claude-3-haiku-20240307",
            newer,
            (None, Some(0.9), None),
            None,
            "no top_p:",
        ),
        (
            "claude-sonnet-4-5",
            "{}",
            (Some(0.7), Some(0.9), None),
            None,
            "temperature or top_p",
        ),
        (
            "claude-sonnet-4-5",
            "{}",
            (Some(0.7), Some(0.97), None),
            low,
            "no temperature:",
        ),
        (
            "claude-opus-4-6",
            "{}",
            (None, Some(0.9), Some(1)),
            low,
            "no top_p and no top_k:",
        ),
    ] {
        let message = sampled(model, settings, wanted, effort).unwrap_err();
        assert!(message.contains(named), "{message}");
    }
}

#[test]
fn what_the_vendor_does_not_know_is_refused() {
    let mut seeded = ask("Hi");
    seeded.sampling.seed = Some(1);
    let mut penalised = ask("Hi");
    penalised.sampling.presence_penalty = Some(0.5);
    for (asked, word) in [(seeded, "seed"), (penalised, "presence_penalty")] {
        let error = body_with("claude-sonnet-4-5", "{}", &asked).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains(word), "{error:?}");
    }
}

#[test]
fn an_empty_conversation_is_refused_here() {
    for messages in [
        vec![],
        vec![said(Role::System, "s")],
        vec![said(Role::User, " ")],
    ] {
        let error = body_with("claude", "{}", &converse(messages)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        assert!(error.message.contains("user message"), "{error:?}");
    }
}

#[test]
fn json_is_asked_for_in_words() {
    let mut asked = converse(vec![
        said(Role::System, "Be brief."),
        said(Role::User, "Hi"),
    ]);
    asked.response_format = ResponseFormat::Json;
    let model = "claude-sonnet-4-5";
    assert_eq!(
        field(model, &asked, "system"),
        format!("Be brief.\n\n{JSON_INSTRUCTION}")
    );
    asked.messages.remove(0);
    assert_eq!(field(model, &asked, "system"), JSON_INSTRUCTION);
    assert_eq!(field(model, &asked, "output_config"), Value::Null);
}

#[test]
fn a_schema_is_the_vendors_own_and_keeps_its_order() {
    let mut asked = ask("Hi");
    asked.reasoning_effort = Some("high".into());
    asked.response_format = ResponseFormat::JsonSchema(JsonSchema {
        name: "answer".into(),
        description: Some("an answer".into()),
        schema: r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}},"required":["z","a"]}"#.into(),
        strict: None,
    });
    let request = request(&target("claude-opus-4-6", "{}"), &asked, Mode::Whole).unwrap();
    let [BodyPart::Text(text)] = request.body.as_slice() else {
        panic!("{:?}", request.body);
    };
    let config = r#""output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}},"required":["z","a"],"additionalProperties":false,"description":"an answer"}}}"#;
    assert!(text.contains(config), "{text}");
    for schema in ["{", "[]", "true"] {
        asked.response_format = ResponseFormat::JsonSchema(JsonSchema {
            name: "answer".into(),
            description: None,
            schema: schema.into(),
            strict: None,
        });
        let error = body_with("claude-opus-4-6", "{}", &asked).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest, "{schema}");
    }
}

#[test]
fn thinking_reaches_the_body() {
    let mut asked = ask("Hi");
    asked.reasoning_effort = Some("minimal".into());
    assert_eq!(
        field("claude-sonnet-4-5", &asked, "thinking"),
        json!({"type": "enabled", "budget_tokens": 1024})
    );
    assert_eq!(
        field("claude-opus-4-7", &asked, "thinking"),
        json!({"type": "adaptive", "display": "summarized"})
    );
    assert_eq!(
        field("claude-opus-4-7", &asked, "output_config"),
        json!({"effort": "low"})
    );
    asked.reasoning_effort = Some("none".into());
    assert_eq!(
        field("claude-opus-4-7", &asked, "thinking"),
        json!({"type": "disabled"})
    );
    asked.extra = Some(r#"{"thinking":{"type":"adaptive","display":"omitted"}}"#.into());
    assert_eq!(
        field("claude-opus-4-7", &asked, "thinking"),
        json!({"type": "adaptive", "display": "omitted"})
    );
}

#[test]
fn a_loop_without_thoughts_goes_on_without() {
    let result = Part::ToolResult(multillm_plugin_sdk::ToolResult {
        call_id: "t".into(),
        local: true,
        name: "look".into(),
        content: vec![],
        is_error: false,
        ..multillm_plugin_sdk::ToolResult::default()
    });
    let mut asked = converse(vec![
        said(Role::User, "q"),
        message(Role::Assistant, [Part::ToolCall(call("t", "look", "{}"))]),
        message(Role::Tool, [result]),
    ]);
    asked.reasoning_effort = Some("high".into());
    asked.tools = vec![tool("look")];
    assert_eq!(field("claude-sonnet-4-5", &asked, "thinking"), Value::Null);
}

#[test]
fn tools_of_extra_count_as_tools() {
    let mut asked = ask("Hi");
    asked.tool_choice = ToolChoice::Required;
    asked.extra = Some(r#"{"tools":[{"type":"web_search_20250305","name":"web_search"}]}"#.into());
    let body = body("claude-opus-4-1", &asked);
    assert_eq!(body.pointer("/tools/0/name").unwrap(), "web_search");
    assert_eq!(body.pointer("/tool_choice/type").unwrap(), "any");
}

#[test]
fn an_extra_that_is_no_object_is_refused() {
    let mut asked = ask("Hi");
    asked.extra = Some("[]".into());
    let error = body_with("claude", "{}", &asked).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InvalidRequest);
}

#[test]
fn files_that_the_vendor_keeps_are_asked_for_as_the_beta_that_they_are() {
    let beta = |settings: &str, asked: &ChatRequest| {
        let request = request(&target("claude-sonnet-4-5", settings), asked, Mode::Whole);
        let headers = request.unwrap().headers.into_iter();
        let mut found = headers.filter(|header| header.name == "anthropic-beta");
        found.next().map(|header| header.value)
    };
    let plain = |value: &str| Some(HeaderValue::Plain(value.to_owned()));
    let mut asked = ask("Hi");
    assert_eq!(beta("{}", &asked), None);
    let file = Media::from_source(MediaSource::FileId("file_1".into()), None);
    asked.messages[0].content.push(Part::Media(file));
    assert_eq!(beta("{}", &asked), plain("files-api-2025-04-14"));
    assert_eq!(
        beta(r#"{"beta":["a"]}"#, &asked),
        plain("a,files-api-2025-04-14")
    );
    assert_eq!(
        beta(r#"{"beta":["files-api-2026-01-01"]}"#, &asked),
        plain("files-api-2026-01-01")
    );
}

#[test]
fn a_tool_may_be_marked_for_the_cache() {
    let mut asked = ask("Hi");
    asked.tools = vec![tool("look")];
    asked.tools[0].cache = Some(Cache { seconds: None });
    asked.tools[0].defer_loading = Some(true);
    asked.tools[0].extra = Some(r#"{"allowed_callers":["direct"]}"#.into());
    let body = body_with("claude-sonnet-4-5", "{}", &asked).unwrap();
    let tool = body.pointer("/tools/0").unwrap();
    assert_eq!(tool["cache_control"], json!({"type": "ephemeral"}));
    assert_eq!(tool["defer_loading"], true);
    assert_eq!(tool["allowed_callers"], json!(["direct"]));
}

#[test]
fn who_asks_is_said_beside_what_the_caller_adds() {
    let mut asked = ask("Hi");
    asked.user = Some("u-1".into());
    let body = body_with("claude-sonnet-4-5", "{}", &asked).unwrap();
    assert_eq!(body["metadata"], json!({"user_id": "u-1"}));
    asked.extra = Some(r#"{"metadata":{"user_id":"own"}}"#.into());
    let body = body_with("claude-sonnet-4-5", "{}", &asked).unwrap();
    assert_eq!(body["metadata"], json!({"user_id": "own"}));
    asked.extra = None;
    for person in ["ann@example.org", "+49 30 1234567", &"u".repeat(257)] {
        asked.user = Some(person.to_owned());
        let body = body_with("claude-sonnet-4-5", "{}", &asked).unwrap();
        assert_eq!(body.get("metadata"), None, "{person}");
    }
}
