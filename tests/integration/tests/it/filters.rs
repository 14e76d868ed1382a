//! Filters between callers and models, with the real components: what is sent, what is heard, what is kept, and what
//! becomes of a filter that misbehaves.

use futures_util::StreamExt as _;
use multillm::chat::{ChatMessage, ChatRequest, EmbedRequest};
use multillm::{ChatEvent, ErrorKind, MultiLlmService};
use serde_json::{Value, json};

use crate::answers::{ask as asked, weather};
use crate::asking::{ask, chat};
use crate::gateway::{Gateway, caller, question};
use crate::stage::{Stage, guest};
use crate::vendors::LINES;

const MAIL: &str = "ann.lee@example.org";
const IBAN: &str = "DE89 3704 0044 0532 0130 00";

/// A stage on which the filters of examples and tests are known.
fn stage() -> Stage {
    let mut stage = Stage::new();
    for name in ["pii", "guard", "unruly"] {
        stage.config["plugins"][name]["path"] = guest(name).display().to_string().into();
    }
    stage.once();
    stage
}

fn with(filters: Value) -> Stage {
    let mut stage = stage();
    stage.set("models.openai.filters", filters);
    stage
}

fn unruly(what: &str) -> Value {
    json!([{ "plugin": "unruly", "settings": { "do": what } }])
}

/// The body that the vendor got last.
fn sent(stage: &Stage) -> String {
    let log = stage.simulator.log();
    String::from_utf8(log.last().unwrap().body.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_vendor_sees_personal_data_and_every_caller_hears_it() {
    let mut stage = stage();
    for line in &LINES {
        stage.set(
            &format!("providers.{}.filters", line.plugin),
            json!(["pii"]),
        );
    }
    let service = stage.service();
    for line in &LINES {
        for streamed in [false, true] {
            let text = format!("Write to {MAIL} about {IBAN}");
            let asked = ask(&service, line.plugin, &text, streamed).await;
            let body = sent(&stage);
            assert!(
                body.contains("[EMAIL_1]") && body.contains("[IBAN_1]"),
                "{body}"
            );
            assert!(!body.contains(MAIL) && !body.contains("3704"), "{body}");
            if streamed {
                assert!(
                    asked.shown.contains(&text),
                    "{}: {}",
                    line.plugin,
                    asked.shown
                );
            }
            let answer = asked.answer();
            let said = answer.content();
            assert!(said.contains(&text), "{}: {said}", line.plugin);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_of_tools_are_restored_whole_and_streamed() {
    let stage = with(json!(["pii"]));
    let service = stage.service();
    let request = asked(&format!("get_weather city={MAIL}")).tool(weather());
    let whole = service.chat(request.clone(), "openai").await.unwrap();
    let mut events = service.stream(request, "openai").await.unwrap();
    let (mut pieces, mut streamed) = (String::new(), None);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            ChatEvent::ToolCallDelta { arguments, .. } => pieces += &arguments,
            ChatEvent::Done(answer) => streamed = Some(answer),
            _ => {}
        }
    }
    let expected = format!(r#"{{"city":"{MAIL}"}}"#);
    for answer in [whole, *streamed.unwrap()] {
        let call = answer.tool_calls().next().unwrap();
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
        assert_eq!(arguments, serde_json::from_str::<Value>(&expected).unwrap());
    }
    let pieces: Value = serde_json::from_str(&pieces).unwrap();
    assert_eq!(pieces["city"], MAIL);
    assert!(!sent(&stage).contains(MAIL));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_goes_on_is_sent_as_it_was() {
    let stage = with(json!(["pii"]));
    let service = stage.service();
    let first = format!("I am {MAIL}");
    let answer = chat(&service, "openai", &first).await.answer();
    let messages = [
        ChatMessage::user(first),
        answer.message(),
        ChatMessage::user("and bob@example.org?"),
    ];
    let request = ChatRequest::new(messages);
    service.chat(request, "openai").await.unwrap();
    let body: Value = serde_json::from_str(&sent(&stage)).unwrap();
    let said = |at: usize| body["messages"][at]["content"].to_string();
    assert!(said(0).contains("I am [EMAIL_1]"), "{body}");
    assert!(said(1).contains("I am [EMAIL_1]"), "{body}");
    assert!(said(2).contains("and [EMAIL_2]?"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_and_kept_answers_hold_what_was_sent_and_each_caller_hears_their_own() {
    let mut stage = with(json!(["pii"]));
    stage.set("cache", json!({ "enabled": true }));
    let service = stage.service();
    let mut heard = vec![];
    for mail in [MAIL, "bob@example.org"] {
        for streamed in [false, true] {
            let asked = ask(&service, "openai", &format!("Dear {mail}"), streamed).await;
            let answer = asked.answer();
            assert!(
                answer.content().contains(&format!("Dear {mail}")),
                "{answer:?}"
            );
            heard.push(answer.cached);
        }
    }
    assert_eq!(
        heard,
        [false, true, true, true],
        "the same once it is filtered"
    );
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len(), 4, "{rows:?}");
    for row in rows {
        let (prompt, answer) = (row.prompt.unwrap(), row.answer.unwrap());
        assert_eq!(prompt, "Dear [EMAIL_1]");
        assert!(answer.contains("Dear [EMAIL_1]"), "{answer}");
    }
    assert_eq!(stage.simulator.requests(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_a_rule_forbids_is_refused_and_nothing_is_sent() {
    let rules = json!({ "rules": [{ "name": "no-keys", "contains": ["PRIVATE KEY"], "reason": "keys stay here" }] });
    let mut stage = with(json!([{ "plugin": "guard", "settings": rules }]));
    stage.set("routes", json!({ "r": { "models": ["openai", "claude"] } }));
    let service = stage.service();
    for model in ["openai", "r"] {
        for streamed in [false, true] {
            let error = ask(&service, model, "-----BEGIN private key", streamed)
                .await
                .error();
            assert_eq!(error.kind, ErrorKind::ContentFiltered, "{error}");
            assert_eq!(error.vendor_code.as_deref(), Some("no-keys"));
            assert!(
                error.message.contains("\"guard\"") && error.message.contains("keys stay here"),
                "{error}"
            );
            assert_eq!(error.model.as_deref(), Some("openai"));
        }
    }
    assert_eq!(
        stage.simulator.requests(),
        0,
        "and no other model of a route is asked"
    );
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(row.prompt, None, "what does not pass is not kept");
        assert_eq!(
            row.error_kind.as_deref(),
            Some("content_filtered"),
            "{row:?}"
        );
    }
    let again = stage.service();
    assert!(
        chat(&again, "openai", "Hello")
            .await
            .answer()
            .content()
            .contains("Hello")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_a_rule_forbids_ends_and_is_paid_all_the_same() {
    let rules = json!({ "rules": [{ "name": "no-names", "contains": ["secret name"], "applies_to": ["answer"] }] });
    let mut stage = with(json!([{ "plugin": "guard", "settings": rules }]));
    stage.set("models.openai.cost_per_1k_tokens", json!(0.01));
    let service = stage.service();
    for streamed in [false, true] {
        let asked = ask(&service, "openai", "the secret name is Bob", streamed).await;
        assert!(!asked.shown.contains("secret"), "{}", asked.shown);
        let error = asked.error();
        assert_eq!(error.kind, ErrorKind::ContentFiltered, "{error}");
        assert_eq!(error.vendor_code.as_deref(), Some("no-names"));
    }
    let rows = stage.rows(&service).await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[0].cost.is_some_and(|cost| !cost.is_zero()), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_asked_in_order_and_hear_the_answer_the_other_way_round() {
    let mark =
        |mark: &str| json!({ "plugin": "unruly", "settings": { "do": "mark", "mark": mark } });
    let mut stage = with(json!([mark("b"), mark("c")]));
    stage.set("providers.openai.filters", json!([mark("a")]));
    let service = stage.service();
    for streamed in [false, true] {
        let answer = ask(&service, "openai", "Hello", streamed).await.answer();
        // Each writes before what is asked, so that the last stands first; and behind what it hears, so that the
        // first, which hears it last, stands last.
        assert!(sent(&stage).contains("cbaHello"), "{}", sent(&stage));
        assert!(answer.content().ends_with("cba"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_changes_what_else_is_asked_and_nothing_of_what_is_paid() {
    let stage = with(unruly("params"));
    let service = stage.service();
    let request = asked("Hello").temperature(1.0).tool(weather());
    service.chat(request, "openai").await.unwrap();
    let body: Value = serde_json::from_str(&sent(&stage)).unwrap();
    assert_eq!(body["temperature"], 0.25);
    assert_eq!(body["tools"], Value::Null);
    let plain = stage.config["models"]["openai"]["filters"].clone();
    assert!(plain.is_array());
    let stage = with(unruly("answer-usage"));
    let service = stage.service();
    for streamed in [false, true] {
        let answer = ask(&service, "openai", "Hello", streamed).await.answer();
        assert!(
            answer
                .usage
                .prompt_tokens
                .is_some_and(|tokens| tokens < 1000),
            "{answer:?}"
        );
    }
    let stage = with(unruly("answer-nothing"));
    let answer = chat(&stage.service(), "openai", "Hello").await.answer();
    assert_eq!(answer.content(), "");
    assert!(
        answer
            .usage
            .completion_tokens
            .is_some_and(|tokens| tokens > 0),
        "{answer:?}"
    );
}

/// What a filter does, whether a stream is wanted, and what the caller must be told.
const ATTACKS: [(&str, ErrorKind, &str); 16] = [
    ("trap", ErrorKind::Plugin, "crashed in prepare"),
    (
        "loop",
        ErrorKind::Plugin,
        "computed for more than 200 ms in prepare",
    ),
    ("grow", ErrorKind::Plugin, "memory in prepare"),
    ("blob", ErrorKind::Plugin, "blob 99"),
    ("no-json", ErrorKind::Plugin, "no JSON object"),
    ("refuse", ErrorKind::ContentFiltered, "nothing passes"),
    (
        "misconfigured",
        ErrorKind::Configuration,
        "nothing suits me",
    ),
    ("empty", ErrorKind::InvalidRequest, "nothing to ask"),
    ("answer-trap", ErrorKind::Plugin, "crashed in answer.push"),
    (
        "answer-loop",
        ErrorKind::Plugin,
        "computed for more than 200 ms in answer.push",
    ),
    ("answer-grow", ErrorKind::Plugin, "memory in answer.push"),
    ("answer-refuse", ErrorKind::ContentFiltered, "not that"),
    ("answer-early", ErrorKind::Plugin, "had not ended"),
    ("answer-endless", ErrorKind::Plugin, "did not end"),
    ("answer-many", ErrorKind::Plugin, "returned too much"),
    ("no-such", ErrorKind::Other, ""),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_filter_does_fails_that_exchange_alone_and_by_name() {
    let mut stage = stage();
    stage.set(
        "limits",
        json!({ "plugin_cpu_ms": 200, "plugin_output_mb": 4, "max_concurrency": 8 }),
    );
    for (what, ..) in ATTACKS {
        let model =
            json!({ "provider": "openai", "model_name": "gpt-4o-mini", "filters": unruly(what) });
        stage.set(&format!("models.{what}"), model);
    }
    let service = stage.service();
    let mut wrong = vec![];
    for (what, kind, says) in ATTACKS {
        for streamed in [false, true] {
            // A whole answer is one piece, and all its text one event.
            let late = ["answer-trap", "answer-loop", "answer-grow", "answer-refuse"];
            if !streamed && (late.contains(&what) || what == "answer-early") {
                continue;
            }
            match ask(&service, what, "Hello, how are you", streamed)
                .await
                .result
            {
                Ok(_) if what == "no-such" => {}
                Err(error)
                    if error.kind == kind
                        && error.message.contains(says)
                        && (kind == ErrorKind::InvalidRequest
                            || error.message.contains("unruly")) => {}
                other => wrong.push(format!("{what} {streamed}: {other:?}")),
            }
        }
        assert!(
            chat(&service, "openai", "Hello").await.result.is_ok(),
            "after {what}"
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chains_wait_for_all_their_places_and_none_waits_for_ever() {
    let mark = json!({ "plugin": "unruly", "settings": { "do": "mark", "mark": "x" } });
    let mut stage = with(Value::Array(vec![mark; 8]));
    stage.set("limits.max_concurrency", json!(2));
    let service = stage.service();
    let all = (0..48).map(|number| {
        let service = service.clone();
        async move {
            ask(&service, "openai", "Hello", number % 2 == 0)
                .await
                .result
                .map(drop)
        }
    });
    let all = futures_util::future::join_all(all);
    let all = tokio::time::timeout(std::time::Duration::from_secs(120), all).await;
    let all = all.expect("somebody waits for ever");
    assert!(all.iter().all(Result::is_ok), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_passes_the_filters_anew() {
    let mut stage = with(json!(["pii"]));
    stage.set(
        "retry",
        json!({ "max_attempts": 3, "base_ms": 1, "max_ms": 5 }),
    );
    stage.set("routes", json!({ "r": { "models": ["openai", "claude"] } }));
    stage.set("models.claude.filters", json!(["pii"]));
    let service = stage.service();
    let text = format!("{MAIL} [[fault:cut k=2 times=1]]");
    let asked = ask(&service, "openai", &text, true).await;
    let result = asked.result;
    if let Ok(answer) = &result {
        assert!(answer.content().contains(MAIL), "{answer:?}");
    }
    let text = format!("{MAIL} [[fault:500 times=2]]");
    let answer = chat(&service, "openai", &text).await.answer();
    assert!(
        answer.content().contains(MAIL) && answer.attempts == 3,
        "{answer:?}"
    );
    stage
        .simulator
        .fail_next(multillm_simulator::Vendor::OpenAi, "500", 3);
    let answer = chat(&service, "r", MAIL).await.answer();
    assert_eq!(answer.model, "claude");
    assert!(answer.content().contains(MAIL), "{answer:?}");
    for exchange in stage.simulator.log() {
        assert!(!String::from_utf8_lossy(&exchange.body).contains(MAIL));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_is_heard_as_far_as_it_came() {
    let stage = with(json!(["pii"]));
    let service = stage.service();
    let text = format!("{MAIL} write 40 words [[fault:cut k=6]]");
    let asked = ask(&service, "openai", &text, true).await;
    let shown = asked.shown.clone();
    let error = asked.error();
    assert_eq!(error.kind, ErrorKind::Truncated, "{error}");
    assert_eq!(error.partial.as_deref(), Some(shown.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_with_filters_is_translated_by_the_gateway_whatever_its_lane() {
    let mut stage = with(json!(["pii"]));
    stage.set("models.openai.lane", json!("relay"));
    let gateway = Gateway::open(&mut stage).await;
    for stream in [false, true] {
        let reply = caller::post(
            gateway.address,
            "/v1/chat/completions",
            &[],
            &question("openai", &format!("Write to {MAIL}"), stream),
        )
        .await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(!sent(&stage).contains(MAIL) && sent(&stage).contains("[EMAIL_1]"));
        let text = reply.text();
        match stream {
            false => assert!(text.contains(&format!("Write to {MAIL}")), "{text}"),
            true => assert!(
                text.contains(MAIL) && text.contains("data: [DONE]"),
                "{text}"
            ),
        }
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_reaches_the_gateways_callers_in_their_own_form() {
    let rules = json!({ "rules": [{ "name": "no-keys", "contains": ["PRIVATE KEY"] }] });
    let mut stage = with(json!([{ "plugin": "guard", "settings": rules }]));
    let gateway = Gateway::open(&mut stage).await;
    let body = question("openai", "a private key", false);
    let reply = caller::post(gateway.address, "/v1/chat/completions", &[], &body).await;
    assert_eq!(reply.status, 400, "{reply:?}");
    assert!(
        reply.text().contains("no-keys") && reply.text().contains("guard"),
        "{reply:?}"
    );
    assert_eq!(stage.simulator.requests(), 0);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_and_vectors_pass_the_filters_too() {
    let mut stage = with(json!(["pii"]));
    stage.set("models.claude.filters", json!(["pii"]));
    stage.set(
        "models.vectors",
        json!({ "provider": "openai", "model_name": "text-embedding-3-small", "filters": ["pii"] }),
    );
    let service = stage.service();
    let _ = service.count_tokens(&asked(MAIL), "claude").await;
    let inputs = vec![MAIL.to_owned(), "plain".to_owned()];
    let request = EmbedRequest {
        inputs,
        ..EmbedRequest::default()
    };
    let _ = service.embed(&request, "vectors").await;
    let log = stage.simulator.log();
    assert!(!log.is_empty());
    for exchange in log {
        let body = String::from_utf8_lossy(&exchange.body).into_owned();
        assert!(!body.contains(MAIL) && body.contains("[EMAIL_1]"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_filter_or_is_set_wrongly_is_said_before_anything_is_sent() {
    for (filters, says) in [
        (json!(["openai"]), "multillm:filter/"),
        (
            json!([{ "plugin": "pii", "settings": { "kind": [] } }]),
            "did you mean \"kinds\"?",
        ),
        (
            json!([{ "plugin": "pii", "settings": { "kinds": ["name"] } }]),
            "\"pii\" cannot be used",
        ),
    ] {
        let stage = with(filters);
        let error = chat(&stage.service(), "openai", "Hello").await.error();
        assert_eq!(error.kind, ErrorKind::Configuration, "{error}");
        assert!(error.message.contains(says), "{error}");
        assert_eq!(stage.simulator.requests(), 0);
    }
    for (filters, says) in [
        (json!(["absent"]), "no plugin \"absent\""),
        (json!([{ "settings": {} }]), "names no plugin"),
        (json!(vec!["pii"; 9]), "at most 8"),
    ] {
        let mut stage = stage();
        stage.set("models.openai.filters", filters);
        stage
            .run(&["query", "-m", "openai", "Hi"])
            .fails(2, &[says]);
    }
    // A filter is no provider either.
    let mut stage = stage();
    stage.set(
        "providers.pii",
        json!({ "plugin": "pii", "base_url": "http://127.0.0.1:9" }),
    );
    stage.set("models.odd", json!({ "provider": "pii" }));
    let error = chat(&stage.service(), "odd", "Hello").await.error();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_is_switched_off_switches_its_models_off() {
    let mut stage = with(json!(["pii"]));
    stage.set("default_model", json!("claude"));
    stage.set("plugins.pii.enabled", json!(false));
    let error = chat(&stage.service(), "openai", MAIL).await.error();
    assert_eq!(error.kind, ErrorKind::Configuration, "{error}");
    assert_eq!(stage.simulator.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_takes_filters_over_and_refuses_those_that_are_none() {
    let mut stage = with(json!(["pii"]));
    let service: MultiLlmService = stage.service();
    assert!(
        chat(&service, "openai", MAIL)
            .await
            .answer()
            .content()
            .contains(MAIL)
    );
    stage.set(
        "models.openai.filters",
        json!(["pii", { "plugin": "guard", "settings": { "max_characters": 5 } }]),
    );
    stage.config_file();
    service.reload().await.unwrap();
    let error = chat(&service, "openai", MAIL).await.error();
    assert_eq!(error.kind, ErrorKind::ContentFiltered, "{error}");
    stage.set("models.openai.filters", json!(["cohere"]));
    stage.config_file();
    let refused = service.reload().await;
    assert!(refused.is_err(), "{refused:?}");
    let error = chat(&service, "openai", MAIL).await.error();
    assert_eq!(
        error.kind,
        ErrorKind::ContentFiltered,
        "the old configuration goes on"
    );
}
