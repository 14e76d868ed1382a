//! Tools that the vendor runs, and what is left out where the caller wishes it.

use multillm_plugin_sdk::testing::body;
use multillm_plugin_sdk::{ChatRequest, Header, Mode, Opaque, Part, Role, ServerTool};
use serde_json::{Value, json};

use crate::encode::request;
use crate::fixtures::{ask, converse, message, said, target, text, tool};

#[test]
fn programs_go_on_in_the_container_of_the_answer_before() {
    let kept = Part::Opaque(Opaque {
        kind: "container".into(),
        data: r#"{"container":{"id":"c1","expires_at":"x"}}"#.into(),
    });
    let mut asked = converse(vec![
        said(Role::User, "run"),
        message(Role::Assistant, [text("Done."), kept]),
        said(Role::User, "again"),
    ]);
    let container = |asked: &ChatRequest, settings: &str| {
        let request = request(&target("claude-sonnet-4-5", settings), asked, Mode::Whole);
        let body = body(&request.unwrap());
        (
            body["container"].clone(),
            body["messages"][1]["content"].clone(),
        )
    };
    let (none, content) = container(&asked, "{}");
    assert_eq!(none, Value::Null);
    assert_eq!(content, json!([{"type": "text", "text": "Done."}]));
    asked.server_tools = vec![ServerTool {
        name: "code-execution".into(),
        options: None,
    }];
    assert_eq!(container(&asked, "{}").0, json!("c1"));
    assert_eq!(container(&asked, r#"{"container":"new"}"#).0, Value::Null);
}

#[test]
fn server_tools_stand_beside_function_tools_with_their_betas() {
    let mut asked = ask("Hi");
    asked.tools = vec![tool("look")];
    asked.server_tools = vec![
        ServerTool {
            name: "web-fetch".into(),
            options: Some(r#"{"max_uses":2}"#.into()),
        },
        ServerTool {
            name: "mcp".into(),
            options: Some(r#"{"url":"https://mcp.example","name":"shop"}"#.into()),
        },
    ];
    let target = target("claude-sonnet-4-5", r#"{"beta":["mine"]}"#);
    let request = request(&target, &asked, Mode::Whole).unwrap();
    assert!(request.headers.contains(&Header::plain(
        "anthropic-beta",
        "mine,web-fetch-2025-09-10,mcp-client-2025-11-20"
    )));
    let body = body(&request);
    assert_eq!(
        body["tools"],
        json!([
            {"name": "look", "input_schema": {"type": "object", "properties": {}}},
            {"type": "web_fetch_20250910", "name": "web_fetch", "max_uses": 2},
            {"type": "mcp_toolset", "mcp_server_name": "shop"}])
    );
    assert_eq!(
        body["mcp_servers"],
        json!([{"type": "url", "url": "https://mcp.example", "name": "shop"}])
    );
}

#[test]
fn a_file_for_programs_asks_for_the_files_that_the_vendor_keeps() {
    let upload = Part::Opaque(Opaque {
        kind: "container_upload".into(),
        data: r#"{"type":"container_upload","file_id":"file_1"}"#.into(),
    });
    let asked = converse(vec![message(Role::User, [text("count"), upload])]);
    let request = request(&target("claude-sonnet-4-5", "{}"), &asked, Mode::Whole).unwrap();
    let beta = Header::plain("anthropic-beta", "files-api-2025-04-14");
    assert!(request.headers.contains(&beta), "{:?}", request.headers);
}

#[test]
fn what_cannot_be_said_is_left_out_where_the_caller_wishes_it() {
    let mut asked = ask("Hi");
    asked.drop_unsupported = true;
    asked.sampling.seed = Some(7);
    asked.sampling.temperature = Some(0.5);
    asked.sampling.presence_penalty = Some(1.0);
    let dropped = request(&target("claude-opus-4-8", "{}"), &asked, Mode::Whole).unwrap();
    assert_eq!(
        dropped.warnings,
        [
            "seed: claude knows none",
            "presence_penalty: claude knows none",
            "temperature: this model takes none",
        ]
    );
    assert_eq!(body(&dropped)["temperature"], Value::Null);
    let mut thinks = ask("Hi");
    thinks.drop_unsupported = true;
    thinks.reasoning_effort = Some("high".into());
    let dropped = request(&target("claude-3-5-haiku", "{}"), &thinks, Mode::Whole).unwrap();
    assert_eq!(dropped.warnings.len(), 1, "{:?}", dropped.warnings);
    assert_eq!(body(&dropped)["thinking"], Value::Null);
    thinks.drop_unsupported = false;
    assert!(request(&target("claude-3-5-haiku", "{}"), &thinks, Mode::Whole).is_err());
}
