use super::super::fixtures::{stream, streamed, whole};
use super::super::{Dialect, decode_error};
use super::*;
use crate::testing::{call, response, text, thought};
use crate::{ChatEvent, ChatResponse, ErrorKind, Opaque, Part, Reasoning};

/// Settings of a server that may leave out the marker.
pub(super) const LENIENT: &str = r#"{"done_marker":"optional"}"#;

pub(super) fn read(data: &[&str]) -> ChatResponse {
    streamed("", data).unwrap()
}

pub(super) const SHOWN: &[&str] = &[
    r#"{"id":"","model":"","created":0,"choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#,
    r#"{"id":"c1","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
    r#"{"id":"c1","model":"m-1","choices":[{"index":0,"delta":{"content":"Hel"}}],"usage":null,"obfuscation":"xy"}"#,
    r#"{"id":"c1","model":"m-1","choices":[{"index":0,"content_filter_offsets":{"start_offset":0}}]}"#,
    r#"{"id":"c1","model":"m-1","choices":[{"index":0,"delta":{"content":"lo\u2028"}}]}"#,
    r#"{"id":"c1","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
    r#"{"id":"c1","model":"m-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
    r#"{"id":"c1","model":"m-1","choices":[],"moderation":{"flagged":false}}"#,
    "[DONE]",
];

#[test]
fn an_answer_is_the_same_streamed_and_whole() {
    let same = whole(
        "",
        r#"{"id":"c1","model":"m-1","choices":[{"index":0,"message":{"role":"assistant",
            "content":"Hello\u2028","refusal":null,"tool_calls":null},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
    )
    .unwrap();
    let mut shown = read(SHOWN);
    // What a stream says beside the answer, this whole one does not.
    let beyond = r#"{"created":0,"prompt_filter_results":[{"prompt_index":0}],"moderation":{"flagged":false},"choices":[{"index":0,"content_filter_offsets":{"start_offset":0}}]}"#;
    assert_eq!(shown.extra.take().as_deref(), Some(beyond));
    assert_eq!(shown, same);
    assert_eq!(same.content, [text("Hello\u{2028}")]);
    assert_eq!(same.id.as_deref(), Some("c1"));
    assert_eq!(same.usage.total_tokens, Some(5));
}

#[test]
fn a_stream_cut_before_its_marker_is_truncated() {
    for cut in 0..SHOWN.len() - 1 {
        let (_, end) = stream("", &SHOWN[..cut]);
        assert_eq!(end.unwrap_err().kind, ErrorKind::Truncated, "{cut}");
    }
}

#[test]
fn a_lenient_server_may_end_after_a_finish_reason() {
    for cut in 0..SHOWN.len() {
        let (events, end) = stream(LENIENT, &SHOWN[..cut]);
        assert_eq!(end.is_ok(), cut > 5, "{cut}");
        assert_eq!(events.last() == Some(&ChatEvent::Done), cut > 5, "{cut}");
    }
}

#[test]
fn a_marker_alone_is_no_answer() {
    let (_, end) = stream("", &["[DONE]"]);
    assert_eq!(end.unwrap_err().kind, ErrorKind::MalformedResponse);
}

#[test]
fn the_last_text_may_come_with_the_finish_reason_and_usage_on_every_chunk() {
    let answer = streamed(
        LENIENT,
        &[
            r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
            r#"{"choices":[{"delta":{"content":"b"},"finish_reason":"eos_token"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
        ],
    )
    .unwrap();
    assert_eq!(answer.content, [text("ab")]);
    assert_eq!(answer.finish.reason, FinishReason::Stop);
    assert_eq!(answer.finish.raw.as_deref(), Some("eos_token"));
    assert_eq!(answer.usage.completion_tokens, Some(2));
    assert_eq!(answer.id, None);
}

#[test]
fn calls_are_told_apart_by_their_number() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"content":null,"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"look","arguments":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"look","arguments":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}},{"index":1,"function":{"arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    let expected = [call("a", "look", r#"{"x":1}"#), call("b", "look", "{}")];
    assert_eq!(answer.content, expected);
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
}

#[test]
fn calls_without_numbers_or_with_the_same_are_told_apart_by_their_ids() {
    for number in ["", r#""index":0,"#, r#""index":null,"#] {
        let piece = |id: &str, name: &str, arguments: &str| {
            format!(
                r#"{{"choices":[{{"delta":{{"tool_calls":[{{{number}"id":"{id}","function":{{"name":"{name}","arguments":"{arguments}"}}}}]}}}}]}}"#
            )
        };
        let pieces = [
            piece("a", "f", "1"),
            piece("a", "f", "2"),
            piece("b", "f", "3"),
            piece("", "", "4"),
        ];
        let mut data: Vec<&str> = pieces.iter().map(String::as_str).collect();
        data.push("[DONE]");
        let expected = [call("a", "f", "12"), call("b", "f", "34")];
        assert_eq!(read(&data).content, expected, "{number}");
    }
}

#[test]
fn a_piece_that_names_no_call_goes_on_with_the_last() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"}"}}]}}]}"#,
        "[DONE]",
    ]);
    assert_eq!(answer.content, [call("a", "f", "{}")]);
}

#[test]
fn the_name_may_come_before_the_id_and_after_the_number() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b"}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"name":"g"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let expected = [call("a", "f", "{}"), call("b", "g", "{}")];
    assert_eq!(answer.content, expected);
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
    assert_eq!(answer.finish.raw.as_deref(), Some("stop"));
}

#[test]
fn arguments_that_say_nothing_are_an_empty_object_and_a_cut_one_stays_as_it_is() {
    for (pieces, expected) in [
        (vec![], "{}"),
        (vec!["", " "], "{}"),
        (vec!["nu", "ll"], "{}"),
        (vec!["nu"], "nu"),
        (vec!["", "{\\\"a\\\"", ":"], r#"{"a":"#),
        (vec!["n", "o"], "no"),
    ] {
        let begin = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}}]}"#;
        let deltas: Vec<String> = pieces
            .iter()
            .map(|piece| {
                format!(
                    r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":"{piece}"}}}}]}}}}]}}"#
                )
            })
            .collect();
        let mut data = vec![begin];
        data.extend(deltas.iter().map(String::as_str));
        data.push(r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#);
        data.push("[DONE]");
        let answer = read(&data);
        assert_eq!(answer.content, [call("a", "f", expected)]);
        assert_eq!(answer.finish.reason, FinishReason::Length);
        let body = format!(
            r#"{{"choices":[{{"message":{{"tool_calls":[{{"id":"a","function":{{"name":"f","arguments":"{}"}}}}]}},"finish_reason":"length"}}]}}"#,
            pieces.concat()
        );
        assert_eq!(whole("", &body).unwrap(), answer);
    }
}

#[test]
fn the_two_older_forms_of_a_call_are_understood() {
    let legacy = read(&[
        r#"{"choices":[{"delta":{"content":null,"function_call":{"name":"f","arguments":""}}}]}"#,
        r#"{"choices":[{"delta":{"function_call":{"arguments":"{\"a\":"}}}]}"#,
        r#"{"choices":[{"delta":{"function_call":{"arguments":"1}"}}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"function_call"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(legacy.content, [call("", "f", r#"{"a":1}"#)]);
    assert_eq!(legacy.finish.reason, FinishReason::ToolCalls);
    let single = streamed(
        LENIENT,
        &[
            r#"{"choices":[{"delta":{"tool_calls":{"index":0,"id":"","function":{"name":"f","arguments":"{"}}}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":{"index":0,"id":"","function":{"name":null,"arguments":"}"}}},"finish_reason":"eos_token"}]}"#,
        ],
    )
    .unwrap();
    assert_eq!(single.content, [call("", "f", "{}")]);
    assert_eq!(single.finish.reason, FinishReason::ToolCalls);
}

#[test]
fn a_custom_tool_gets_its_text_as_it_is() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"sql","input":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"custom":{"input":"select "}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"custom":{"input":"1"}}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    let [Part::ToolCall(call)] = answer.content.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (call.name.as_str(), call.arguments.as_str()),
        ("sql", "select 1")
    );
    assert_eq!(call.signature.as_deref(), Some(CUSTOM));
}

#[test]
fn a_refusal_is_text_that_was_filtered() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"role":"assistant","content":null,"refusal":""}}]}"#,
        r#"{"choices":[{"delta":{"refusal":"I ca"}}]}"#,
        r#"{"choices":[{"delta":{"refusal":"n't."}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(answer.content, [text("I can't.")]);
    assert_eq!(answer.finish.reason, FinishReason::ContentFilter);
    assert_eq!(answer.finish.raw.as_deref(), Some("stop"));
}

#[test]
fn thoughts_are_read_from_where_the_dialect_says() {
    let data = &[
        r#"{"choices":[{"delta":{"reasoning_content":"a","reasoning":"x","content":null}}]}"#,
        r#"{"choices":[{"delta":{"reasoning_content":"b","reasoning":"y","content":""}}]}"#,
        r#"{"choices":[{"delta":{"content":"c"},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ];
    for (field, expected) in [
        ("auto", vec![thought("ab"), text("c")]),
        ("reasoning", vec![thought("xy"), text("c")]),
        ("none", vec![text("c")]),
    ] {
        let settings = format!(r#"{{"reasoning_field":"{field}"}}"#);
        assert_eq!(streamed(&settings, data).unwrap().content, expected);
    }
}

#[test]
fn content_may_come_in_pieces() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"so"}]}]}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"text","text":"yes"},{"type":"new"}]},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let form = r#"{"type":"thinking","thinking":[{"type":"text","text":""}]}"#;
    assert_eq!(answer.content, [formed("so", form), text("yes")]);
}

/// Thoughts that remember the form in which they came.
pub(super) fn formed(words: &str, form: &str) -> Part {
    Part::Reasoning(Reasoning {
        text: words.to_owned(),
        signature: Some(form.to_owned()),
        redacted: None,
        ..Reasoning::default()
    })
}

/// A block of the vendor's own.
pub(super) fn block(kind: &str, data: &str) -> Part {
    Part::Opaque(Opaque {
        kind: kind.to_owned(),
        data: data.to_owned(),
    })
}

#[test]
fn an_error_within_a_stream_is_its_end_whatever_follows() {
    let (events, end) = stream(
        "",
        &[
            r#"{"id":"c","choices":[{"delta":{"content":"so far"}}]}"#,
            r#"{"error":{"message":"The model failed.","type":"model_error","param":null,"code":null}}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":0}}"#,
            "[DONE]",
        ],
    );
    let error = end.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Server);
    assert_eq!(error.message, "The model failed.");
    assert_eq!(error.status, None);
    assert_eq!(error.vendor_code.as_deref(), Some("model_error"));
    assert!(events.contains(&ChatEvent::Text("so far".to_owned())));
}

#[test]
fn what_is_unknown_is_passed_over_and_what_is_no_json_is_not() {
    let answer = read(&[
        r#"{"type":"ping"}"#,
        "",
        r#"{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes","audio":{"id":"x"}}}],"new":[]}"#,
        r#"{"choices":[{"index":0,"delta":null,"finish_reason":"a new one"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(
        answer.content,
        [text("yes"), block("audio", r#"{"id":"x"}"#)]
    );
    assert_eq!(answer.finish.reason, FinishReason::Other);
    for bad in [
        "{",
        "nonsense",
        "[]",
        "7",
        "\"x\"",
        r#"{"choices":[{"delta":"#,
    ] {
        let (_, end) = stream("", &[bad]);
        assert_eq!(end.unwrap_err().kind, ErrorKind::MalformedResponse, "{bad}");
    }
}

#[test]
fn nothing_that_is_json_brings_it_down() {
    let odd = [
        "null",
        "7",
        "-1.5",
        "\"x\"",
        "\"\"",
        "[]",
        "{}",
        "[[]]",
        "[null,1,\"t\",{}]",
        "{\"text\":3}",
        "true",
    ];
    let shapes = [
        "@",
        r#"{"choices":@}"#,
        r#"{"choices":[@],"usage":@,"id":@,"model":@}"#,
        r#"{"choices":[{"index":@,"delta":@,"finish_reason":@}]}"#,
        r#"{"choices":[{"delta":{"content":@,"refusal":@,"reasoning":@,"tool_calls":@,"function_call":@}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":@,"id":@,"function":@,"custom":@}]}}]}"#,
        r#"{"choices":[{"message":{"tool_calls":[{"index":0,"id":@,"function":{"name":@,"arguments":@}}]}}]}"#,
        r#"{"error":@,"error_type":@,"estimated_time":@}"#,
        r#"{"error":{"message":@,"code":@,"type":@,"details":@}}"#,
    ];
    for shape in shapes {
        for value in odd {
            let json = shape.replace('@', value);
            let _ = stream(LENIENT, &[&json, &json, "[DONE]"]);
            let _ = whole(LENIENT, &json);
            let _ = decode_error(&Dialect::default(), &response(500, &json));
        }
    }
}

#[test]
fn no_answer_calls_tools_without_end() {
    let data: Vec<String> = (0..3_000)
        .map(|n| {
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{{"index":{n},"id":"c{n}","function":{{"name":"look","arguments":"{{}}"}}}}]}}}}]}}"#
            )
        })
        .collect();
    let data: Vec<&str> = data.iter().map(String::as_str).collect();
    let (events, end) = stream("", &data);
    let error = end.unwrap_err();
    assert_eq!(error.kind, ErrorKind::MalformedResponse);
    assert!(error.message.contains("more than 1024 tools"), "{error:?}");
    assert!(events.len() < 3_000, "{}", events.len());
    assert!(stream("", &data[..1_000]).1.unwrap_err().kind == ErrorKind::Truncated);
}

/// Chunks that differ in their text alone are known, and say what they would say if they were read.
#[test]
fn what_is_known_again_says_what_it_says_when_it_is_read() {
    let chunk = |text: &str, padding: usize| {
        let (text, padding) = (Json::from(text), "x".repeat(padding));
        format!(
            r#"{{"id":"c1","model":"m-1","created":7,"choices":[{{"index":0,"delta":{{"content":{text}}},"logprobs":null,"finish_reason":null}}],"usage":null,"obfuscation":"{padding}"}}"#
        )
    };
    let frame = |data: &str| Frame {
        event: None,
        data: data.to_owned(),
    };
    let told = |stream: &mut Stream, data: &str| {
        let mut events = Events::new();
        stream.frame(&frame(data), &mut events).unwrap();
        events.into_inner()
    };
    let mut stream = Stream::new(&Dialect::default());
    for (at, text) in ["Hel", "lo", "\n", " \"there\"", "é\u{1f600}", "", "."]
        .into_iter()
        .enumerate()
    {
        let data = chunk(text, at);
        assert_eq!(stream.learned.text(&data).is_some(), at > 0, "{data}");
        let mut fresh = Stream::new(&Dialect::default());
        (fresh.id, fresh.model) = (at > 0, at > 0);
        assert_eq!(told(&mut stream, &data), told(&mut fresh, &data), "{data}");
    }
    let plain = chunk("a", 1);
    for (before, after) in [
        (r#""finish_reason":null"#, r#""finish_reason":"stop""#),
        (r#""usage":null"#, r#""usage":{"prompt_tokens":1}"#),
        (
            r#""logprobs":null"#,
            r#""logprobs":{"content":[{"token":"a"}]}"#,
        ),
        (r#""index":0"#, r#""index":1"#),
        (r#""content":"a""#, r#""content":"a","refusal":"no""#),
        (r#""content":"a""#, r#""content":["a"]"#),
        (r#""created":7"#, r#""citations":["https://a.example"]"#),
    ] {
        let other = plain.replace(before, after);
        assert_eq!(stream.learned.text(&other), None, "{other}");
        // Nothing is learned of it either.
        told(&mut stream, &other);
        assert_eq!(stream.learned.text(&other), None, "{other}");
        told(&mut stream, &plain);
        assert!(stream.learned.text(&plain).is_some(), "{other}");
    }
    // What a filter says of each piece is kept once.
    let results = r#""logprobs":null,"content_filter_results":{"hate":{"filtered":false}}"#;
    let filtered = plain.replace(r#""logprobs":null"#, results);
    let mut stream = Stream::new(&Dialect::default());
    for text in ["a", "b", "c"] {
        let data = filtered.replace("\"a\"", &format!("\"{text}\""));
        assert_eq!(stream.learned.text(&data).is_some(), text != "a");
        told(&mut stream, &data);
    }
    let kept = stream.beyond.told().unwrap();
    assert!(kept.contains(r#""hate":{"filtered":false}"#), "{kept}");
    assert_eq!(kept.matches("hate").count(), 1, "{kept}");
}
