//! Streams as the vendor sends them, and as it should not.

use multillm_plugin_sdk::assemble::assemble;
use multillm_plugin_sdk::{ChatEvent, ErrorKind, FinishReason, MediaSource, Part};

use crate::decode::answer;
use crate::tests::{signed, stream};

fn parts(frames: &[&str]) -> Vec<Part> {
    assemble(stream(frames).unwrap()).content
}

/// A piece with these parts.
fn piece(parts: &str) -> String {
    format!(r#"{{"candidates":[{{"content":{{"role":"model","parts":[{parts}]}},"index":0}}]}}"#)
}

const STOP: &str = r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}]}"#;

#[test]
fn pieces_add_up_and_the_last_counts_stand() {
    let frames = [
        r#"{"candidates":[{"content":{"parts":[{"text":"plan","thought":true}]}}],
            "usageMetadata":{"promptTokenCount":7,"thoughtsTokenCount":4,"totalTokenCount":11},
            "modelVersion":"gemini-2.5-flash","responseId":"r1"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"Gr"}]}}],"modelVersion":"gemini-2.5-flash","responseId":"r1"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"üezi\u2028"}]},"finishReason":"MAX_TOKENS"}],
            "usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":13,
                             "cachedContentTokenCount":5}}"#,
    ];
    let events = stream(&frames).unwrap();
    let starts = events
        .iter()
        .filter(|event| matches!(event, ChatEvent::Started(_)));
    assert_eq!(starts.count(), 1);
    assert_eq!(events.last(), Some(&ChatEvent::Done));

    let answer = assemble(events);
    let [Part::Reasoning(thought), Part::Text(text)] = answer.content.as_slice() else {
        panic!("{:?}", answer.content)
    };
    assert_eq!(
        (thought.text.as_str(), text.text.as_str()),
        ("plan", "Grüezi\u{2028}")
    );
    assert_eq!(answer.finish.reason, FinishReason::Length);
    assert_eq!(answer.finish.raw.as_deref(), Some("MAX_TOKENS"));
    assert_eq!(
        (answer.id.as_deref(), answer.model.as_deref()),
        (Some("r1"), Some("gemini-2.5-flash"))
    );
    assert_eq!(answer.usage.prompt_tokens, Some(7));
    assert_eq!(answer.usage.completion_tokens, Some(6));
    assert_eq!(answer.usage.total_tokens, Some(13));
    assert_eq!(answer.usage.cached_tokens, Some(5));
    assert_eq!(answer.usage.reasoning_tokens, Some(4));
}

#[test]
fn a_stream_cut_before_its_finish_reason_is_truncated() {
    let first = piece(r#"{"text":"a"}"#);
    let second = piece(r#"{"functionCall":{"name":"f","args":{}}}"#);
    let frames = [first.as_str(), second.as_str(), STOP];
    for cut in 0..frames.len() {
        let error = stream(&frames[..cut]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated, "after {cut}");
    }
    assert!(stream(&frames).is_ok());
}

const CODE: &str = r#"{"executableCode":{"language":"PYTHON","code":"print(6*7)"}}"#;
const RESULT: &str = r#"{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"42"}}"#;

/// A piece with these parts and this finish reason.
fn last(parts: &str, reason: &str) -> String {
    piece(parts).replace(r#","index":0"#, &format!(r#","finishReason":"{reason}""#))
}

/// The frames of a body that are whole.
fn frames(body: &str) -> Vec<&str> {
    let mut frames: Vec<&str> = body.split("\r\n\r\n").collect();
    frames.pop();
    frames
        .iter()
        .map(|frame| frame.trim_start_matches("data: "))
        .collect()
}

#[test]
fn a_finish_is_taken_back_by_its_own_code_and_by_what_follows() {
    let streams = [
        vec![
            piece(r#"{"text":"Let me see."}"#),
            last(CODE, "STOP"),
            last(RESULT, "STOP"),
            piece(r#"{"text":"It is "}"#),
            last(r#"{"text":"42."}"#, "STOP"),
        ],
        vec![
            last(&format!("{CODE},{RESULT}"), "STOP"),
            piece(r#"{"inlineData":{"mimeType":"image/png","data":"iVBO"}}"#),
            piece(r#"{"text":"It is "}"#),
            piece(r#"{"text":"42."}"#),
            STOP.to_owned(),
        ],
        vec![
            piece(r#"{"text":"It is"}"#),
            last(&format!(r#"{CODE},{{"text":""}}"#), "STOP"),
            last(&format!(r#"{RESULT},{{"text":" 42."}}"#), "STOP"),
        ],
    ];
    for pieces in streams {
        let body: String = pieces
            .iter()
            .map(|piece| format!("data: {piece}\r\n\r\n"))
            .collect();
        assert!(stream(&frames(&body)).is_ok());
        for (cut, _) in body.char_indices() {
            let error = stream(&frames(&body[..cut])).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Truncated, "{}", &body[..cut]);
        }
    }
    for reason in ["STOP", "MAX_TOKENS"] {
        let early = [
            last(r#"{"text":"It is "}"#, reason),
            piece(r#"{"functionCall":{"name":"f"}}"#),
        ];
        let error = stream(&[&early[0], &early[1]]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated, "{reason}");
    }
}

#[test]
fn an_answer_ends_although_it_holds_code() {
    for (pieces, reason) in [
        // the model spoke of what it ran
        (
            vec![last(&format!(r#"{CODE},{RESULT},{{"text":"42"}}"#), "STOP")],
            FinishReason::Stop,
        ),
        (
            vec![piece(CODE), piece(RESULT), STOP.to_owned()],
            FinishReason::Stop,
        ),
        // nothing follows a limit
        (vec![last(CODE, "MAX_TOKENS")], FinishReason::Length),
        (
            vec![last(r#"{"text":"42"}"#, "STOP"), piece(r#"{"text":""}"#)],
            FinishReason::Stop,
        ),
    ] {
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let answer = assemble(stream(&pieces).unwrap());
        assert_eq!(answer.finish.reason, reason, "{pieces:?}");
    }
    // whole, it is complete when it is read
    let whole = answer(&last(CODE, "STOP")).unwrap();
    assert_eq!(whole.finish.reason, FinishReason::Stop);
}

#[test]
fn arguments_keep_every_digit_and_calls_without_a_name_are_none() {
    let arguments = r#"{"id":123456789012345678901234567890,"n":[-98765432109876543210987]}"#;
    let frame = piece(&format!(
        r#"{{"functionCall":{{"name":null,"args":null}}}},{{"functionCall":{{"args":{{"a":1}}}}}},
           {{"functionCall":{{"name":"f","args":{arguments}}}}}"#
    ));
    let parts = parts(&[&frame, STOP]);
    let [Part::ToolCall(call)] = parts.as_slice() else {
        panic!("{parts:?}");
    };
    assert_eq!(
        (call.name.as_str(), call.arguments.as_str()),
        ("f", arguments)
    );
    let phantom =
        assemble(stream(&[&piece(r#"{"text":"Hi"},{"functionCall":{}}"#), STOP]).unwrap());
    assert_eq!(phantom.finish.reason, FinishReason::Stop);
    assert_eq!(phantom.content, [signed("Hi", None)]);
}

#[test]
fn what_has_a_price_of_its_own_is_told_once_at_the_end() {
    let frame = r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"iVBO"}}]},
        "groundingMetadata":{"webSearchQueries":["a"]},"finishReason":"STOP"}],
        "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1290,"totalTokenCount":1293,
            "trafficType":"ON_DEMAND_FLEX","candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]}}"#;
    for answer in [assemble(stream(&[frame]).unwrap()), answer(frame).unwrap()] {
        let [Part::Media(picture)] = answer.content.as_slice() else {
            panic!("{:?}", answer.content);
        };
        assert_eq!(picture.source, MediaSource::Base64("iVBO".to_owned()));
        let usage = answer.usage;
        assert_eq!(usage.tier.as_deref(), Some("ON_DEMAND_FLEX"));
        assert_eq!(usage.counted("completion-image-tokens"), Some(1290));
        assert_eq!(usage.counted("web-searches"), Some(1));
        assert_eq!(usage.completion_tokens, Some(1290));
    }
}

#[test]
fn calls_are_whole_distinct_and_change_the_reason() {
    let calls = piece(
        r#"{"functionCall":{"name":"look","args":{ "b": 1.50, "a": "x y" }},"thoughtSignature":"c2ln"},
           {"functionCall":{"name":"look","id":"v1"}}"#,
    );
    let events = stream(&[&calls, STOP]).unwrap();
    let indexes: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::ToolCallStart(start) => Some(start.index),
            _ => None,
        })
        .collect();
    assert_eq!(indexes, [0, 1]);
    let answer = assemble(events);
    let [Part::ToolCall(first), Part::ToolCall(second)] = answer.content.as_slice() else {
        panic!("{:?}", answer.content)
    };
    assert_eq!(first.arguments, r#"{"b":1.50,"a":"x y"}"#);
    assert_eq!(first.signature.as_deref(), Some("c2ln"));
    assert_eq!((first.id.as_deref(), first.local), (None, false));
    assert_eq!(
        (second.id.as_deref(), second.arguments.as_str()),
        (Some("v1"), "{}")
    );
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
    assert_eq!(answer.finish.raw.as_deref(), Some("STOP"));
}

#[test]
fn a_call_of_an_undeclared_tool_is_shown_with_its_reason() {
    let frame = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":null}}]},
                    "finishReason":"UNEXPECTED_TOOL_CALL","finishMessage":"no such tool"}]}"#;
    let answer = assemble(stream(&[frame]).unwrap());
    assert_eq!(answer.finish.reason, FinishReason::Error);
    assert!(matches!(answer.content.as_slice(), [Part::ToolCall(call)] if call.arguments == "{}"));
}

#[test]
fn signatures_stay_on_the_parts_that_carried_them() {
    let signed_text = piece(r#"{"text":"lo","thoughtSignature":"czE="}"#);
    let frames = [
        &piece(r#"{"text":"Hel"}"#),
        &signed_text,
        &piece(r#"{"text":"more"}"#),
        STOP,
    ];
    assert_eq!(
        parts(&frames),
        [signed("Hello", Some("czE=")), signed("more", None)]
    );

    let after_call =
        piece(r#"{"functionCall":{"name":"f","args":{}}},{"text":"","thoughtSignature":"czI="}"#);
    assert_eq!(parts(&[&after_call, STOP])[1..], [signed("", Some("czI="))]);

    // a signed empty part behind unsigned text is kept as it is
    let trailing = piece(r#"{"text": "", "thoughtSignature": "czM="}"#);
    let parts = parts(&[&piece(r#"{"text":"Hi"}"#), &trailing, STOP]);
    let [Part::Text(text), Part::Opaque(kept)] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    assert_eq!((text.text.as_str(), &text.signature), ("Hi", &None));
    assert_eq!(kept.data, r#"{"text":"","thoughtSignature":"czM="}"#);
}

#[test]
fn unknown_parts_are_kept_and_empty_ones_are_not() {
    let frame = piece(
        r#"{"executableCode":{"language":"PYTHON","code":"print( 1 )"},"thoughtSignature":"eA=="},
           {"text":"1"},{"inlineData":{"mimeType":"image/png","data":"iVBO"}},{},{"thought":true},
           {"text":null},7,"x",null"#,
    );
    let parts = parts(&[&frame, STOP]);
    let [Part::ServerToolCall(code), Part::Text(_), Part::Media(_)] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    assert_eq!(code.name, "code-execution");
    assert_eq!(
        code.data,
        r#"{"executableCode":{"language":"PYTHON","code":"print( 1 )"},"thoughtSignature":"eA=="}"#
    );
}

#[test]
fn arguments_in_pieces_make_a_call() {
    let open =
        piece(r#"{"functionCall":{"name":"go","willContinue":true},"thoughtSignature":"cw=="}"#);
    let some = piece(
        r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.to","stringValue":"Bo","willContinue":true}],"willContinue":true}}"#,
    );
    let rest = piece(
        r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.to","stringValue":"nn"},{"jsonPath":"$.n","numberValue":2}],"willContinue":true}}"#,
    );
    let close = piece(r#"{"functionCall":{}}"#);
    let whole = piece(r#"{"functionCall":{"name":"stop"}}"#);
    for frames in [
        vec![&*open, &some, &rest, &close, &whole, STOP],
        // the end of the call is missing
        vec![&*open, &some, &rest, &whole, STOP],
    ] {
        let parts = parts(&frames);
        let [Part::ToolCall(first), Part::ToolCall(second)] = parts.as_slice() else {
            panic!("{parts:?}")
        };
        assert_eq!(first.arguments, r#"{"to":"Bonn","n":2}"#);
        assert_eq!(first.signature.as_deref(), Some("cw=="));
        assert_eq!(
            (second.name.as_str(), second.arguments.as_str()),
            ("stop", "{}")
        );
    }
}

#[test]
fn an_error_within_the_stream_ends_it() {
    let error =
        r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    for frame in [error.to_owned(), format!("[{error}]")] {
        let failure = stream(&[&piece(r#"{"text":"a"}"#), &frame]).unwrap_err();
        assert_eq!(failure.kind, ErrorKind::Overloaded);
        assert_eq!(failure.status, Some(503));
        assert!(failure.retryable);
    }
}

#[test]
fn blocked_prompts_are_answers_without_content() {
    let frame = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}}"#;
    let answer = assemble(stream(&[frame]).unwrap());
    assert!(answer.content.is_empty());
    assert_eq!(answer.finish.reason, FinishReason::ContentFilter);
    assert_eq!(answer.finish.raw.as_deref(), Some("PROHIBITED_CONTENT"));
    assert_eq!(answer.usage.prompt_tokens, Some(9));
}

#[test]
fn other_candidates_and_unknown_fields_are_ignored() {
    let frame = r#"{"candidates":[{"index":1,"content":{"parts":[{"text":"B"}]},"finishReason":"SAFETY"},
        {"content":{"parts":[{"text":"A","new":{"x":[1]}}]},"finishReason":1,"groundingMetadata":{}}],
        "createTime":"2026-01-01T00:00:00Z","somethingNew":[{}]}"#;
    let answer = assemble(stream(&["", frame, "[DONE]"]).unwrap());
    assert_eq!(answer.content, [signed("A", None)]);
    assert_eq!(answer.finish.reason, FinishReason::Stop);
    assert_eq!(answer.finish.raw.as_deref(), Some("1"));
}

#[test]
fn what_is_no_answer_is_malformed() {
    for frame in ["{", "hello", "7", "null", r#"{"candidates":7}"#, "[", "[1]"] {
        let error = stream(&[frame, STOP]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{frame}");
    }
}

#[test]
fn no_cut_or_altered_event_panics_or_counts_as_success_for_nothing() {
    let event = piece(
        r#"{"text":"é😀","thoughtSignature":"cw=="},{"functionCall":{"name":"f","partialArgs":[{"jsonPath":"$.a[0]","stringValue":"v"}]}}"#,
    );
    for (at, _) in event.char_indices() {
        assert!(stream(&[&event[..at]]).is_err());
        for replacement in ["\"", "}", "[", "9", "\\", "null"] {
            let altered = format!(
                "{}{replacement}{}",
                &event[..at],
                event[at..].chars().skip(1).collect::<String>()
            );
            assert!(stream(&[&altered]).is_err(), "no finish reason: {altered}");
            let _ = answer(&altered);
        }
    }
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for nested in [deep.clone(), piece(&deep)] {
        assert!(stream(&[&nested, STOP]).is_err());
    }
}
