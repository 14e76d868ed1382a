//! Requests, whole.

use multillm_plugin_sdk::{BodyPart, HeaderValue, JsonSchema, Role, ToolInput};

mod servers;

use super::*;
use crate::tests::{message, request as ask, target, text};
use serde_json::{Value, json};

fn asking() -> ChatRequest {
    ask(vec![message(Role::User, vec![text("hi")])])
}

fn encoded(model: &str, settings: &str, asked: &ChatRequest) -> Value {
    let request = generate(&target(model, settings), asked, Mode::Whole).unwrap();
    match request.body.as_slice() {
        [BodyPart::Text(body)] => serde_json::from_str(body).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn tool(name: &str, parameters: &str, strict: Option<bool>) -> Tool {
    Tool {
        name: name.to_owned(),
        description: Some("does it".to_owned()),
        input: ToolInput::Schema(parameters.to_owned()),
        strict,
        ..Tool::default()
    }
}

#[test]
fn the_method_follows_the_mode_and_the_key_is_a_header() {
    let target = target("models/gemini-2.5-flash", "{}");
    let whole = generate(&target, &asking(), Mode::Whole).unwrap();
    assert_eq!(
        whole.path,
        ["v1beta", "models", "gemini-2.5-flash:generateContent"]
    );
    assert_eq!((whole.query.len(), whole.framing), (0, Framing::Whole));
    let [header] = whole.headers.as_slice() else {
        panic!("{:?}", whole.headers)
    };
    assert_eq!(header.name, "x-goog-api-key");
    assert!(
        matches!(&header.value, HeaderValue::Secret(it) if it.name == "api_key" && it.prefix.is_empty())
    );

    let stream = generate(&target, &asking(), Mode::Stream).unwrap();
    assert_eq!(
        stream.path,
        ["v1beta", "models", "gemini-2.5-flash:streamGenerateContent"]
    );
    assert_eq!(stream.query, [("alt".to_owned(), "sse".to_owned())]);
    assert_eq!(stream.framing, Framing::Sse);
    assert_eq!(stream.body, whole.body);
}

#[test]
fn nothing_is_sent_that_nobody_asked_for() {
    assert_eq!(
        encoded("gemini-2.5-flash", "{}", &asking()),
        json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    );
}

#[test]
fn sampling_and_extra_parameters_are_in_the_generation_config() {
    let mut asked = asking();
    asked.sampling.max_tokens = Some(500);
    asked.sampling.temperature = Some(0.2);
    asked.sampling.top_p = Some(0.9);
    asked.sampling.top_k = Some(40);
    asked.sampling.seed = Some(-7);
    asked.sampling.stop = vec!["END".to_owned()];
    asked.sampling.frequency_penalty = Some(0.5);
    asked.sampling.presence_penalty = Some(-0.5);
    asked.reasoning_effort = Some("low".into());
    asked.extra = Some(
        r#"{"generationConfig":{"topK":1,"candidateCount":2},"cachedContent":"c"}"#.to_owned(),
    );
    assert_eq!(
        encoded("gemini-2.5-flash", "{}", &asked),
        json!({
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "generationConfig": {
                "maxOutputTokens": 500, "temperature": 0.2, "topP": 0.9, "topK": 1, "seed": -7,
                "stopSequences": ["END"], "frequencyPenalty": 0.5, "presencePenalty": -0.5,
                "candidateCount": 2,
                "thinkingConfig": {"thinkingBudget": 1024, "includeThoughts": true},
            },
            "cachedContent": "c",
        })
    );
    asked.sampling.seed = Some(1 << 40);
    assert!(generate(&target("gemini-2.5-flash", "{}"), &asked, Mode::Whole).is_err());
}

#[test]
fn tools_are_described_by_json_schema_or_by_the_subset() {
    let mut asked = asking();
    let schema = r##"{"type":"object","properties":{"b":{"type":"integer"},"a":{"$ref":"#/$defs/A"}},
        "additionalProperties":false,"$defs":{"A":{"type":"string"}}}"##;
    asked.tools = vec![
        tool("look", schema, None),
        tool("wait", r#"{"type":"object","properties":{}}"#, None),
    ];
    let described = |settings| encoded("gemini-2.5-flash", settings, &asked)["tools"].clone();
    let wait = json!({"name": "wait", "description": "does it"});
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(
        described("{}"),
        json!([{"functionDeclarations": [
            {"name": "look", "description": "does it", "parametersJsonSchema": schema}, wait,
        ]}])
    );
    assert_eq!(
        described(r#"{"schema":"openapi"}"#),
        json!([{"functionDeclarations": [
            {"name": "look", "description": "does it", "parameters": {
                "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}},
            wait,
        ]}])
    );
}

#[test]
fn the_tool_choice_is_a_mode() {
    let mut asked = asking();
    asked.tools = vec![tool("look", "{}", None)];
    let mut config = |choice: ToolChoice, strict: Option<bool>| {
        asked.tool_choice = choice;
        asked.tools = vec![tool("look", "{}", strict)];
        encoded("gemini-2.5-flash", "{}", &asked)["toolConfig"]["functionCallingConfig"].clone()
    };
    assert_eq!(config(ToolChoice::Auto, None), Value::Null);
    assert_eq!(
        config(ToolChoice::Auto, Some(true)),
        json!({"mode": "VALIDATED"})
    );
    assert_eq!(config(ToolChoice::None, None), json!({"mode": "NONE"}));
    assert_eq!(config(ToolChoice::Required, None), json!({"mode": "ANY"}));
    assert_eq!(
        config(ToolChoice::Named("look".to_owned()), None),
        json!({"mode": "ANY", "allowedFunctionNames": ["look"]})
    );
    assert_eq!(
        config(
            ToolChoice::OneOf(vec!["look".to_owned(), "see".to_owned()]),
            None
        ),
        json!({"mode": "ANY", "allowedFunctionNames": ["look", "see"]})
    );
}

#[test]
fn one_call_at_a_time_cannot_be_had() {
    let mut asked = asking();
    asked.parallel_tool_calls = Some(false);
    assert!(generate(&target("m", "{}"), &asked, Mode::Whole).is_ok());
    asked.tools = vec![tool("look", "{}", None)];
    let error = generate(&target("m", "{}"), &asked, Mode::Whole).unwrap_err();
    assert_eq!(error.kind, multillm_plugin_sdk::ErrorKind::Unsupported);
}

#[test]
fn json_is_asked_for_with_and_without_a_schema() {
    let mut asked = asking();
    asked.response_format = ResponseFormat::Json;
    assert_eq!(
        encoded("gemini-2.5-flash", "{}", &asked)["generationConfig"],
        json!({"responseMimeType": "application/json"})
    );
    asked.response_format = ResponseFormat::JsonSchema(JsonSchema {
        name: "answer".to_owned(),
        description: None,
        schema: r#"{"type":"object","properties":{"z":{"const":"x"},"a":{"type":"null"}}}"#
            .to_owned(),
        strict: Some(true),
    });
    let request = generate(&target("gemini-2.5-flash", "{}"), &asked, Mode::Whole).unwrap();
    let [BodyPart::Text(body)] = request.body.as_slice() else {
        panic!("{:?}", request.body)
    };
    // in the order of the schema
    assert!(body.contains(
        r#""responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"z":{"const":"x"},"a":{"type":"null"}}}"#
    ));
    assert_eq!(
        encoded("gemini-2.5-flash", r#"{"schema":"openapi"}"#, &asked)["generationConfig"]["responseSchema"]
            ["properties"]["z"],
        json!({"enum": ["x"]})
    );
}

#[test]
fn safety_is_a_list_or_one_threshold() {
    let sent =
        |settings: &str| encoded("gemini-2.5-flash", settings, &asking())["safetySettings"].clone();
    let list = json!([{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]);
    assert_eq!(sent(&json!({"safety_settings": list}).to_string()), list);
    let all = sent(r#"{"safety_settings":"BLOCK_ONLY_HIGH"}"#);
    assert_eq!(all.as_array().unwrap().len(), 4);
    assert_eq!(
        all[3],
        json!({"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_ONLY_HIGH"})
    );
}

#[test]
fn a_schema_that_is_no_json_names_its_tool() {
    let mut asked = asking();
    asked.tools = vec![tool("look", "{", None)];
    let error = generate(&target("m", "{}"), &asked, Mode::Whole).unwrap_err();
    assert!(error.message.contains("tool look"), "{error:?}");
}
