//! `query --messages`: conversations from files, in our own form and in OpenAI's, to every vendor.

use serde_json::{Value, json};

use crate::stage::Stage;
use crate::vendors::LINES;

/// The last body that was sent.
fn sent(stage: &Stage) -> Value {
    let last = stage.simulator.log().pop().expect("something was sent");
    serde_json::from_slice(&last.body).unwrap()
}

/// A conversation with a tool's result, in OpenAI's form.
fn openais() -> Value {
    json!({
        "model": "gpt-4o-mini", "temperature": 0.25, "max_tokens": 99,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": "Weather?" }] },
            { "role": "assistant", "content": null, "tool_calls": [{ "id": "call_a", "type": "function",
                "function": { "name": "get_weather", "arguments": "{\"city\":\"Oslo\"}" } }] },
            { "role": "tool", "tool_call_id": "call_a", "content": "4 degrees" },
        ],
        "tools": [{ "type": "function", "function": { "name": "get_weather",
            "parameters": { "type": "object", "properties": { "city": { "type": "string" } } } } }],
    })
}

#[test]
fn a_conversation_in_openais_form_goes_to_every_vendor() {
    let stage = Stage::new();
    let file = stage.file("talk.json", openais().to_string());
    for line in &LINES {
        let done = stage.run(&["query", "--messages", &file, "--model", line.plugin]);
        let said = done.answer();
        assert!(
            said.contains("Tool results: get_weather -> 4 degrees"),
            "{}: {said}",
            line.plugin
        );
        assert!(said.contains("(system: Be brief.)"), "{said}");
    }
    // A prompt is its last turn; arguments go before what the file says.
    let asked = ["query", "Thank you", "--messages", &file, "-m", "openai"];
    let more = ["--temperature", "0.5", "--system", "Be kind."];
    let said = stage.run(&[&asked[..], &more].concat()).answer();
    assert!(said.contains("You said: Thank you"), "{said}");
    assert!(said.contains("(system: Be kind.)"), "{said}");
    let body = sent(&stage);
    assert_eq!(body["temperature"], 0.5);
    assert_eq!(body["max_completion_tokens"], 99);
    assert_eq!(body["messages"][0]["content"], "Be kind.");
    assert_eq!(body["messages"].as_array().unwrap().len(), 5);
    assert_eq!(body["tools"][0]["function"]["name"], "get_weather");
}

#[test]
fn a_list_a_pipe_and_our_own_form_are_read_too() {
    let mut stage = Stage::new();
    let list =
        json!([{ "role": "user", "content": "One" }, { "role": "assistant", "content": "Two" }]);
    let said = stage
        .run_with(
            &["query", "Three", "--messages", "-", "-m", "claude"],
            list.to_string().as_bytes(),
        )
        .answer();
    assert!(
        said.contains("You said: Three") && said.contains("turns: 3"),
        "{said}"
    );
    // What a chat saved goes on with another vendor.
    let done = stage.run_with(&["chat", "-m", "gemini"], b"Hello\n/save talk.json\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    let again = ["query", "And now?", "--messages", "talk.json"];
    for model in ["gemini", "ollama"] {
        let said = stage.run(&[&again[..], &["-m", model]].concat()).answer();
        assert!(
            said.contains("You said: And now?") && said.contains("turns: 3"),
            "{said}"
        );
    }
    // The model that the file names is asked, where it can be.
    let answer = stage.run(&[&again[..], &["--json"]].concat()).json();
    assert_eq!(answer["model"], "gemini");
    // A whole request of the library's.
    stage.config["models"]["claude"]["model_name"] = "claude-opus-4-8".into();
    let request = json!({
        "messages": [{ "role": "user", "content": "Search the web" }],
        "server_tools": [{ "name": "web-search" }],
        "sampling": { "max_tokens": 77 },
    });
    let file = stage.file("request.json", request.to_string());
    let answer = stage
        .run(&["query", "--messages", &file, "-m", "claude", "--json"])
        .json();
    assert!(
        answer["parts"].to_string().contains("search.example/first"),
        "{answer}"
    );
    let body = sent(&stage);
    assert_eq!(
        (&body["max_tokens"], &body["tools"][0]["name"]),
        (&json!(77), &json!("web_search"))
    );
}

#[test]
fn the_conversation_is_kept_and_goes_on() {
    let stage = Stage::new();
    let file = stage.file("talk.json", openais().to_string());
    let first = stage
        .run(&["query", "--messages", &file, "-m", "openai", "--json"])
        .json();
    assert!(first["conversation_id"].is_string(), "{first}");
    let said = stage.run(&["query", "More?", "--continue"]).answer();
    assert!(said.contains("You said: More?"), "{said}");
    assert_eq!(sent(&stage)["messages"].as_array().unwrap().len(), 6);
}

#[test]
fn faults_name_the_message_and_the_field_before_anything_is_asked() {
    let stage = Stage::new();
    let broken = |text: &str, words: &[&str]| {
        let file = stage.file("broken.json", text);
        stage.run(&["query", "--messages", &file]).fails(2, words);
    };
    broken("[{", &["broken.json", "EOF"]);
    broken("[]", &["the messages are none"]);
    broken(
        r#"[{"role":"user","content":"a"},{"role":"person","content":"b"}]"#,
        &["messages[1].role", "person"],
    );
    broken(
        r#"[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"media"}]}]"#,
        &["messages[1].content[0]", "source"],
    );
    broken(
        r#"[{"role":"tool","content":"x"}]"#,
        &["messages[0].tool_call_id"],
    );
    stage
        .run(&["query", "--messages", "nowhere.json"])
        .fails(2, &["nowhere.json", "cannot read"]);
    let file = stage.file("a.json", r#"[{"role":"user","content":"a"}]"#);
    stage
        .run(&["query", "--messages", &file, "--continue"])
        .fails(2, &["--continue"]);
    stage
        .run(&["query", "--messages", "-", "--image", "-"])
        .fails(2, &["cannot both"]);
    stage
        .run(&["query", "--messages", &file, "--file", &file])
        .fails(2, &["go with a prompt"]);
    assert_eq!(stage.simulator.requests(), 0);
    // What is no question any more ends in a signal-proof way: nothing is asked, nothing is kept.
    let list = stage.run(&["history", "list", "--json"]).json();
    assert_eq!(list, json!([]));
}

#[test]
fn what_another_wire_cannot_say_is_refused_by_name_or_left_out() {
    let mut stage = Stage::new();
    let body = json!({
        "messages": [{ "role": "user", "content": "Hello" }],
        "logit_bias": { "1": 5 }, "logprobs": true,
    });
    let file = stage.file("talk.json", body.to_string());
    let asked = ["query", "--messages", &file, "-m"];
    // On its own wire all of it is sent, and all of the answer is reached.
    let answer = stage
        .run(&[&asked[..], &["openai", "--json"]].concat())
        .json();
    assert_eq!(answer.get("warnings"), None);
    let own = sent(&stage);
    assert_eq!(
        (&own["logit_bias"], &own["logprobs"]),
        (&json!({ "1": 5 }), &json!(true))
    );
    stage
        .run(&[&asked[..], &["claude"]].concat())
        .fails(1, &["logit_bias", "logprobs", "claude"]);
    stage.config["models"]["claude"]["unsupported"] = "drop".into();
    let answer = stage
        .run(&[&asked[..], &["claude", "--json"]].concat())
        .json();
    let warnings = answer["warnings"].to_string();
    for name in ["logit_bias: ", "logprobs: "] {
        assert!(warnings.contains(name), "{warnings}");
    }
    let done = stage.run(&[&asked[..], &["claude", "--stream"]].concat());
    assert!(
        done.stderr.contains("note: left out: logit_bias: "),
        "{done:?}"
    );
}
