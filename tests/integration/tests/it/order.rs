//! Order is meaning: what a caller or a configuration writes as JSON reaches the vendor with its keys in their order
//! and its numbers with their digits.

use multillm::ChatMessage;
use multillm::chat::{ChatRequest, Json, Part, Role, Tool, ToolCall, ToolResult};
use serde_json::json;

use crate::answers::ask;
use crate::stage::Stage;
use crate::vendors::LINES;

/// In an order of its own, with digits that no tree of 64-bit numbers keeps, spaced as people do.
const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "why": { "type": "string", "description": "first think" },
    "answer": { "type": "number", "enum": [1.10, 0.1e1, -0, 123456789012345678901234567890] },
    "also": { "type": "string", "enum": ["z", "a"] }
  },
  "required": ["why", "answer", "also"],
  "additionalProperties": false
}"#;

/// The same, as it is sent.
fn sent() -> String {
    let schema = Json::parse(SCHEMA).unwrap();
    assert!(
        schema
            .as_str()
            .contains("[1.10,0.1e1,-0,123456789012345678901234567890]")
    );
    schema.to_string()
}

fn bodies(stage: &Stage) -> Vec<String> {
    let log = stage.simulator.log();
    let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
    log.iter().map(|exchange| text(&exchange.body)).collect()
}

/// The last body holds each of these.
fn holds(stage: &Stage, who: &str, pieces: &[&str]) {
    let body = bodies(stage).pop().unwrap();
    for piece in pieces {
        assert!(body.contains(piece), "{who}: no {piece} in {body}");
    }
}

#[tokio::test]
async fn every_vendor_gets_schemas_and_arguments_as_they_were_written() {
    let stage = Stage::new();
    let service = stage.service();
    let schema = Json::parse(SCHEMA).unwrap();
    let arguments = r#"{"why":"so","answer":1.10,"also":"z"}"#;
    for line in &LINES {
        let formed = ask("judge").json_schema("judgement", schema.clone());
        service.chat(formed, line.plugin).await.unwrap();
        holds(&stage, line.plugin, &[&sent()]);

        let call = ToolCall {
            id: "call_1".into(),
            name: "judge".into(),
            arguments: arguments.into(),
            local: true,
            ..ToolCall::default()
        };
        let mut offered = ChatRequest::new([
            ChatMessage::user("judge"),
            ChatMessage::new(Role::Assistant, vec![Part::ToolCall(call.clone())]),
            ChatMessage::new(
                Role::Tool,
                vec![Part::ToolResult(ToolResult::new(&call, "ok"))],
            ),
        ]);
        offered = offered.tool(Tool::new("judge", schema.clone()));
        service.chat(offered, line.plugin).await.unwrap();
        let body = bodies(&stage).pop().unwrap();
        assert!(body.contains(&sent()), "{}: {body}", line.plugin);
        let as_text = json!(arguments).to_string();
        let there = body.contains(arguments) || body.contains(&as_text);
        assert!(there, "{}: {body}", line.plugin);
    }
    service.close().await;
}

#[tokio::test]
async fn a_value_that_a_program_makes_keeps_its_order() {
    let stage = Stage::new();
    let service = stage.service();
    let schema = json!({
        "type": "object",
        "properties": { "z": { "type": "string" }, "a": { "type": "string" } },
        "required": ["z", "a"],
        "additionalProperties": false,
    });
    let request = ask("judge").json_schema("judgement", schema);
    service.chat(request, "openai").await.unwrap();
    holds(
        &stage,
        "openai",
        &[r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}},"#],
    );
    service.close().await;
}

#[test]
fn the_command_lines_files_and_parameters_keep_theirs() {
    let stage = Stage::new();
    let schema = stage.file("judgement.json", SCHEMA);
    let bias = r#"logit_bias={ "50256": -1.50, "15": 0.1e1, "198": -0 }"#;
    stage
        .run(&["query", "judge", "--schema", &schema, "--param", bias])
        .answer();
    let bias = r#""logit_bias":{"50256":-1.50,"15":0.1e1,"198":-0}"#;
    holds(&stage, "query", &[&sent(), bias]);

    for wrapped in [false, true] {
        let tool = format!(r#"{{"name": "judge", "parameters": {SCHEMA}}}"#);
        let tools = match wrapped {
            false => format!("[{tool}]"),
            true => format!(r#"[{{"type": "function", "function": {tool}}}]"#),
        };
        let tools = stage.file("tools.json", tools);
        let done = stage.run(&[
            "query",
            "Hello",
            "--tools",
            &tools,
            "--param",
            "logit_bias.50256=1.0",
        ]);
        assert_eq!(done.code, Some(0), "{done:?}");
        holds(&stage, "query", &[&sent(), r#""logit_bias":{"50256":1.0}"#]);
    }
}

#[test]
fn configurations_and_templates_keep_theirs() {
    let mut stage = Stage::new();
    let extra = r#"{"50256":-1.50,"15":0.1e1,"198":-0}"#;
    let options = r#"{"top_k":40,"repeat_penalty":1.10,"mirostat":0,"min_p":0.050}"#;
    stage.config["models"]["openai"]["extra"] = json!({ "logit_bias": "@EXTRA@" });
    stage.config["models"]["ollama"]["settings"] = json!({ "options": "@OPTIONS@" });
    let templates = stage.folder.path().join("templates");
    std::fs::create_dir(&templates).unwrap();
    let template = format!(
        "{{\"prompt\": \"{{{{input}}}}\", // the user's\n \"parameters\": {{\"extra\": {{\"logit_bias\": {extra}}}}}}}"
    );
    std::fs::write(templates.join("biased.json"), template).unwrap();
    stage.config["templates_dir"] = templates.display().to_string().into();
    let text = stage.config.to_string();
    let text = text.replace("\"@EXTRA@\"", extra);
    let text = text.replace("\"@OPTIONS@\"", &format!("{options} // as it stands\n"));
    let config = stage.file("by-hand.jsonc", text);
    let run = |arguments: &[&str]| {
        let arguments = [arguments, &["--config", &config]].concat();
        stage.run_bare(&arguments, b"").answer();
    };
    run(&["query", "Hello"]);
    holds(&stage, "openai", &[&format!(r#""logit_bias":{extra}"#)]);
    run(&["query", "Hello", "--model", "ollama"]);
    holds(&stage, "ollama", &[&format!(r#""options":{options}"#)]);
    run(&[
        "query",
        "Hello",
        "--model",
        "openai-sees",
        "--template",
        "biased",
    ]);
    holds(&stage, "template", &[&format!(r#""logit_bias":{extra}"#)]);
}

#[tokio::test]
async fn another_order_is_another_request_to_the_cache() {
    let mut stage = Stage::new();
    stage.config["cache"] = json!({ "enabled": true });
    let service = stage.service();
    let schema = |keys: [&str; 2]| {
        let [first, second] = keys;
        Json::parse(&format!(
            r#"{{"type":"object","properties":{{"{first}":{{"type":"string"}},"{second}":{{"type":"string"}}}},
                "required":["a","b"],"additionalProperties":false}}"#
        ))
        .unwrap()
    };
    let ask = |keys| ask("judge").json_schema("judgement", schema(keys));
    for (keys, asked) in [(["a", "b"], 1), (["b", "a"], 2), (["a", "b"], 2)] {
        service.chat(ask(keys), "openai").await.unwrap();
        assert_eq!(bodies(&stage).len(), asked, "{keys:?}");
    }
    service.close().await;
}
