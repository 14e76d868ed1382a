//! What a vendor or a model cannot do: an error that names it before anything is sent, or, with `"unsupported": "drop"`,
//! left out of the request and named among the answer's warnings, in the history and on standard error.

use multillm::chat::{ChatRequest, Json, ReasoningEffort, ServerTool, ToolChoice, Unsupported};
use multillm::error::ErrorKind;
use serde_json::{Value, json};

use crate::answers::{ask, weather};
use crate::asking;
use crate::museum::go_back;
use crate::stage::Stage;

/// Something that is asked, by the name that a warning begins with.
struct Wish {
    name: &'static str,
    ask: fn(&mut ChatRequest),
    /// What wires call it: none of these may be a key of the body where it was left out.
    keys: &'static [&'static str],
}

fn tool(request: &mut ChatRequest, name: &str) {
    request.server_tools.push(ServerTool {
        name: name.to_owned(),
        options: None,
    });
}

/// A choice among tools of which more than one is there.
fn choose(request: &mut ChatRequest, choice: ToolChoice) {
    let mut other = weather();
    other.name = "get_time".to_owned();
    request.tools.extend([weather(), other]);
    request.tool_choice = choice;
}

fn wishes() -> Vec<Wish> {
    let wish = |name, keys, ask| Wish { name, ask, keys };
    vec![
        wish("temperature", &["temperature"], |r| {
            r.sampling.temperature = Some(0.5);
        }),
        wish("top_p", &["top_p", "topP", "p"], |r| {
            r.sampling.top_p = Some(0.5);
        }),
        wish("top_k", &["top_k", "topK", "k"], |r| {
            r.sampling.top_k = Some(3);
        }),
        wish("seed", &["seed"], |r| r.sampling.seed = Some(7)),
        wish("frequency_penalty", &["frequency_penalty"], |r| {
            r.sampling.frequency_penalty = Some(0.5);
        }),
        wish("presence_penalty", &["presence_penalty"], |r| {
            r.sampling.presence_penalty = Some(0.5);
        }),
        wish("stop", &["stop", "stop_sequences", "stopSequences"], |r| {
            r.sampling.stop = vec!["END".to_owned()];
        }),
        wish(
            "reasoning_effort",
            &[
                "reasoning_effort",
                "reasoning",
                "thinking",
                "thinkingConfig",
            ],
            |r| r.reasoning_effort = Some(ReasoningEffort::Low),
        ),
        wish("parallel_tool_calls", &["parallel_tool_calls"], |r| {
            r.tools.push(weather());
            r.parallel_tool_calls = Some(false);
        }),
        wish("strict", &["strict", "strict_tools"], |r| {
            let mut tool = weather();
            tool.parameters = json!({
                "type": "object", "additionalProperties": false, "required": ["city"],
                "properties": { "city": { "type": "string" } },
            })
            .into();
            tool.strict = Some(true);
            r.tools.push(tool);
        }),
        wish("tool_choice", &[], |r| {
            choose(r, ToolChoice::Named("get_weather".to_owned()));
        }),
        wish("tool_choice", &[], |r| {
            choose(r, ToolChoice::OneOf(vec!["get_weather".to_owned()]));
        }),
        wish("web-fetch", &["web_fetch", "urlContext"], |r| {
            tool(r, "web-fetch")
        }),
        wish("file-search", &["file_search", "fileSearch"], |r| {
            tool(r, "file-search");
        }),
    ]
}

/// The models, and what each of them does not take: places in [`wishes`].
fn refused(model: &str) -> &'static [&'static str] {
    match model {
        "openai" | "azure" => &["top_k", "web-fetch", "file-search"],
        "openai-thinks" => &[
            "temperature",
            "top_p",
            "top_k",
            "frequency_penalty",
            "presence_penalty",
            "stop",
            "web-fetch",
            "file-search",
        ],
        "responses" => &[
            "top_k",
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "stop",
            "web-fetch",
        ],
        "responses-thinks" => &[
            "temperature",
            "top_p",
            "top_k",
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "stop",
            "web-fetch",
        ],
        "huggingface" => &["tool_choice 2", "web-fetch", "file-search"],
        "claude" => &[
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "tool_choice 2",
            "file-search",
        ],
        "claude-new" => &[
            "temperature",
            "top_p",
            "top_k",
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "tool_choice 2",
            "file-search",
        ],
        "gemini" => &["reasoning_effort", "parallel_tool_calls"],
        "cohere" => &[
            "parallel_tool_calls",
            "tool_choice 1",
            "tool_choice 2",
            "web-fetch",
            "file-search",
        ],
        "ollama" => &[
            "parallel_tool_calls",
            "strict",
            "tool_choice 1",
            "tool_choice 2",
            "web-fetch",
            "file-search",
        ],
        other => panic!("{other} is no model of this test"),
    }
}

const MODELS: [&str; 11] = [
    "openai",
    "azure",
    "openai-thinks",
    "responses",
    "responses-thinks",
    "huggingface",
    "claude",
    "claude-new",
    "gemini",
    "cohere",
    "ollama",
];

fn stage() -> Stage {
    let mut stage = Stage::new();
    let responses = json!({ "api": "responses" });
    for (name, provider, model, settings) in [
        ("responses", "openai", "gpt-4o-mini", responses.clone()),
        ("responses-thinks", "openai", "o4-mini", responses),
        ("claude-new", "claude", "claude-opus-4-8", json!({})),
    ] {
        stage.config["models"][name] =
            json!({ "provider": provider, "model_name": model, "settings": settings });
    }
    stage.once();
    stage
}

/// Whether a key of this name stands anywhere in a value, outside of what the caller wrote.
fn has_key(value: &Value, names: &[&str]) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(key, value)| names.contains(&key.as_str()) || has_key(value, names)),
        Value::Array(list) => list.iter().any(|value| has_key(value, names)),
        _ => false,
    }
}

/// The wishes with the names by which [`refused`] knows them: those that are there twice have a number.
fn numbered() -> Vec<(String, Wish)> {
    let mut choices = 0;
    let wishes = wishes().into_iter().map(|wish| {
        let name = match wish.name {
            "tool_choice" => {
                choices += 1;
                format!("tool_choice {choices}")
            }
            name => name.to_owned(),
        };
        (name, wish)
    });
    wishes.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_vendor_refuses_by_name_or_leaves_out_with_a_word() {
    let stage = stage();
    let service = stage.service();
    let mut wrong = vec![];
    let mut judged = 0;
    for model in MODELS {
        for (name, wish) in numbered() {
            let place = format!("{model}: {name}");
            let mut request = ask("Hello");
            (wish.ask)(&mut request);
            let before = stage.simulator.requests();
            let answer = service.chat(request.clone(), model).await;
            let sent = stage.simulator.requests() > before;
            let is_refused =
                matches!(&answer, Err(error) if error.kind == ErrorKind::Unsupported) && !sent;
            let expected = refused(model).contains(&name.as_str());
            if is_refused != expected {
                wrong.push(format!(
                    "{place}: refused is {is_refused}, sent {sent}: {answer:?}"
                ));
                continue;
            }
            request.unsupported = Some(Unsupported::Drop);
            let answer = service.chat(request, model).await;
            let warnings = match &answer {
                Ok(answer) => answer.warnings.clone(),
                Err(_) if !expected => continue,
                Err(error) => {
                    wrong.push(format!("{place}: dropped and yet refused: {error:?}"));
                    continue;
                }
            };
            let begins = format!("{}: ", wish.name);
            let named = warnings.iter().any(|warning| warning.starts_with(&begins));
            if named != expected || !expected && !warnings.is_empty() {
                wrong.push(format!("{place}: {warnings:?}"));
            }
            let Some(last) = stage.simulator.log().pop() else {
                panic!("{place}: nothing was sent");
            };
            let body: Value = serde_json::from_slice(&last.body).unwrap();
            if expected && has_key(&body, wish.keys) {
                wrong.push(format!("{place}: it is sent all the same: {body}"));
            }
            let chosen = body["tool_choice"].to_string() + &body["toolConfig"].to_string();
            if expected && name.starts_with("tool_choice") && chosen.contains("get_weather") {
                wrong.push(format!("{place}: it is chosen all the same: {body}"));
            }
            judged += 1;
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(judged > 100, "only {judged} were judged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_was_to_be_drawn_and_a_schema_are_never_left_out() {
    let stage = stage();
    let service = stage.service();
    let mut draws = ask("draw");
    draws.outputs = vec!["image".to_owned()];
    let schema = json!({ "type": "object" });
    let both = ask("x")
        .tool(weather())
        .json_schema("form", Json::from(schema));
    for (model, mut request) in [
        ("claude", draws.clone()),
        ("cohere", draws),
        ("cohere", both),
    ] {
        request.unsupported = Some(Unsupported::Drop);
        let error = service.chat(request, model).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{model}: {error}");
    }
    assert_eq!(stage.simulator.requests(), 0);
}

#[test]
fn the_command_line_says_what_is_left_out_everywhere() {
    let mut stage = stage();
    let asked = ["query", "Hello", "-m", "claude", "--seed", "7"];
    stage
        .run(&asked)
        .fails(1, &["seed: claude knows none; leave it out"]);
    stage.config["providers"]["claude"]["unsupported"] = "drop".into();
    let done = stage.run(&asked);
    assert_eq!(done.code, Some(0), "{done:?}");
    let note = "note: left out: seed: claude knows none\n";
    assert_eq!(done.stderr.matches(note).count(), 1, "{done:?}");
    let streamed = stage.run(&[&asked[..], &["--stream"]].concat());
    assert_eq!(streamed.stderr.matches(note).count(), 1, "{streamed:?}");
    let whole = stage.run(&[&asked[..], &["--json"]].concat()).json();
    assert_eq!(whole["warnings"], json!(["seed: claude knows none"]));
    let events = stage
        .run(&[&asked[..], &["--json", "--stream"]].concat())
        .answer();
    let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!(last["type"], "done");
    assert_eq!(last["warnings"], json!(["seed: claude knows none"]));
    // A model says otherwise than its provider.
    stage.config["models"]["claude"]["unsupported"] = "error".into();
    stage.run(&asked).fails(1, &["seed"]);
    stage.config["models"]["claude"]["unsupported"] = Value::Null;
    let rows = stage.run(&["history", "list", "--json"]).json();
    let told = rows.as_array().unwrap().iter();
    let told = told.filter(|row| row["warnings"] == json!(["seed: claude knows none"]));
    assert_eq!(told.count(), 4, "{rows}");
    let shown = stage.run(&["history", "show", "2"]).answer();
    assert!(
        shown.contains("left out        seed: claude knows none\n"),
        "{shown}"
    );
    let table = stage
        .run(&["history", "export", "--format", "csv"])
        .answer();
    assert!(table.contains("seed: claude knows none"), "{table}");
    // In a chat, and where models stand side by side.
    stage.config["models"]["claude"]["seed"] = 7.into();
    let done = stage.run_with(&["chat", "-m", "claude"], b"Hello\n");
    assert_eq!(done.stderr.matches(note).count(), 1, "{done:?}");
    let compared = stage
        .run(&["compare", "Hello", "-m", "claude", "openai"])
        .answer();
    assert_eq!(
        compared
            .matches("left out: seed: claude knows none")
            .count(),
        1,
        "{compared}"
    );
    // It is a choice of two.
    stage.config["providers"]["claude"]["unsupported"] = "drpo".into();
    let checked = stage.run(&["config", "check"]);
    assert_ne!(checked.code, Some(0), "{checked:?}");
    assert!(
        checked.stdout.contains("did you mean \"drop\"")
            || checked.stderr.contains("did you mean \"drop\""),
        "{checked:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_answer_and_a_stream_say_it_too() {
    let mut stage = stage();
    stage.config["cache"] = json!({ "enabled": true });
    stage.config["providers"]["claude"]["unsupported"] = "drop".into();
    let service = stage.service();
    let mut request = ask("Hello");
    request.sampling.seed = Some(7);
    for cached in [false, true] {
        let stream = service.stream(request.clone(), "claude").await.unwrap();
        assert_eq!(stream.warnings(), ["seed: claude knows none"]);
        let answer = stream.collect().await.unwrap();
        assert_eq!(answer.warnings, ["seed: claude knows none"]);
        assert_eq!(answer.cached, cached);
    }
    // What is refused is asked as another request than what is left out.
    request.unsupported = Some(Unsupported::Error);
    assert!(service.chat(request, "claude").await.is_err());
    let rows = stage.rows(&service).await;
    assert_eq!(rows[0].warnings, ["seed: claude knows none"]);
    assert_eq!(rows[1].warnings, ["seed: claude knows none"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_of_the_first_contract_says_that_it_leaves_nothing_out() {
    let mut stage = stage();
    go_back(&mut stage);
    stage.config["providers"]["claude"]["unsupported"] = "drop".into();
    let service = stage.service();
    let mut request = ask("Hello");
    request.sampling.seed = Some(7);
    let error = service.chat(request, "claude").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    for word in ["seed", "\"unsupported\": \"drop\"", "contract 0.1.0"] {
        assert!(error.message.contains(word), "no {word:?} in {error}");
    }
    let plain = asking::chat(&service, "claude", "Hello").await.answer();
    assert_eq!(plain.warnings, [""; 0]);
}
