//! `multillm prices`: what is known, where from, and keeping it fresh.

use crate::raw_server::{RawServer, http};
use crate::stage::Stage;

const LIST: &str = r#"{
  "sample_spec": { "mode": "chat" },
  "gpt-4o-mini": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 3e-06,
    "output_cost_per_token": 1.5e-05, "input_cost_per_token_priority": 6e-06, "output_cost_per_token_priority": 3e-05 },
  "brand-new": { "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06 }
}"#;

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.config["models"]["openai"] =
        serde_json::json!({ "provider": "openai", "model_name": "gpt-4o-mini" });
    stage
}

#[test]
fn an_update_says_what_changed_and_counts_from_then_on() {
    let stage = stage();
    let file = stage.file("list.json", LIST);
    let before = stage.run(&["prices", "show", "openai", "--json"]).json();
    assert_eq!(before["from"], "program", "{before}");
    assert_eq!(before["prices"]["input_per_1m"], 0.15);
    let tried = stage
        .run(&["prices", "update", &file, "--dry-run"])
        .answer();
    assert!(tried.contains("would have 2 models"), "{tried}");
    let still = stage.run(&["prices", "show", "openai", "--json"]).json();
    assert_eq!(still, before);
    let done = stage.run(&["prices", "update", &file]).answer();
    assert!(
        done.contains("openai/gpt-4o-mini: input_per_1m 0.15 -> 3"),
        "{done}"
    );
    let now = stage.run(&["prices", "show", "openai", "--json"]).json();
    assert_eq!(now["from"], "user", "{now}");
    assert_eq!(now["prices"]["tiers"]["priority"]["output_per_1m"], 30);
    let listed = stage.run(&["prices", "list", "brand-new", "--json"]).json();
    assert_eq!(listed[0]["model"], "openai/brand-new");
    assert_eq!(listed[0]["from"], "user");
    // 1 token of input at 3 dollars a million, 6 of output at 15: 93 millionths.
    let answer = stage
        .run(&["query", "Hello", "--model", "openai", "--json"])
        .json();
    let usage = &answer["usage"];
    let (input, output) = (
        usage["prompt_tokens"].as_u64().unwrap(),
        usage["completion_tokens"].as_u64().unwrap(),
    );
    let expected = (input * 3 + output * 15) as f64 / 1e6;
    assert!(
        (answer["cost"].as_f64().unwrap() - expected).abs() < 1e-12,
        "{answer}"
    );
    let again = stage.run(&["prices", "update", &file, "--json"]).json();
    assert_eq!(
        (
            again["added"].as_array().unwrap().len(),
            again["changed"].as_array().unwrap().len()
        ),
        (0, 0)
    );
}

#[test]
fn a_list_that_is_none_changes_nothing() {
    let stage = stage();
    let empty = stage.file("empty.json", r#"{"models": {}}"#);
    let dear = LIST.replace("3e-06", "3").replace("1.5e-05", "15");
    let dear = stage.file("dear.json", dear);
    let text = stage.file("text.json", "prices?");
    for (file, says) in [
        (empty.as_str(), "no prices"),
        (dear.as_str(), "nobody asks"),
        (text.as_str(), "no price table"),
        ("nowhere.json", "cannot be read"),
        ("http://prices.example/list.json", "https"),
    ] {
        stage.run(&["prices", "update", file]).fails(2, &[says]);
    }
    let shown = stage.run(&["prices", "show", "openai", "--json"]).json();
    assert_eq!(shown["from"], "program");
    stage
        .run(&["prices", "show", "openai/nobody-knows-it"])
        .fails(2, &["no price is known"]);
}

#[test]
fn a_list_is_fetched_and_a_redirect_is_not_followed() {
    let stage = stage();
    let server = RawServer::always(http(200, "application/json", "", LIST));
    let address = format!("{}/list.json", server.origin);
    let done = stage.run(&["prices", "update", &address]).answer();
    assert!(done.contains("has 2 models"), "{done}");
    let moved = RawServer::always(http(
        302,
        "text/plain",
        "location: https://prices.example/\r\n",
        "",
    ));
    let address = format!("{}/list.json", moved.origin);
    let failed = stage.run(&["prices", "update", &address]);
    assert_ne!(failed.code, Some(0), "{failed:?}");
}
