use serde_json::{Value, json};

use super::super::dialect::Dialect;
use super::*;
use crate::testing::{self, ask, says, target};
use crate::{
    BodyPart, Header, JsonSchema, ResponseFormat, Role, Sampling, Tool, ToolChoice, ToolInput,
};

pub(super) fn send(
    dialect: &Dialect,
    model: &str,
    request: &ChatRequest,
    mode: Mode,
) -> Result<(Request, Value), Error> {
    let request = encode(dialect, &target(model, "{}"), request, mode)?;
    let body = testing::body(&request);
    Ok((request, body))
}

fn body(model: &str, request: &ChatRequest) -> Value {
    send(&Dialect::default(), model, request, Mode::Whole)
        .unwrap()
        .1
}

fn hello() -> ChatRequest {
    ask(vec![says(Role::User, "Hello")])
}

#[test]
fn the_least_is_a_model_and_a_message() {
    let (request, body) = send(&Dialect::default(), "gpt-4o", &hello(), Mode::Whole).unwrap();
    assert_eq!(
        body,
        json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "stream": false})
    );
    assert_eq!(request.path, ["chat", "completions"]);
    assert_eq!(
        request.headers,
        [Header::api_key("authorization", "Bearer ")]
    );
    assert_eq!(request.framing, Framing::Whole);
}

#[test]
fn a_stream_asks_for_usage_unless_the_server_does_not_know_it() {
    let (request, body) = send(&Dialect::default(), "m", &hello(), Mode::Stream).unwrap();
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    assert_eq!(request.framing, Framing::Sse);
    let plain = Dialect {
        stream_usage: false,
        ..Dialect::default()
    };
    let (_, body) = send(&plain, "m", &hello(), Mode::Stream).unwrap();
    assert!(body.get("stream_options").is_none());
}

fn sampled() -> ChatRequest {
    let mut request = hello();
    request.sampling = Sampling {
        max_tokens: Some(100),
        temperature: Some(0.5),
        top_p: Some(1.0),
        top_k: None,
        stop: vec!["END".to_owned()],
        seed: Some(-7),
        frequency_penalty: Some(0.1),
        presence_penalty: Some(-0.1),
    };
    request
}

#[test]
fn sampling_is_sent_as_it_is() {
    let mut body = body("gpt-4o", &sampled());
    body.as_object_mut().unwrap().remove("messages");
    assert_eq!(
        body,
        json!({"model": "gpt-4o", "max_completion_tokens": 100, "temperature": 0.5, "top_p": 1.0,
            "stream": false, "stop": ["END"], "seed": -7, "frequency_penalty": 0.1, "presence_penalty": -0.1})
    );
}

#[test]
fn models_that_reason_get_no_sampling_and_a_developer() {
    let mut request = sampled();
    request.messages.insert(0, says(Role::System, "Be brief."));
    let refused = |request: &ChatRequest| {
        send(&Dialect::default(), "o4-mini", request, Mode::Whole).unwrap_err()
    };
    let error = refused(&request);
    assert_eq!(error.kind, crate::ErrorKind::Unsupported);
    let names = "no temperature, frequency_penalty, presence_penalty, stop:";
    assert!(error.message.contains(names), "{}", error.message);
    request.sampling.frequency_penalty = None;
    request.sampling.presence_penalty = Some(0.0);
    request.sampling.stop.clear();
    assert!(refused(&request).message.contains("no temperature:"));
    // What the model does by itself need not be said.
    request.sampling.temperature = Some(1.0);
    assert_eq!(
        body("o4-mini", &request),
        json!({"model": "o4-mini", "max_completion_tokens": 100, "seed": -7, "stream": false, "messages": [
            {"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hello"}]})
    );
}

#[test]
fn who_does_not_reason_takes_any_sampling() {
    let mut request = sampled();
    assert_eq!(body("gpt-5-chat-latest", &request)["temperature"], 0.5);
    request.reasoning_effort = Some("none".into());
    let sent = body("gpt-5.2", &request);
    assert_eq!(sent["temperature"], 0.5);
    assert_eq!(sent["stop"], json!(["END"]));
    assert_eq!(sent["reasoning_effort"], "none");
}

#[test]
fn the_output_limit_and_the_seed_have_the_names_the_server_knows() {
    let dialect = Dialect {
        max_tokens_field: MaxTokensField::MaxTokens,
        seed_field: "random_seed".into(),
        ..Dialect::default()
    };
    let (_, body) = send(&dialect, "m", &sampled(), Mode::Whole).unwrap();
    assert_eq!(body["random_seed"], -7);
    assert_eq!(body["max_tokens"], 100);
    assert!(body.get("max_completion_tokens").is_none());
}

#[test]
fn top_k_is_refused_where_it_is_unknown() {
    let mut request = hello();
    request.sampling.top_k = Some(5);
    let error = send(&Dialect::default(), "m", &request, Mode::Whole).unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::Unsupported);
    let dialect = Dialect {
        top_k: true,
        ..Dialect::default()
    };
    let (_, body) = send(&dialect, "m", &request, Mode::Whole).unwrap();
    assert_eq!(body["top_k"], 5);
}

#[test]
fn tools_keep_the_order_of_their_parameters() {
    let mut request = hello();
    let parameters = r#"{"type":"object","properties":{"z":{"type":"string"},"a":{}}}"#;
    request.tools = vec![Tool {
        name: "look".to_owned(),
        description: Some("Looks.".to_owned()),
        input: ToolInput::Schema(parameters.to_owned()),
        strict: Some(true),
        ..Tool::default()
    }];
    request.parallel_tool_calls = Some(false);
    request.tool_choice = ToolChoice::Named("look".to_owned());
    // Merging something in must not reorder anything either.
    request.extra = Some(r#"{"store":true}"#.to_owned());
    request.user = Some("u".to_owned());
    let (sent, body) = send(&Dialect::default(), "m", &request, Mode::Whole).unwrap();
    assert_eq!(
        body["tools"],
        json!([{"type": "function", "function": {"name": "look", "description": "Looks.",
            "parameters": serde_json::from_str::<Value>(parameters).unwrap(), "strict": true}}])
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type": "function", "function": {"name": "look"}})
    );
    assert_eq!(body["parallel_tool_calls"], false);
    assert_eq!((&body["user"], &body["store"]), (&"u".into(), &true.into()));
    let [BodyPart::Text(text)] = sent.body.as_slice() else {
        panic!("{sent:?}");
    };
    assert!(text.contains(parameters), "{text}");
}

#[test]
fn without_tools_there_is_nothing_to_choose() {
    let mut request = hello();
    request.tool_choice = ToolChoice::None;
    request.parallel_tool_calls = Some(true);
    let sent = body("m", &request);
    assert!(sent.get("tool_choice").is_none() && sent.get("parallel_tool_calls").is_none());
    request.tool_choice = ToolChoice::Required;
    assert_eq!(body("m", &request)["tool_choice"], "required");
}

#[test]
fn the_form_of_the_answer_is_asked_for() {
    let mut request = hello();
    request.response_format = ResponseFormat::Json;
    assert_eq!(
        body("m", &request)["response_format"],
        json!({"type": "json_object"})
    );
    request.response_format = ResponseFormat::JsonSchema(JsonSchema {
        name: "reply".to_owned(),
        description: None,
        schema: r#"{"type":"object"}"#.to_owned(),
        strict: None,
    });
    assert_eq!(
        body("m", &request)["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "reply", "schema": {"type": "object"}}})
    );
}

#[test]
fn a_schema_that_is_no_object_is_refused_by_name() {
    let mut request = hello();
    for bad in ["[]", "{", ""] {
        request.tools = vec![Tool {
            name: "look".to_owned(),
            description: None,
            input: ToolInput::Schema(bad.to_owned()),
            strict: None,
            ..Tool::default()
        }];
        let error = send(&Dialect::default(), "m", &request, Mode::Whole).unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::InvalidRequest);
        assert!(error.message.contains("look"), "{}", error.message);
    }
}

#[test]
fn effort_has_the_familys_word_for_the_greatest() {
    let mut request = hello();
    request.reasoning_effort = Some("minimal".into());
    assert_eq!(body("gpt-5", &request)["reasoning_effort"], "minimal");
    request.reasoning_effort = Some("max".into());
    assert_eq!(body("gpt-5", &request)["reasoning_effort"], "high");
    assert_eq!(body("gpt-5.2", &request)["reasoning_effort"], "xhigh");
}

#[test]
fn the_model_may_be_named_otherwise_or_not_at_all() {
    let other = Dialect {
        model: Some("deployed".to_owned()),
        ..Dialect::default()
    };
    let (_, body) = send(&other, "gpt-4o", &sampled(), Mode::Whole).unwrap();
    assert_eq!(body["model"], "deployed");
    // Whether it reasons shows in the name that the configuration gives it.
    assert!(send(&other, "gpt-5", &sampled(), Mode::Whole).is_err());
    let absent = Dialect {
        model_in_body: false,
        ..Dialect::default()
    };
    let (_, body) = send(&absent, "m", &hello(), Mode::Whole).unwrap();
    assert!(body.get("model").is_none());
}

#[test]
fn a_tool_keeps_its_tail_and_an_effort_its_word() {
    let mut request = ask(vec![says(Role::User, "hi")]);
    request.tools = vec![Tool {
        name: "look".to_owned(),
        extra: Some(r#"{"function":{"defer_loading":true},"z":1}"#.to_owned()),
        ..Tool::default()
    }];
    request.reasoning_effort = Some("xhigh".to_owned());
    let (_, body) = send(&Dialect::default(), "gpt-5.2", &request, Mode::Whole).unwrap();
    assert_eq!(body["reasoning_effort"], "xhigh");
    assert_eq!(
        body["tools"][0],
        json!({"type": "function", "function": {"name": "look", "defer_loading": true,
            "parameters": {"type": "object", "properties": {}}}, "z": 1})
    );
}

#[test]
fn tools_of_free_text_and_a_choice_among_some_are_said_where_they_are_known() {
    let mut request = ask(vec![says(Role::User, "hi")]);
    let grammar = r#"{"type":"grammar","grammar":{"syntax":"lark","definition":"start: /a/"}}"#;
    let text = |name: &str, grammar: Option<&str>| Tool {
        name: name.to_owned(),
        input: ToolInput::Text(grammar.map(str::to_owned)),
        ..Tool::default()
    };
    let look = Tool {
        name: "look".to_owned(),
        ..Tool::default()
    };
    request.tools = vec![look, text("patch", Some(grammar)), text("say", None)];
    request.tool_choice = ToolChoice::OneOf(vec!["look".to_owned(), "patch".to_owned()]);
    let (_, body) = send(&Dialect::default(), "m", &request, Mode::Whole).unwrap();
    assert_eq!(
        body["tools"][1],
        json!({"type": "custom", "custom": {"name": "patch",
            "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}}}})
    );
    assert_eq!(
        body["tools"][2],
        json!({"type": "custom", "custom": {"name": "say"}})
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
            {"type": "function", "function": {"name": "look"}},
            {"type": "custom", "custom": {"name": "patch"}}]}})
    );
    request.tool_choice = ToolChoice::Named("say".to_owned());
    let (_, body) = send(&Dialect::default(), "m", &request, Mode::Whole).unwrap();
    assert_eq!(
        body["tool_choice"],
        json!({"type": "custom", "custom": {"name": "say"}})
    );
    let plain = Dialect {
        additions: false,
        ..Dialect::default()
    };
    let error = send(&plain, "m", &request, Mode::Whole).unwrap_err();
    assert!(error.message.contains("patch"), "{}", error.message);
}
