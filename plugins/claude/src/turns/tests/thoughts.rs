//! Thoughts of earlier turns, and who speaks first.

use multillm_plugin_sdk::body::json_body;
use multillm_plugin_sdk::{Part, Reasoning, Role};
use serde_json::{Value, json};

use super::{said_result, spread, tree, turns};
use crate::cache::{Keeping, Marks};
use crate::fixtures::{call, converse, message, said};
use crate::model::Model;
use crate::turns::conversation;

fn thought(text: &str, signature: Option<&str>, redacted: Option<&str>) -> Part {
    Part::Reasoning(Reasoning {
        text: text.to_owned(),
        signature: signature.map(str::to_owned),
        redacted: redacted.map(str::to_owned),
        ..Reasoning::default()
    })
}

#[test]
fn thoughts_go_back_as_they_came() {
    let turns = turns(vec![
        said(Role::User, "q"),
        message(
            Role::Assistant,
            [
                thought("Hmm.", Some("EuY="), None),
                thought("", None, Some("opaque==")),
                thought("", Some("sig"), None),
                thought("unsigned", None, None),
                Part::ToolCall(call("t", "look", "{\"cut\": ")),
            ],
        ),
        message(Role::Tool, [said_result("t", "x")]),
    ]);
    assert_eq!(
        turns.pointer("/1/content").unwrap(),
        &json!([
            {"type": "thinking", "thinking": "Hmm.", "signature": "EuY="},
            {"type": "redacted_thinking", "data": "opaque=="},
            {"type": "thinking", "thinking": "", "signature": "sig"},
            {"type": "tool_use", "id": "t", "name": "look", "input": {"_raw": "{\"cut\": "}},
        ])
    );
}

#[test]
fn unsigned_thoughts_go_back_to_who_makes_no_other() {
    let request = converse(vec![
        said(Role::User, "q"),
        message(
            Role::Assistant,
            [
                thought("I need the tool.", None, None),
                thought("", None, None),
                Part::ToolCall(call("t", "look", "{}")),
            ],
        ),
        message(Role::Tool, [said_result("t", "x")]),
    ]);
    for (model, kinds) in [
        ("kimi-k2-thinking", vec!["thinking", "tool_use"]),
        ("claude-sonnet-4-5", vec!["tool_use"]),
    ] {
        let mut found = Vec::new();
        json_body(&request, |blobs| {
            let marks = Marks::of(&request, Keeping::Off);
            let conversation = conversation(&request, Model::of(model), &marks, blobs)?;
            assert_eq!(conversation.is_thoughtless_loop(), kinds.len() == 1);
            let turns = serde_json::to_value(tree(conversation.turns)).unwrap();
            let blocks = turns
                .pointer("/1/content")
                .and_then(Value::as_array)
                .unwrap();
            found = blocks.clone();
            Ok(0)
        })
        .unwrap();
        let types: Vec<_> = found
            .iter()
            .map(|block| block["type"].as_str().unwrap())
            .collect();
        assert_eq!(types, kinds, "{model}");
        if kinds.len() == 2 {
            assert_eq!(
                found[0],
                json!({"type": "thinking", "thinking": "I need the tool."})
            );
        }
    }
}

#[test]
fn a_user_without_words_still_comes_first() {
    for messages in [
        vec![
            said(Role::User, " "),
            said(Role::Assistant, "Hello"),
            said(Role::User, "b"),
        ],
        vec![said(Role::Assistant, "Hello"), said(Role::User, "b")],
    ] {
        let turns = turns(messages);
        assert_eq!(turns.pointer("/0/role").unwrap(), "user");
        let first = turns
            .pointer("/0/content/0/text")
            .unwrap()
            .as_str()
            .unwrap();
        assert!(!first.trim().is_empty());
        assert_eq!(turns.pointer("/1/role").unwrap(), "assistant");
        assert_eq!(turns.pointer("/2/content/0/text").unwrap(), "b");
    }
}

#[test]
fn a_loop_of_tools_is_thoughtless_if_it_began_so() {
    let is_thoughtless = |first: Vec<Part>, last: Option<&str>| {
        let mut messages = vec![
            said(Role::User, "q"),
            multillm_plugin_sdk::Message {
                role: Role::Assistant,
                content: first,
                extra: None,
            },
            message(Role::Tool, [said_result("t", "x")]),
            message(Role::Assistant, [Part::ToolCall(call("u", "look", ""))]),
            message(Role::Tool, [said_result("u", "y")]),
        ];
        messages.extend(last.map(|words| said(Role::Assistant, words)));
        let request = converse(messages);
        let mut thoughtless = false;
        json_body(&request, |blobs| {
            thoughtless = spread(&request, blobs)?.is_thoughtless_loop();
            Ok(())
        })
        .unwrap();
        thoughtless
    };
    let calls = || Part::ToolCall(call("t", "look", ""));
    assert!(is_thoughtless(vec![calls()], None));
    assert!(!is_thoughtless(
        vec![thought("Hm", Some("s"), None), calls()],
        None
    ));
    assert!(!is_thoughtless(vec![calls()], Some("done")));
}
