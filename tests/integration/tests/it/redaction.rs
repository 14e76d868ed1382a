//! A server repeats the key in every way that it can: nothing that leaves the program holds it, and
//! a key that is a word harms no answer.

use futures_util::StreamExt as _;
use multillm::ChatMessage;
use serde_json::json;

use crate::leaks;
use crate::raw_server::{RawServer, http, sse};
use crate::stage::Stage;

const KEY: &str = "sk-Rd9vK2mX7pQ4tB6w";

/// A stage with a model `m` of this plugin at this server, and a key.
fn stage_at(server: &RawServer, plugin: &str, key: &str) -> Stage {
    let mut stage = Stage::new();
    stage.variables.push(("REPEATED_KEY".into(), key.into()));
    stage.config["providers"]["repeater"] = json!({
        "plugin": plugin, "base_url": server.origin, "api_key_env": "REPEATED_KEY",
    });
    stage.config["models"]["m"] = json!({ "provider": "repeater", "model_name": "x" });
    stage.config["retry"] = json!({ "max_attempts": 1 });
    stage
}

/// No beginning of the key that gives it away, in any case.
#[track_caller]
fn holds_none(shown: &str) {
    let lower = shown.to_lowercase();
    for form in [KEY.to_lowercase(), KEY[..12].to_lowercase()] {
        assert!(!lower.contains(&form), "{shown}");
    }
    assert!(
        !lower.contains("u006b-rd9v") && !lower.contains("%2drd9v"),
        "{shown}"
    );
}

/// The key as a server may write it into JSON.
fn forms() -> Vec<String> {
    let every: String = KEY
        .chars()
        .map(|c| format!("\\u{:04x}", u32::from(c)))
        .collect();
    vec![
        KEY.to_owned(),
        KEY.replacen('k', "\\u006b", 1),
        KEY.replacen('-', "%2D", 1),
        KEY.to_uppercase(),
        every,
    ]
}

fn chunk(delta: &serde_json::Value) -> String {
    json!({ "id": "c", "model": "x", "choices": [{ "index": 0, "delta": delta }] }).to_string()
}

fn end() -> String {
    json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] }).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_pieces_reaches_no_event_no_answer_and_no_history() {
    let kinds = ["content", "reasoning_content", "arguments"];
    let text = format!("a {KEY} b");
    let cuts = text.len() + 1;
    let server = RawServer::new(move |number| {
        let (left, right) = text.split_at(number % cuts);
        let delta = |piece: &str, first: bool| match kinds[number / cuts % 3] {
            "arguments" => {
                let mut call = json!({ "index": 0, "function": { "arguments": piece } });
                if first {
                    call["id"] = "call-1".into();
                    call["function"]["name"] = "look".into();
                }
                json!({ "tool_calls": [call] })
            }
            name => json!({ name: piece }),
        };
        let events = [
            chunk(&delta(left, true)),
            chunk(&delta(right, false)),
            end(),
        ];
        let [one, two, three] = &events;
        let body = sse(&[one, two, three, "[DONE]"]);
        http(200, "text/event-stream", "", &body)
    });
    let stage = stage_at(&server, "openai", KEY);
    let service = stage.service();
    for number in 0..3 * cuts {
        let messages = [ChatMessage::user("repeat it")];
        let mut events = service.stream_completion(&messages, "m").await.unwrap();
        let mut shown = String::new();
        while let Some(event) = events.next().await {
            shown += &format!("{:?}\n", event.unwrap());
        }
        holds_none(&shown);
        assert!(shown.contains("a [redacted] b"), "{number}: {shown}");
    }
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len(), 3 * cuts);
    holds_none(&format!("{rows:?}"));
}

#[test]
fn a_key_in_any_form_reaches_no_output() {
    for form in forms() {
        let message = format!(
            "{{\"role\":\"assistant\",\"content\":\"said {form}.\",\"reasoning_content\":\"{form}\",\
             \"tool_calls\":[{{\"id\":\"{form}\",\"type\":\"function\",\"function\":\
             {{\"name\":\"look\",\"arguments\":\"{{\\\"k\\\":\\\"{form}\\\"}}\"}}}}]}}"
        );
        let whole = format!(
            "{{\"id\":\"{form}\",\"model\":\"{form}\",\"choices\":[{{\"index\":0,\"message\":{message},\
             \"finish_reason\":\"stop\"}}]}}"
        );
        let error = format!(
            "{{\"error\":{{\"message\":\"no: {form}\",\"code\":\"{form}\",\"type\":\"{form}\"}}}}"
        );
        let bare = KEY
            .bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect::<String>();
        let heads =
            format!("x-request-id: {KEY}\r\nretry-after: {KEY}\r\nx-ratelimit-reset: {bare}\r\n");
        let redirect = format!("{heads}location: http://{KEY}.example/{bare}?{KEY}\r\n");
        let streamed = format!(
            "data: {}\n\ndata: [DONE]\n\n",
            whole.replace("\"message\":", "\"delta\":")
        );
        for (answer, code) in [
            (http(200, "application/json", &heads, &whole), 0),
            (http(200, "text/event-stream", &heads, &streamed), 0),
            (http(401, "application/json", &heads, &error), 1),
            (
                http(
                    500,
                    "text/html",
                    &heads,
                    &format!("<p>{form} &amp; {bare}</p>"),
                ),
                1,
            ),
            (http(302, "text/plain", &redirect, ""), 1),
            (http(200, &format!("text/{KEY}"), &heads, "nothing"), 1),
            (
                http(
                    200,
                    "text/html",
                    "",
                    &format!("<html><title>{form}</title>"),
                ),
                1,
            ),
            (
                http(
                    200,
                    "text/plain",
                    &format!("content-encoding: br, gzip{KEY}, gzip\r\n"),
                    "x",
                ),
                1,
            ),
        ] {
            let server = RawServer::always(answer);
            let mut stage = stage_at(&server, "openai", KEY);
            // Every level of every library.
            stage
                .variables
                .push(("MULTILLM_LOG".into(), "trace".into()));
            for options in [
                &["-vv"][..],
                &["-vv", "--json"],
                &["-vv", "--stream", "--json"],
            ] {
                let asked = [&["query", "Hello", "--model", "m"], options].concat();
                let done = stage.run(&asked);
                assert_eq!(done.code, Some(code), "{form} {options:?}: {done:?}");
                holds_none(&done.stdout);
                holds_none(&done.stderr);
            }
            for command in [
                &["health", "m"][..],
                &["history", "export"],
                &["history", "list"],
                &["list", "--provider", "repeater"],
            ] {
                let done = stage.run(command);
                holds_none(&done.stdout);
                holds_none(&done.stderr);
            }
        }
    }
}

#[test]
fn a_key_that_is_a_word_harms_no_answer_and_is_told_once() {
    for key in [
        "test",
        "none",
        "null",
        "stop",
        "content",
        "choices",
        "assistant",
        "finish_reason",
    ] {
        let said = format!("the word {key} stays");
        let whole = json!({
            "id": "c", "model": "x",
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": { "role": "assistant", "content": said },
            }],
        });
        let server = RawServer::always(http(200, "application/json", "", &whole.to_string()));
        let stage = {
            let mut stage = stage_at(&server, "openai", "");
            stage.variables.retain(|(name, _)| name != "REPEATED_KEY");
            // Not named as keys are: the scan must not look for a word.
            stage.variables.push(("REPEATED_WORD".into(), key.into()));
            stage.config["providers"]["repeater"]["api_key_env"] = "REPEATED_WORD".into();
            stage
        };
        let done = stage.run(&["query", "Hello", "--model", "m", "--json"]);
        assert_eq!(
            done.stderr.matches("too short or too common").count(),
            1,
            "{done:?}"
        );
        assert_eq!(done.json()["content"], said);
    }
}

/// What a guest is given was cleaned too, in every form: a dump of its memory shows it.
#[test]
fn no_form_of_the_key_enters_a_guest() {
    let hex = |text: &str| {
        text.bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let body = |form: &str| {
        format!(
            "{{\"id\":\"marker\",\"model\":\"x\",\"choices\":[{{\"index\":0,\"message\":\
             {{\"role\":\"assistant\",\"content\":\"{form}\"}},\"finish_reason\":\"stop\"}}]}}"
        )
    };
    for form in forms() {
        let heads = format!("x-request-id: {KEY}\r\nretry-after: {KEY}\r\n");
        let server = RawServer::always(http(200, "application/json", &heads, &body(&form)));
        let mut stage = stage_at(&server, "openai", KEY);
        stage.admit_hostile("dump", json!({ "attack": "dump-in-answer" }));
        stage
            .variables
            .retain(|(name, _)| name != "HOSTILE_API_KEY");
        stage.variables.push(("HOSTILE_API_KEY".into(), KEY.into()));
        stage.config["providers"]["hostile"]["base_url"] = server.origin.clone().into();
        leaks::know(&stage.variables);
        let service = stage.service();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let messages = [ChatMessage::user("Hello")];
        let answer = runtime
            .block_on(service.chat_completion(&messages, "dump"))
            .unwrap()
            .content();
        assert!(answer.contains(&hex("marker")), "the dump holds the answer");
        for part in [KEY, &KEY[..12], &form] {
            assert!(
                !answer.contains(&hex(part)),
                "{part} is in the plugin's memory"
            );
        }
    }
}
