//! Bodies passed over.

use super::super::{Entry, Face};
use super::Head;

fn head(face: Face, body: &str) -> Head {
    let head = Entry::new(face).head(body.as_bytes());
    head.unwrap_or_else(|error| panic!("{body}: {error}"))
}

#[test]
fn the_models_name_is_found_wherever_it_stands() {
    for (body, model) in [
        (r#"{"model":"m"}"#, Some("m")),
        (
            "\u{20}\n{ \"a\" : [1,{\"model\":\"no\"}] ,\t\"model\" : \"m\" } \r\n",
            Some("m"),
        ),
        (
            r#"{"messages":[{"content":"\"model\":\"no\"","model":"no"}],"model":"m"}"#,
            Some("m"),
        ),
        (r#"{"mod\u0065l":"m\u00e4"}"#, Some("m\u{e4}")),
        (r#"{"model":"a","model":"m"}"#, Some("m")),
        (r#"{"x":"\\","model":"m"}"#, Some("m")),
        (r#"{"x":"\\\"","model":"m"}"#, Some("m")),
        (r#"{"model":null}"#, None),
        (r#"{"model":""}"#, None),
        (r#"{"Model":"no"}"#, None),
        ("{}", None),
    ] {
        assert_eq!(
            head(Face::OpenAiChat, body).model.as_deref(),
            model,
            "{body}"
        );
    }
    let ollama = head(Face::OllamaChat, r#"{"model":"a","MODEL":"b"}"#);
    assert_eq!(
        (ollama.model.as_deref(), ollama.names.len()),
        (Some("b"), 2)
    );
}

#[test]
fn a_name_is_put_in_its_place_and_nothing_else_changes() {
    for (body, spliced) in [
        (r#"{"model":"m","a":1}"#, r#"{"model":"n\"w","a":1}"#),
        (
            r#"{"a":1, "model" : "m" }"#,
            r#"{"a":1, "model" : "n\"w" }"#,
        ),
        (
            r#"{"model":"a","x":[],"model":"b"}"#,
            r#"{"model":"n\"w","x":[],"model":"n\"w"}"#,
        ),
        (r#" {"a":1}"#, r#" {"model":"n\"w","a":1}"#),
        ("{}", r#"{"model":"n\"w"}"#),
        (r#"{"model":null}"#, r#"{"model":"n\"w"}"#),
        (
            r#"{"Model":"sly","a":1}"#,
            r#"{"model":"n\"w","Model":"n\"w","a":1}"#,
        ),
    ] {
        let head = head(Face::OpenAiChat, body);
        let made = head.splice(body.as_bytes(), "n\"w");
        assert_eq!(String::from_utf8(made).unwrap(), spliced);
    }
    let entry = Entry {
        model: Some("gemini-x".to_owned()),
        ..Entry::new(Face::Gemini)
    };
    let body = br#"{"contents":[]}"#;
    let head = entry.head(body).unwrap();
    assert_eq!(head.model.as_deref(), Some("gemini-x"));
    assert_eq!(head.splice(body, "y"), body);
}

#[test]
fn what_is_no_object_is_refused() {
    for body in [
        "",
        "[]",
        "{",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1"#,
        "{} x",
        r#"{"a":"}"#,
        r#"{"a":[1}"#,
        "null",
    ] {
        let error = Entry::new(Face::OpenAiChat).head(body.as_bytes());
        // What is wrong deeper in it is the vendor's to say.
        if body != r#"{"a":[1}"# {
            assert!(error.is_err(), "{body}");
        }
    }
    let error = Entry::new(Face::OpenAiChat)
        .head(br#"{"model":7}"#)
        .unwrap_err();
    assert_eq!(error.message, "model: expected the name of a model");
}

#[test]
fn a_stream_is_wanted_where_the_wire_says_so() {
    for (face, body, stream) in [
        (Face::OpenAiChat, r#"{"stream":true}"#, true),
        (Face::OpenAiChat, r#"{"stream": false}"#, false),
        (Face::OpenAiChat, r#"{"stream":null}"#, false),
        (Face::OpenAiChat, r#"{"a":{"stream":true}}"#, false),
        (Face::OllamaChat, "{}", true),
        (Face::OllamaGenerate, r#"{"stream":false}"#, false),
    ] {
        assert_eq!(head(face, body).stream, stream, "{body}");
    }
}

#[test]
fn bodies_of_other_wires_are_known_by_their_shape() {
    let chat = Face::OpenAiChat;
    for (body, shape, relayable) in [
        (
            r#"{"messages":[{"role":"user","content":"hi"}]}"#,
            chat,
            true,
        ),
        (r#"{"input":"hi"}"#, Face::OpenAiResponses, false),
        (
            r#"{"input":[{"role":"user","content":[]}],"tools":[{"type":"function","name":"f"}]}"#,
            Face::OpenAiResponses,
            false,
        ),
        (
            r#"{"system":"s","messages":[{"role":"user","content":"hi"}]}"#,
            Face::AnthropicMessages,
            false,
        ),
        (
            r#"{"thinking":{"type":"enabled"},"messages":[{"role":"system","content":"hi"}]}"#,
            chat,
            true,
        ),
        (
            r#"{"messages":[],"tools":[{"type":"function","function":{"name":"f"}}]}"#,
            chat,
            true,
        ),
        (
            r#"{"messages":[],"tools":[{"type": "custom", "custom" : {"name":"f"}}]}"#,
            chat,
            true,
        ),
        (r#"{"messages":[],"tools":[]}"#, chat, true),
        (
            r#"{"messages":[],"tools":[{"type":"function","name":"f"}]}"#,
            chat,
            false,
        ),
        (
            r#"{"messages":[],"tools":[{"name":"f","input_schema":{}}]}"#,
            chat,
            false,
        ),
        (
            r#"{"messages":[{"role":"user","content":[{"type": "tool_result","tool_use_id":"a"}]}]}"#,
            chat,
            false,
        ),
        (
            r#"{"messages":[{"role":"user","content":"{\"type\":\"tool_result\"}"}]}"#,
            chat,
            true,
        ),
        (
            r#"{"messages":[{"role":"tool","tool_call_id":"a-mlm1-eA","content":""}]}"#,
            chat,
            false,
        ),
    ] {
        let head = head(chat, body);
        assert_eq!((head.shape, head.relayable), (shape, relayable), "{body}");
    }
    let messages = head(Face::AnthropicMessages, r#"{"system":"s","messages":[]}"#);
    assert_eq!(
        (messages.shape, messages.relayable),
        (Face::AnthropicMessages, true)
    );
    assert!(!head(Face::OllamaGenerate, r#"{"prompt":"x"}"#).relayable);
}
