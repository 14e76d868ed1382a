use serde_json::{Value, json};

use super::*;
use crate::testing::text;
use crate::{
    ChatEvent, Citation, CitationSource, ErrorKind, FinishReason, MediaSource, Part, ResultPart,
    Text,
};

/// A whole response of these items.
fn response(output: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "model": "m-1", "status": "completed", "output": output,
           "service_tier": "flex", "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13,
           "input_tokens_details": {"cached_tokens": 2}, "output_tokens_details": {"reasoning_tokens": 1}}})
}

fn whole_of(output: &Value) -> ChatResponse {
    let text = response(output).to_string();
    whole(&Dialect::default(), &Json::parse(&text).unwrap()).unwrap()
}

fn frame(event: &Value) -> Frame {
    Frame {
        event: event["type"].as_str().map(str::to_owned),
        data: event.to_string(),
    }
}

fn read(events: &[Value]) -> (Vec<ChatEvent>, Result<(), Error>) {
    let mut stream = Stream::new(&Dialect::default());
    let mut told = Events::new();
    for event in events {
        if let Err(error) = stream.frame(&frame(event), &mut told) {
            return (told.into_inner(), Err(error));
        }
    }
    match told.is_over() {
        true => (told.into_inner(), Ok(())),
        false => (told.into_inner(), Err(Error::truncated())),
    }
}

/// The events of a stream that tells these items by their pieces.
fn pieces(output: &Value) -> Vec<Value> {
    let shell = json!({"id": "resp_1", "object": "response", "model": "m-1", "status": "in_progress", "output": []});
    let mut events = vec![
        json!({"type": "response.created", "response": shell}),
        json!({"type": "response.in_progress", "response": shell}),
        json!({"type": "keepalive", "sequence_number": 2}),
    ];
    for (at, item) in output.as_array().unwrap().iter().enumerate() {
        let mut added = item.clone();
        for name in ["content", "summary"] {
            if added.get(name).is_some() {
                added[name] = json!([]);
            }
        }
        for name in ["arguments", "input"] {
            if added.get(name).is_some() {
                added[name] = json!("");
            }
        }
        if added.get("result").is_some() {
            added["result"] = Value::Null;
        }
        added["status"] = json!("in_progress");
        if let Some(encrypted) = added.get_mut("encrypted_content") {
            *encrypted = json!("not yet");
        }
        events
            .push(json!({"type": "response.output_item.added", "output_index": at, "item": added}));
        let kind = item["type"].as_str().unwrap();
        let delta = |kind: &str, name: &str, number: usize, text: &str| -> Vec<Value> {
            let halves = text.split_at(
                text.char_indices()
                    .nth(text.chars().count() / 2)
                    .map_or(0, |(at, _)| at),
            );
            [halves.0, halves.1]
                .map(|half| json!({"type": kind, "output_index": at, name: number, "delta": half}))
                .into()
        };
        for (number, part) in item["content"].as_array().into_iter().flatten().enumerate() {
            let (event, said) = match part["type"].as_str().unwrap() {
                "refusal" => ("response.refusal.delta", &part["refusal"]),
                "reasoning_text" => ("response.reasoning_text.delta", &part["text"]),
                _ => ("response.output_text.delta", &part["text"]),
            };
            events.extend(delta(
                event,
                "content_index",
                number,
                said.as_str().unwrap(),
            ));
            for (place, annotation) in part["annotations"]
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
            {
                events.push(
                    json!({"type": "response.output_text.annotation.added", "output_index": at,
                    "content_index": number, "annotation_index": place, "annotation": annotation}),
                );
            }
            if kind == "message" {
                events.push(
                    json!({"type": "response.content_part.done", "output_index": at,
                    "content_index": number, "part": part}),
                );
            }
        }
        for (number, part) in item["summary"].as_array().into_iter().flatten().enumerate() {
            let said = part["text"].as_str().unwrap();
            events.extend(delta(
                "response.reasoning_summary_text.delta",
                "summary_index",
                number,
                said,
            ));
        }
        let argued = |name: &str| item[name].as_str().unwrap_or_default();
        match kind {
            "function_call" => events.extend(delta(
                "response.function_call_arguments.delta",
                "n",
                0,
                argued("arguments"),
            )),
            "custom_tool_call" => events.extend(delta(
                "response.custom_tool_call_input.delta",
                "n",
                0,
                argued("input"),
            )),
            _ => {}
        }
        events.push(json!({"type": "response.output_item.done", "output_index": at, "item": item}));
    }
    events.push(json!({"type": "response.completed", "response": response(output)}));
    events
}

fn everything() -> Value {
    json!([
        {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "docs", "tools": [{"name": "ask"}]},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA",
         "summary": [{"type": "summary_text", "text": "first"}, {"type": "summary_text", "text": "second"}]},
        {"type": "reasoning", "id": "rs_2", "encrypted_content": "gBBB", "summary": []},
        {"type": "reasoning", "id": "rs_3", "summary": []},
        {"type": "web_search_call", "id": "ws_1", "status": "completed",
         "action": {"type": "search", "query": "größe"}},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary",
         "content": [
            {"type": "output_text", "text": "Größe: 5 m", "logprobs": [{"token": "G", "logprob": -0.5}],
             "annotations": [{"type": "url_citation", "start_index": 7, "end_index": 10,
                              "url": "https://example.org", "title": "T"}]},
            {"type": "output_text", "text": "more", "annotations": [], "logprobs": []},
            {"type": "refusal", "refusal": "No."}]},
        {"type": "message", "id": "msg_2", "role": "assistant", "status": "completed", "content": []},
        {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "print(1)",
         "container_id": "cntr_1", "outputs": [{"type": "logs", "logs": "1\n"},
            {"type": "image", "url": "data:image/png;base64,AAAA"}]},
        {"type": "mcp_call", "id": "mcp_1", "status": "failed", "name": "ask", "server_label": "docs",
         "arguments": "{\"q\":1}", "error": "gone", "output": null},
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "output_format": "webp",
         "revised_prompt": "a cat", "result": "AAAA"},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{\"x\":1}",
         "status": "completed", "namespace": "n"},
        {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "look", "arguments": "",
         "status": "completed"},
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_3", "name": "patch", "input": "free",
         "status": "completed"},
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "gCCC"},
        {"type": "something_new", "id": "x"},
    ])
}

#[test]
fn every_item_is_read_whole_and_streamed_alike() {
    let whole = whole_of(&everything());
    let (events, end) = read(&pieces(&everything()));
    end.unwrap();
    assert_eq!(assemble(events), whole);
    assert_eq!(whole.finish.reason, FinishReason::ToolCalls);
    assert_eq!(
        (whole.id.as_deref(), whole.model.as_deref()),
        (Some("resp_1"), Some("m-1"))
    );
    assert_eq!(whole.usage.tier.as_deref(), Some("flex"));
    assert_eq!(whole.usage.cached_tokens, Some(2));
    assert_eq!(whole.usage.counted("web-searches"), Some(1));
    let extra: Value = serde_json::from_str(whole.extra.as_deref().unwrap()).unwrap();
    assert_eq!(
        extra,
        json!({"status": "completed", "service_tier": "flex"})
    );
    let texts: String = whole
        .content
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, "Größe: 5 mmoreNo.");
    let thoughts: Vec<_> = whole
        .content
        .iter()
        .filter_map(|part| match part {
            Part::Reasoning(thought) => Some((
                thought.text.as_str(),
                thought.signature.as_deref(),
                thought.redacted.as_deref(),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        thoughts,
        [
            ("first\n\nsecond", Some("gAAA"), None),
            ("", None, Some("gBBB"))
        ]
    );
    let calls: Vec<_> = whole
        .content
        .iter()
        .filter_map(|part| match part {
            Part::ToolCall(call) => Some((call.id.as_deref().unwrap(), call.arguments.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("call_1", r#"{"x":1}"#),
            ("call_2", "{}"),
            ("call_3", "free")
        ]
    );
}

#[test]
fn a_text_bears_its_citations_in_characters() {
    let answer = whole_of(&everything());
    let cited = answer.content.iter().find_map(|part| match part {
        Part::Text(text) if !text.citations.is_empty() => Some(text),
        _ => None,
    });
    let Text {
        text,
        citations,
        extra,
        ..
    } = cited.unwrap();
    let [
        Citation {
            source,
            start: Some(start),
            end: Some(end),
            ..
        },
    ] = citations.as_slice()
    else {
        panic!("{citations:?}");
    };
    assert_eq!(
        *source,
        CitationSource::Url("https://example.org".to_owned())
    );
    let passage: String = text
        .chars()
        .skip(*start as usize)
        .take((end - start) as usize)
        .collect();
    assert_eq!(passage, "5 m");
    // The order is that of the recording, which `json!` writes in one or the other.
    let said: Option<Value> = extra
        .as_deref()
        .map(|text| serde_json::from_str(text).unwrap());
    assert_eq!(
        said,
        Some(
            json!({"id": "msg_1", "phase": "commentary", "logprobs": [{"logprob": -0.5, "token": "G"}]})
        )
    );
}

#[test]
fn what_the_vendors_tools_did_is_a_call_and_what_can_be_shown() {
    let answer = whole_of(&everything());
    let mut calls = Vec::new();
    let mut results = Vec::new();
    let mut media = Vec::new();
    for part in &answer.content {
        match part {
            Part::ServerToolCall(call) => {
                let input = call.input.as_deref().unwrap();
                calls.push((
                    call.name.as_str(),
                    serde_json::from_str::<Value>(input).unwrap(),
                ));
            }
            Part::ServerToolResult(result) => results.push(result),
            Part::Media(picture) => media.push(picture),
            _ => {}
        }
    }
    assert_eq!(
        calls,
        [
            ("web-search", json!({"query": "größe", "type": "search"})),
            ("code-execution", json!({"code": "print(1)"})),
            ("mcp", json!({"q": 1})),
            ("image-generation", json!({"revised_prompt": "a cat"})),
        ]
    );
    let [ran, asked] = results.as_slice() else {
        panic!("{results:?}");
    };
    assert!(
        matches!(ran.content.as_slice(), [ResultPart::Text(logs), ResultPart::Media(_)] if logs == "1\n")
    );
    assert!(asked.is_error && asked.content == [ResultPart::Text("gone".to_owned())]);
    let [picture] = media.as_slice() else {
        panic!("{media:?}");
    };
    assert_eq!(picture.media_type.as_deref(), Some("image/webp"));
    assert_eq!(picture.source, MediaSource::Base64("AAAA".to_owned()));
}

#[test]
fn a_stream_cut_anywhere_before_its_end_is_truncated() {
    let events = pieces(&everything());
    for cut in 0..events.len() {
        let (_, end) = read(&events[..cut]);
        assert_eq!(end.unwrap_err().kind, ErrorKind::Truncated, "{cut}");
    }
}

#[test]
fn what_a_stream_left_out_the_last_event_tells() {
    let mut events = pieces(&everything());
    events.retain(|event| event["type"] != "response.output_item.done");
    let (told, end) = read(&events);
    end.unwrap();
    let (mut found, mut wanted) = (assemble(told), whole_of(&everything()));
    // What has no pieces comes in the end.
    let order = |part: &Part| format!("{part:?}");
    let is_text = |part: &Part| matches!(part, Part::Text(_));
    found.content.retain(|part| !is_text(part));
    wanted.content.retain(|part| !is_text(part));
    found.content.sort_by_key(order);
    wanted.content.sort_by_key(order);
    assert_eq!(found.usage, wanted.usage);
    assert_eq!(found.finish, wanted.finish);
}

#[test]
fn both_forms_of_an_error_are_the_end_and_so_is_a_response_that_failed() {
    let failed = json!({"type": "response.failed", "response": {"id": "r", "status": "failed", "model": "m",
        "error": {"code": "server_error", "message": "broken"}, "output": []}});
    let nested = json!({"type": "error", "error": {"type": "server_error", "code": "server_error", "message": "broken"}});
    let flat = json!({"type": "error", "code": "server_error", "message": "broken", "param": null});
    for event in [failed.clone(), nested, flat] {
        let (_, end) = read(&[event]);
        let error = end.unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.kind),
            ("broken", ErrorKind::Server)
        );
    }
    let whole_failure = failed["response"].to_string();
    let error = whole(&Dialect::default(), &Json::parse(&whole_failure).unwrap()).unwrap_err();
    assert_eq!(error.message, "broken");
}

#[test]
fn an_incomplete_answer_is_an_answer() {
    for (reason, finish) in [
        ("max_output_tokens", FinishReason::Length),
        ("content_filter", FinishReason::ContentFilter),
        ("steered", FinishReason::Other),
    ] {
        let mut cut = response(
            &json!([{"type": "function_call", "id": "fc_1", "call_id": "c", "name": "look",
            "arguments": "{\"x", "status": "incomplete"}]),
        );
        cut["status"] = json!("incomplete");
        cut["incomplete_details"] = json!({"reason": reason});
        let (events, end) = read(&[
            json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "function_call",
                "id": "fc_1", "call_id": "c", "name": "look", "arguments": ""}}),
            json!({"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{\"x"}),
            json!({"type": "response.incomplete", "response": cut}),
        ]);
        end.unwrap();
        let answer = assemble(events);
        assert_eq!(
            (answer.finish.reason, answer.finish.raw.as_deref()),
            (finish, Some(reason))
        );
        assert!(
            matches!(answer.content.as_slice(), [Part::ToolCall(call)] if call.arguments == "{\"x")
        );
        let text = cut.to_string();
        let same = whole(&Dialect::default(), &Json::parse(&text).unwrap()).unwrap();
        assert_eq!((same.content, same.finish), (answer.content, answer.finish));
    }
}

#[test]
fn thoughts_in_the_open_are_thoughts_where_there_is_no_summary() {
    let output = json!([{"type": "reasoning", "id": "rs_1", "summary": [],
        "content": [{"type": "reasoning_text", "text": "one"}, {"type": "reasoning_text", "text": "two"}]},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "yes", "annotations": []}]}]);
    let whole = whole_of(&output);
    let (events, end) = read(&pieces(&output));
    end.unwrap();
    assert_eq!(assemble(events), whole);
    let [Part::Reasoning(thought), Part::Text(_)] = whole.content.as_slice() else {
        panic!("{whole:?}");
    };
    assert_eq!(thought.text, "one\n\ntwo");
    let with_tail = Part::Text(Text {
        extra: Some(r#"{"id":"msg_1","status":"completed"}"#.to_owned()),
        ..Text::new("yes")
    });
    assert_eq!(whole.content[1], with_tail);
    assert_ne!(whole.content[1], text("yes"));
}

/// Deltas that differ in their text and number alone are known, and go where the first one went.
#[test]
fn what_is_known_again_goes_where_it_went() {
    let delta = |item: u64, piece: u64, number: u64, text: &str| {
        json!({
            "type": "response.output_text.delta", "sequence_number": number, "item_id": format!("msg_{item}"),
            "output_index": item, "content_index": piece, "delta": text, "logprobs": [],
            "obfuscation": "x".repeat(usize::try_from(number % 7).unwrap()),
        })
    };
    let said = [
        (0, 0, "a"),
        (0, 0, "b\n"),
        (0, 0, "c"),
        (0, 1, "d"),
        (0, 1, "\"e\""),
        (1, 0, "f"),
        (1, 0, "g"),
    ];
    let mut known = Stream::new(&Dialect::default());
    let mut read = Stream::new(&Dialect::default());
    let (mut from_known, mut from_read) = (Events::new(), Events::new());
    let mut again = 0;
    for (number, (item, piece, text)) in (3..).zip(said) {
        let frame = frame(&delta(item, piece, number, text));
        again += usize::from(known.learned.text(&frame.data).is_some());
        known.frame(&frame, &mut from_known).unwrap();
        read.learned = Learned::default();
        read.frame(&frame, &mut from_read).unwrap();
    }
    assert_eq!(again, 4);
    assert_eq!(from_known.into_inner(), from_read.into_inner());
}
