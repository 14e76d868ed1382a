//! Nothing that a vendor says of an answer is out of reach: whatever has no member of its own in `--json` stands under
//! `extra`, by wire, whole and streamed.

use serde_json::{Value, json};

use crate::raw_server::{RawServer, http, sse};
use crate::stage::Stage;

/// An answer with words in odd places, whole and as events; both say each of the words.
struct Odd {
    plugin: &'static str,
    wire: &'static str,
    settings: Value,
    whole: Value,
    kind: &'static str,
    stream: String,
    words: &'static [&'static str],
}

fn events(list: &[Value]) -> String {
    let texts: Vec<String> = list.iter().map(Value::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    sse(&texts)
}

fn named(list: &[Value]) -> String {
    let lines = list.iter().map(|event| {
        let name = event["type"].as_str().unwrap();
        format!("event: {name}\ndata: {event}\n\n")
    });
    lines.collect()
}

fn openai() -> Odd {
    let logprobs = json!({ "content": [{ "token": "W-token", "logprob": -0.25, "bytes": [72], "top_logprobs": [] }] });
    let filter = json!({ "hate": { "filtered": false, "severity": "W-filter" } });
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, "W-count": 7,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 } });
    let whole = json!({
        "id": "c1", "object": "chat.completion", "model": "m-1", "system_fingerprint": "W-fingerprint",
        "service_tier": "W-tier", "prompt_filter_results": [{ "prompt_index": 0, "content_filter_results": filter }],
        "choices": [
            { "index": 0, "message": { "role": "assistant", "content": "one" }, "finish_reason": "stop",
              "logprobs": logprobs, "content_filter_results": filter },
            { "index": 1, "message": { "role": "assistant", "content": "W-second" }, "finish_reason": "stop" },
        ],
        "usage": usage, "x_groq": { "id": "W-own" }, "timings": { "predicted_ms": "W-timing" },
    });
    let chunk = |choices: Value, more: Value| {
        let mut chunk = json!({ "id": "c1", "object": "chat.completion.chunk", "model": "m-1",
            "system_fingerprint": "W-fingerprint", "service_tier": "W-tier", "choices": choices });
        for (name, value) in more.as_object().unwrap() {
            chunk[name] = value.clone();
        }
        chunk
    };
    let stream = [
        chunk(
            json!([]),
            json!({ "prompt_filter_results": [{ "content_filter_results": filter }] }),
        ),
        chunk(
            json!([{ "index": 0, "delta": { "role": "assistant", "content": "one" }, "logprobs": logprobs,
            "content_filter_results": filter }]),
            json!({}),
        ),
        chunk(
            json!([{ "index": 1, "delta": { "content": "W-sec" } }]),
            json!({}),
        ),
        chunk(
            json!([{ "index": 1, "delta": { "content": "ond" }, "finish_reason": "stop" }]),
            json!({}),
        ),
        chunk(
            json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]),
            json!({}),
        ),
        chunk(
            json!([]),
            json!({ "usage": usage, "x_groq": { "id": "W-own" }, "timings": { "predicted_ms": "W-timing" } }),
        ),
    ];
    Odd {
        plugin: "openai",
        wire: "openai-chat",
        settings: json!({}),
        whole,
        kind: "text/event-stream",
        stream: events(&stream) + "data: [DONE]\n\n",
        words: &[
            "W-token",
            "W-filter",
            "W-fingerprint",
            "W-tier",
            "W-second",
            "W-count",
            "W-own",
            "W-timing",
        ],
    }
}

fn responses() -> Odd {
    let whole = json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m-1",
        "metadata": { "k": "W-metadata" }, "safety_identifier": "W-safety", "moderation": { "verdict": "W-verdict" },
        "output": [
            { "id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "W-encrypted" },
            { "id": "W-item", "type": "message", "role": "assistant", "status": "completed", "content": [
                { "type": "output_text", "text": "one", "annotations": [],
                  "logprobs": [{ "token": "W-token", "logprob": -0.5, "bytes": [], "top_logprobs": [] }] }] },
            { "id": "x_1", "type": "brand_new_call", "status": "completed", "payload": "W-new" },
        ],
        "usage": { "input_tokens": 1, "output_tokens": 2, "total_tokens": 3, "W-count": 4 },
    });
    let mut list = vec![json!({ "type": "response.created", "sequence_number": 0,
        "response": { "id": "resp_1", "object": "response", "status": "in_progress", "model": "m-1", "output": [] } })];
    for (at, item) in whole["output"].as_array().unwrap().iter().enumerate() {
        list.push(json!({ "type": "response.output_item.added", "sequence_number": at * 2 + 1, "output_index": at,
            "item": { "id": item["id"], "type": item["type"], "status": "in_progress", "role": "assistant", "content": [], "summary": [] } }));
        list.push(json!({ "type": "response.output_item.done", "sequence_number": at * 2 + 2, "output_index": at, "item": item }));
    }
    list.push(json!({ "type": "response.completed", "sequence_number": 99, "response": whole }));
    Odd {
        plugin: "openai",
        wire: "openai-responses",
        settings: json!({ "api": "responses" }),
        stream: named(&list),
        kind: "text/event-stream",
        whole,
        words: &[
            "W-metadata",
            "W-safety",
            "W-verdict",
            "W-encrypted",
            "W-item",
            "W-token",
            "W-new",
            "W-count",
        ],
    }
}

fn claude() -> Odd {
    let usage = json!({ "input_tokens": 1, "output_tokens": 2, "service_tier": "W-tier", "inference_geo": "W-geo",
        "cache_creation": { "ephemeral_5m_input_tokens": 0, "W-life": 3 } });
    let block = json!({ "type": "brand_new_block", "payload": "W-new" });
    let whole = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1",
        "content": [{ "type": "text", "text": "one" }, block],
        "stop_reason": "stop_sequence", "stop_sequence": "W-sequence", "usage": usage,
        "container": { "id": "W-container", "expires_at": "2026-12-01T00:00:00Z" },
        "context_management": { "applied_edits": [{ "type": "W-edit" }] },
        "stop_details": { "category": "W-details" },
    });
    let start = json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "m-1", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": usage });
    let list = [
        json!({ "type": "message_start", "message": start }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": "one" } }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "content_block_start", "index": 1, "content_block": block }),
        json!({ "type": "content_block_stop", "index": 1 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "stop_sequence", "stop_sequence": "W-sequence",
            "container": whole["container"], "stop_details": whole["stop_details"] },
            "context_management": whole["context_management"], "usage": { "output_tokens": 2 } }),
        json!({ "type": "message_stop" }),
    ];
    Odd {
        plugin: "claude",
        wire: "anthropic-messages",
        settings: json!({}),
        stream: named(&list),
        kind: "text/event-stream",
        whole,
        words: &[
            "W-tier",
            "W-geo",
            "W-life",
            "W-new",
            "W-sequence",
            "W-container",
            "W-edit",
            "W-details",
        ],
    }
}

fn gemini() -> Odd {
    let whole = json!({
        "candidates": [
            { "index": 0, "content": { "role": "model", "parts": [{ "text": "one" }, { "brandNew": { "x": "W-new" } }] },
              "finishReason": "STOP", "finishMessage": "W-message", "avgLogprobs": -0.125,
              "safetyRatings": [{ "category": "W-rating", "probability": "LOW" }],
              "logprobsResult": { "chosenCandidates": [{ "token": "W-token" }] },
              "groundingMetadata": { "searchEntryPoint": { "renderedContent": "W-entry" } },
              "urlContextMetadata": { "urlMetadata": [{ "retrievedUrl": "W-url" }] } },
            { "index": 1, "content": { "role": "model", "parts": [{ "text": "W-second" }] }, "finishReason": "STOP" },
        ],
        "promptFeedback": { "safetyRatings": [{ "category": "W-prompt" }] },
        "usageMetadata": { "promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3,
            "trafficType": "W-traffic", "promptTokensDetails": [{ "modality": "W-modality", "tokenCount": 1 }] },
        "modelVersion": "m-1", "responseId": "r1", "createTime": "W-time",
    });
    Odd {
        plugin: "gemini",
        wire: "gemini",
        settings: json!({}),
        stream: events(std::slice::from_ref(&whole)),
        kind: "text/event-stream",
        whole,
        words: &[
            "W-new",
            "W-message",
            "W-rating",
            "W-token",
            "W-entry",
            "W-url",
            "W-second",
            "W-prompt",
            "W-traffic",
            "W-modality",
            "W-time",
        ],
    }
}

fn cohere() -> Odd {
    let usage = json!({ "billed_units": { "input_tokens": 1, "output_tokens": 2, "W-units": 3 },
        "tokens": { "input_tokens": 5, "output_tokens": 2 }, "W-count": 9 });
    let logprobs = json!([{ "token_ids": [1], "text": "W-token", "logprobs": [-0.5] }]);
    let plan = json!({ "start": 0, "end": 1, "text": "W-plan", "type": "PLAN", "sources": [] });
    let whole = json!({
        "id": "c1", "finish_reason": "COMPLETE", "usage": usage, "logprobs": logprobs, "meta": { "x": "W-meta" },
        "message": { "role": "assistant", "content": [{ "type": "text", "text": "one" }], "citations": [plan], "brand_new": "W-new" },
    });
    let list = [
        json!({ "type": "message-start", "id": "c1", "delta": { "message": { "role": "assistant", "content": [], "citations": [] } } }),
        json!({ "type": "content-start", "index": 0, "delta": { "message": { "content": { "type": "text", "text": "" } } } }),
        json!({ "type": "content-delta", "index": 0, "delta": { "message": { "content": { "text": "one" } } }, "logprobs": logprobs[0] }),
        json!({ "type": "citation-start", "index": 0, "delta": { "message": { "citations": plan } } }),
        json!({ "type": "citation-end", "index": 0 }),
        json!({ "type": "content-end", "index": 0 }),
        json!({ "type": "message-end", "delta": { "finish_reason": "COMPLETE", "usage": usage } }),
    ];
    Odd {
        plugin: "cohere",
        wire: "cohere-chat",
        settings: json!({}),
        stream: named(&list),
        kind: "text/event-stream",
        whole,
        words: &["W-units", "W-count", "W-token", "W-plan"],
    }
}

fn ollama() -> Odd {
    let whole = json!({
        "model": "m-1", "created_at": "W-created", "message": { "role": "assistant", "content": "one" },
        "done": true, "done_reason": "stop", "total_duration": 11, "load_duration": 12, "prompt_eval_count": 1,
        "prompt_eval_duration": 13, "eval_count": 2, "eval_duration": 14, "remote_host": "W-host",
        "logprobs": [{ "token": "W-token", "logprob": -0.5 }],
    });
    let mut first = whole.clone();
    first["done"] = false.into();
    for name in [
        "done_reason",
        "eval_count",
        "prompt_eval_count",
        "total_duration",
    ] {
        first.as_object_mut().unwrap().remove(name);
    }
    let mut last = whole.clone();
    last["message"]["content"] = "".into();
    last.as_object_mut().unwrap().remove("logprobs");
    Odd {
        plugin: "ollama",
        wire: "ollama-chat",
        settings: json!({}),
        stream: format!("{first}\n{last}\n"),
        kind: "application/x-ndjson",
        whole,
        words: &[
            "W-created",
            "W-host",
            "W-token",
            "total_duration",
            "eval_duration",
        ],
    }
}

#[test]
fn every_word_of_an_answer_is_reached_by_json() {
    let mut wrong = vec![];
    for odd in [
        openai(),
        responses(),
        claude(),
        gemini(),
        cohere(),
        ollama(),
    ] {
        for streamed in [false, true] {
            let answer = match streamed {
                true => http(200, odd.kind, "", &odd.stream),
                false => http(200, "application/json", "", &odd.whole.to_string()),
            };
            let server = RawServer::always(answer);
            let mut stage = Stage::new();
            stage.config["providers"]["other"] = json!({ "plugin": odd.plugin, "base_url": server.origin,
                "api_key": false, "settings": odd.settings });
            stage.config["models"]["m"] = json!({ "provider": "other", "model_name": "x" });
            if odd.plugin != "ollama" {
                stage.config["providers"]["other"]["api_key"] = Value::Null;
                stage.config["providers"]["other"]["api_key_env"] = "ODD_KEY".into();
                stage
                    .variables
                    .push(("ODD_KEY".into(), "sk-odd-0123456789abcdef".into()));
            }
            let way: &[&str] = if streamed { &["--stream"] } else { &[] };
            let done = stage.run(&[&["query", "Hi", "-m", "m", "--json"], way].concat());
            let place = format!("{} streamed {streamed}", odd.wire);
            if done.code != Some(0) {
                wrong.push(format!("{place}: {done:?}"));
                continue;
            }
            let last: Value = serde_json::from_str(done.stdout.lines().last().unwrap()).unwrap();
            if last["content"] != "one" {
                wrong.push(format!("{place}: {last}"));
            }
            let told = last.to_string();
            for word in odd.words {
                if !told.contains(word) {
                    wrong.push(format!("{place}: no {word}: {told}"));
                }
            }
            let extra = last["extra"][odd.wire].as_object();
            if extra.is_none_or(serde_json::Map::is_empty) {
                wrong.push(format!("{place}: nothing under its wire: {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
