//! Answers that are something else than what was asked for: web pages, streams unasked, proxies' pages,
//! text that is nothing.

use multillm::{ErrorKind, Result};
use serde_json::json;

use crate::answers::ask;
use crate::raw_server::{RawServer, http};
use crate::recorded::Recorded;
use crate::stage::Stage;
use crate::vendors::{LINES, Line};

/// Everything of this vendor's comes from this server now.
fn moved(stage: &mut Stage, line: &Line, server: &RawServer) {
    stage.config["providers"][line.plugin]["base_url"] = server.origin.clone().into();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_page_is_told_as_one_by_every_plugin() {
    let page =
        "\n<!DOCTYPE html><html><head><title>Open\n WebUI</title></head><body>{}</body></html>";
    for kind in [
        "text/html; charset=utf-8",
        "application/json",
        "text/event-stream",
    ] {
        let server = RawServer::always(http(200, kind, "", page));
        let mut stage = Stage::new();
        for line in &LINES {
            moved(&mut stage, line, &server);
        }
        let service = stage.service();
        for (number, line) in LINES.iter().enumerate() {
            for streamed in [false, true] {
                let outcome: Result<_> = async {
                    match streamed {
                        true => {
                            service
                                .stream(ask("Hello"), line.plugin)
                                .await?
                                .collect()
                                .await
                        }
                        false => service.chat(ask("Hello"), line.plugin).await,
                    }
                }
                .await;
                let error = outcome.unwrap_err();
                assert_eq!(
                    error.kind,
                    ErrorKind::MalformedResponse,
                    "{}: {error}",
                    line.plugin
                );
                let says = ["web page", "Open WebUI", "check base_url"];
                assert!(
                    says.iter().all(|word| error.message.contains(word)),
                    "{error}"
                );
                assert_eq!(error.attempts, None, "it was asked once");
            }
            assert_eq!(server.requests(), 2 * (number + 1));
        }
    }
}

/// Each vendor's own stream comes where a whole answer was asked for, under its own type and as JSON.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_nobody_asked_for_is_read() {
    for line in &LINES {
        let stage = Stage::new();
        let service = stage.service();
        let recorded = Recorded::of(&stage, &service, line, &ask("Hello there"), true).await;
        let body = String::from_utf8(recorded.body).unwrap();
        for kind in [
            "text/event-stream",
            "application/x-ndjson",
            "application/json",
            "text/plain",
        ] {
            let server = RawServer::always(http(200, kind, "", &body));
            let mut stage = Stage::new();
            stage.once();
            moved(&mut stage, line, &server);
            let service = stage.service();
            let answer = service.chat(ask("Hello there"), line.plugin).await;
            let answer = answer.unwrap_or_else(|error| panic!("{} {kind}: {error}", line.plugin));
            assert!(
                answer.content().contains("You said: Hello there"),
                "{answer:?}"
            );
            assert_eq!(answer.time_to_first_token, None);
            let rows = stage.rows(&service).await;
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].outcome, "success", "{rows:?}");
            assert!(!rows[0].streamed);
        }
        // And one that ends too early is no answer.
        let half = body.get(..body.len() / 2).unwrap_or_default();
        let server = RawServer::always(http(200, "text/event-stream", "", half));
        let mut stage = Stage::new();
        stage.once();
        moved(&mut stage, line, &server);
        let error = stage
            .service()
            .chat(ask("Hello there"), line.plugin)
            .await
            .unwrap_err();
        let kinds = [ErrorKind::Truncated, ErrorKind::MalformedResponse];
        assert!(kinds.contains(&error.kind), "{}: {error}", line.plugin);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_no_stream_and_lines_that_are_no_json_are_malformed() {
    for line in &LINES {
        for body in ["upstream error", "upstream error\n", "ok\nthen\n\n"] {
            let server = RawServer::always(http(200, "text/plain", "", body));
            let mut stage = Stage::new();
            moved(&mut stage, line, &server);
            let service = stage.service();
            for streamed in [false, true] {
                let outcome: Result<_> = async {
                    match streamed {
                        true => {
                            service
                                .stream(ask("Hello"), line.plugin)
                                .await?
                                .collect()
                                .await
                        }
                        false => service.chat(ask("Hello"), line.plugin).await,
                    }
                }
                .await;
                let error = outcome.unwrap_err();
                assert_eq!(
                    error.kind,
                    ErrorKind::MalformedResponse,
                    "{}: {error}",
                    line.plugin
                );
            }
            assert_eq!(server.requests(), 2, "{}: asked once each", line.plugin);
        }
    }
}

#[test]
fn a_proxy_that_answers_itself_is_named() {
    let page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
    for (status, kind, body) in [
        (503, "text/html", page),
        (502, "text/plain", "no upstream"),
        (403, "text/html", page),
        (407, "text/html", page),
        (200, "text/html", page),
    ] {
        let proxy = RawServer::always(http(status, kind, "", body));
        let mut stage = Stage::new();
        stage.once();
        stage
            .variables
            .push(("http_proxy".into(), proxy.origin.clone()));
        for command in [
            &["query", "Hello", "--model", "ollama"][..],
            &["health", "ollama"],
        ] {
            let done = stage.run(command);
            assert_eq!(done.code, Some(1), "{done:?}");
            let shown = format!("{}{}", done.stdout, done.stderr);
            assert!(
                shown.contains(&proxy.origin) && shown.contains("proxy"),
                "{status}: {shown}"
            );
        }
        // A host that is excepted is not asked through it.
        stage
            .variables
            .push(("NO_PROXY".into(), "127.0.0.1".into()));
        stage.run(&["query", "Hello", "--model", "ollama"]).answer();
    }
    // An answer in the vendor's own form is the vendor's.
    let error = json!({ "error": "model \"x\" not found" }).to_string();
    let proxy = RawServer::always(http(404, "application/json", "", &error));
    let mut stage = Stage::new();
    stage.once();
    stage
        .variables
        .push(("http_proxy".into(), proxy.origin.clone()));
    let done = stage.run(&["query", "Hello", "--model", "ollama"]);
    assert!(!done.stderr.contains("proxy"), "{done:?}");
}

#[test]
fn a_proxy_variable_that_cannot_be_used_is_an_error() {
    for value in [
        "socks://u:hunter2@proxy.corp:1080",
        "proxy.corp 3128",
        "ftp://proxy.corp",
        "not a url",
    ] {
        for variable in ["http_proxy", "ALL_PROXY"] {
            let mut stage = Stage::new();
            stage.variables.push((variable.into(), value.into()));
            let done = stage.run(&["query", "Hello", "--model", "ollama"]);
            assert!(!done.stderr.contains("hunter2"), "{done:?}");
            done.fails(2, &[variable, "no proxy that can be used", "NO_PROXY"]);
            assert_eq!(stage.simulator.requests(), 0, "nothing went past it");
            let check = stage.run(&["config", "check"]);
            assert!(check.stdout.contains(variable), "{check:?}");
        }
    }
}
