//! Gemini's generateContent.

use multillm_simulator::Simulator;
use serde_json::{Value, json};

use crate::client::{Answer, PNG, post, send, start, with};

fn saying(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

async fn generate(simulator: &Simulator, path: &str, body: &Value) -> Answer {
    let path = format!("/gemini/v1beta/models/{path}");
    post(
        simulator,
        &path,
        &[("x-goog-api-key", "sk-sim-gemini")],
        body,
    )
    .await
}

async fn ask(simulator: &Simulator, body: &Value) -> Answer {
    generate(simulator, "gemini-2.5-flash:generateContent", body).await
}

fn text(response: &Value) -> String {
    let parts = response["candidates"][0]["content"]["parts"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    parts
        .iter()
        .filter(|part| part["thought"] != true)
        .filter_map(|part| part["text"].as_str().map(str::to_owned))
        .collect()
}

fn look() -> Value {
    let schema =
        json!({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]});
    json!([{"functionDeclarations": [{"name": "look", "parametersJsonSchema": schema}]}])
}

#[tokio::test]
async fn text_usage_and_stream_agree() {
    let simulator = start().await;
    let parts = json!([{"inlineData": {"mimeType": "image/png", "data": PNG}}, {"text": "hi cached=10 reasoning=30"}]);
    let body = json!({
        "contents": [{"role": "user", "parts": parts}],
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {"thinkingConfig": {"includeThoughts": true}},
    });
    let whole = ask(&simulator, &body).await.json();
    assert!(
        text(&whole).ends_with("(system: Be brief.) (images: image/png 1x1) (turns: 1)"),
        "{whole}"
    );
    let usage = &whole["usageMetadata"];
    assert_eq!(
        (
            &usage["promptTokenCount"],
            &usage["cachedContentTokenCount"]
        ),
        (&json!(5 + 85 + 10), &json!(10))
    );
    assert_eq!(usage["thoughtsTokenCount"], 30);
    let sum = 100 + 30 + usage["candidatesTokenCount"].as_u64().unwrap();
    assert_eq!(usage["totalTokenCount"], sum);
    let stream = generate(
        &simulator,
        "gemini-2.5-flash:streamGenerateContent?alt=sse",
        &body,
    )
    .await;
    assert!(stream.text().contains("}\r\n\r\ndata: ") && stream.text().ends_with("\r\n\r\n"));
    let events = stream.events();
    assert_eq!(events.iter().map(text).collect::<String>(), text(&whole));
    assert_eq!(&events.last().unwrap()["usageMetadata"], usage);
    let array = generate(&simulator, "gemini-2.5-flash:streamGenerateContent", &body)
        .await
        .json();
    assert_eq!(
        array
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect::<String>(),
        text(&whole)
    );
}

#[tokio::test]
async fn the_third_generation_wants_its_signatures_back() {
    let simulator = start().await;
    let body = with(saying("two calls of look"), &json!({"tools": look()}));
    let called = generate(&simulator, "gemini-3-pro-preview:generateContent", &body)
        .await
        .json();
    let parts = called["candidates"][0]["content"]["parts"].clone();
    assert!(parts[0]["thoughtSignature"].is_string() && parts[1]["thoughtSignature"].is_null());
    let response = |part: &Value, text: &str| json!({"functionResponse": {"name": "look", "id": part["functionCall"]["id"], "response": {"result": text}}});
    let history = |parts: Value, responses: Value| {
        let contents = json!([body["contents"][0], {"role": "model", "parts": parts}, {"role": "user", "parts": responses}]);
        with(body.clone(), &json!({"contents": contents}))
    };
    let both = json!([response(&parts[0], "a cat"), response(&parts[1], "a dog")]);
    let third = "gemini-3-pro-preview:generateContent";
    let good = generate(&simulator, third, &history(parts.clone(), both.clone()))
        .await
        .json();
    assert!(
        text(&good).contains("look -> a cat; look -> a dog"),
        "{good}"
    );
    let mut unsigned = parts.clone();
    unsigned[0]
        .as_object_mut()
        .unwrap()
        .remove("thoughtSignature");
    assert!(
        generate(&simulator, third, &history(unsigned.clone(), both.clone()))
            .await
            .text()
            .contains("missing a thought_signature")
    );
    assert_eq!(
        ask(&simulator, &history(unsigned, both.clone()))
            .await
            .status,
        200,
        "2.5 does not insist"
    );
    let mut altered = parts.clone();
    altered[0]["functionCall"]["args"]["x"] = json!(99);
    assert!(
        generate(&simulator, third, &history(altered, both.clone()))
            .await
            .text()
            .contains("signature is not valid")
    );
    let one = json!([both[0]]);
    assert!(
        generate(&simulator, third, &history(parts.clone(), one))
            .await
            .text()
            .contains("number of function response parts")
    );
    let mut invented = both.clone();
    invented[0]["functionResponse"]["id"] = json!("call_0");
    assert!(
        generate(&simulator, third, &history(parts, invented))
            .await
            .text()
            .contains("call_0")
    );
}

#[tokio::test]
async fn what_gemini_refuses_is_refused() {
    let simulator = start().await;
    let contents = |role: &str, part: Value| json!({"contents": [{"role": role, "parts": [part]}]});
    let openapi = json!([{"functionDeclarations": [{"name": "look", "parameters": {"type": "object", "additionalProperties": false, "properties": {"x": {"type": "string"}}}}]}]);
    let cases = [
        (json!({"foo": 1}), "Unknown name \"foo\": Cannot find field"),
        (
            json!({"generationConfig": {"max_tokens": 1}}),
            "Unknown name \"maxTokens\" at 'generation_config'",
        ),
        (
            json!({"generationConfig": {"temperature": "hot"}}),
            "Invalid value at 'generation_config.temperature'",
        ),
        (
            json!({"generationConfig": {"responseMimeType": "application/json"}, "tools": look()}),
            "is unsupported",
        ),
        (
            json!({"generationConfig": {"responseJsonSchema": {}}}),
            "requires response_mime_type",
        ),
        (
            json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}),
            "Thinking level is not supported",
        ),
        (json!({"contents": []}), "contents is not specified"),
        (
            json!({"contents": [{"role": "user", "parts": []}]}),
            "parts must not be empty",
        ),
        (
            contents("assistant", json!({"text": "x"})),
            "valid role: user, model",
        ),
        (
            contents("model", json!({"text": "x"})),
            "end with a user role",
        ),
        (
            contents(
                "user",
                json!({"functionResponse": {"name": "look", "response": "x"}}),
            ),
            "function_response.response",
        ),
        (
            contents(
                "user",
                json!({"functionResponse": {"name": "look", "response": {}}}),
            ),
            "immediately after a function call turn",
        ),
        (
            contents(
                "user",
                json!({"inlineData": {"mimeType": "image/png", "data": "aGk="}}),
            ),
            "Unable to process input image",
        ),
        (
            json!({"tools": openapi}),
            "Unknown name \"additionalProperties\"",
        ),
        (
            json!({"tools": look(), "toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["look"]}}}),
            "mode is ANY",
        ),
    ];
    for (changes, words) in cases {
        let answer = ask(&simulator, &with(saying("hi"), &changes)).await;
        let error = answer.json();
        assert_eq!(
            (answer.status, &error["error"]["status"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{changes}: {error}"
        );
        assert!(
            error["error"]["message"].as_str().unwrap().contains(words),
            "{changes}: {error}"
        );
    }
    assert_eq!(
        generate(&simulator, "gemini-9:generateContent", &saying("hi"))
            .await
            .json()["error"]["status"],
        "NOT_FOUND"
    );
    let path = "/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
    let missing = send(&simulator, "POST", path, &[], "{}").await;
    assert_eq!(
        (missing.status, missing.header("content-type")),
        (403, Some("text/event-stream"))
    );
    let wrong = send(&simulator, "POST", path, &[("x-goog-api-key", "x")], "{}")
        .await
        .json();
    assert_eq!(wrong["error"]["details"][0]["reason"], "API_KEY_INVALID");
}

#[tokio::test]
async fn blocks_limits_and_pages_have_their_forms() {
    let simulator = start().await;
    let blocked = ask(&simulator, &saying("please refuse")).await.json();
    assert!(
        blocked["candidates"].is_null() && blocked["promptFeedback"]["blockReason"].is_string()
    );
    let filtered = ask(&simulator, &saying("filter output")).await.json();
    assert_eq!(
        filtered["candidates"][0],
        json!({"finishReason": "SAFETY", "index": 0})
    );
    let starved = with(
        saying("hi reasoning=50"),
        &json!({"generationConfig": {"maxOutputTokens": 20}}),
    );
    let starved = ask(&simulator, &starved).await.json();
    assert_eq!(starved["candidates"][0]["finishReason"], "MAX_TOKENS");
    assert_eq!(
        starved["candidates"][0]["content"],
        json!({"role": "model"})
    );
    let limited = ask(&simulator, &saying("[[fault:429-retry-after ms=34400]]")).await;
    assert!(
        limited.text().contains("\"retryDelay\": \"34.4s\"")
            && limited.header("retry-after").is_none()
    );
    let (mut seen, mut path) = (0, "/gemini/v1beta/models?pageSize=1000".to_owned());
    loop {
        let page = send(
            &simulator,
            "GET",
            &path,
            &[("x-goog-api-key", "sk-sim-gemini")],
            "",
        )
        .await
        .json();
        seen += page["models"].as_array().unwrap().len();
        let Some(token) = page["nextPageToken"].as_str() else {
            break;
        };
        path = format!("/gemini/v1beta/models?pageSize=1000&pageToken={token}");
    }
    assert_eq!(seen, 20);
}
