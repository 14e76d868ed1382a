//! Which marks are sent, and where those of the setting stand.

use multillm_plugin_sdk::testing::body;
use multillm_plugin_sdk::{Cache, ChatRequest, Mode, Part, Provider as _, Role, Text, ToolResult};
use serde_json::Value;

use crate::Claude;
use crate::fixtures::{call, converse, message, said, target, text, tool};

fn marked(words: &str) -> Part {
    Part::Text(Text {
        cache: Some(Cache { seconds: None }),
        ..Text::new(words)
    })
}

/// Where marks stand, with their time.
fn marks(request: &ChatRequest, settings: &str) -> Vec<String> {
    let target = target("claude-sonnet-4-5", settings);
    let body = body(&Claude::encode(&target, request, Mode::Whole).unwrap());
    let mut found = Vec::new();
    find(&body, String::new(), &mut found);
    found
}

fn find(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                if key == "cache_control" {
                    let ttl = value.get("ttl").and_then(Value::as_str).unwrap_or("5m");
                    found.push(format!("{path} {ttl}"));
                } else {
                    find(value, format!("{path}/{key}"), found);
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                find(item, format!("{path}/{at}"), found);
            }
        }
        _ => {}
    }
}

fn conversation() -> ChatRequest {
    let answered = Part::ToolResult(ToolResult {
        call_id: "c".into(),
        ..ToolResult::default()
    });
    let called = Part::ToolCall(call("c", "look", "{}"));
    let mut request = converse(vec![
        message(Role::System, [text("Be brief."), text("Rhyme.")]),
        said(Role::User, "a"),
        said(Role::Assistant, "b"),
        message(Role::User, [text("c"), text("d")]),
        message(Role::Assistant, [called]),
        message(Role::Tool, [answered]),
    ]);
    request.tools = vec![tool("look"), tool("touch")];
    request
}

#[test]
fn the_setting_marks_tools_system_and_the_last_two_turns() {
    let all = |ttl: &str| {
        [
            "/messages/2/content/1",
            "/messages/4/content/0",
            "/system/1",
            "/tools/1",
        ]
        .map(|path| format!("{path} {ttl}"))
    };
    let sorted = |settings| {
        let mut marks = marks(&conversation(), settings);
        marks.sort();
        marks
    };
    assert_eq!(sorted(r#"{"prompt_cache":"auto"}"#), all("5m"));
    assert_eq!(sorted(r#"{"prompt_cache":"1h"}"#), all("1h"));
    let none: [String; 0] = [];
    assert_eq!(sorted("{}"), none);
    assert_eq!(sorted(r#"{"prompt_cache":"off"}"#), none);
}

#[test]
fn the_callers_marks_stand_alone() {
    let mut request = conversation();
    request.messages[1] = message(Role::User, [marked("a")]);
    assert_eq!(
        marks(&request, r#"{"prompt_cache":"auto"}"#),
        ["/messages/0/content/0 5m"]
    );
    let mut by_hand = conversation();
    by_hand.extra = Some(r#"{"cache_control":{"type":"ephemeral"}}"#.into());
    assert_eq!(marks(&by_hand, r#"{"prompt_cache":"auto"}"#), [" 5m"]);
}

#[test]
fn of_more_than_four_the_first_and_the_last_three_stay() {
    let mut request = converse(vec![message(Role::System, [marked("s")])]);
    for words in ["a", "b", "c", "d", "e"] {
        request.messages.push(message(Role::User, [marked(words)]));
    }
    let mut found = marks(&request, "{}");
    found.sort();
    assert_eq!(
        found,
        [
            "/messages/0/content/2 5m",
            "/messages/0/content/3 5m",
            "/messages/0/content/4 5m",
            "/system/0 5m",
        ]
    );
}

#[test]
fn a_setting_that_is_no_word_of_ours_is_refused() {
    let target = target("claude-sonnet-4-5", r#"{"prompt_cache":"ever"}"#);
    let error = Claude::encode(&target, &conversation(), Mode::Whole).unwrap_err();
    assert!(error.message.contains("prompt_cache"), "{error:?}");
}
