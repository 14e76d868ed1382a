//! What compatible servers say otherwise than OpenAI does.

use super::super::fixtures::{stream, whole};
use super::tests::{LENIENT, SHOWN, block, formed, read};
use crate::testing::{call, text, thought};
use crate::{ChatEvent, CitationSource, ErrorKind, FinishReason, Media, MediaSource, Part};

#[test]
fn thoughts_in_the_content_are_thoughts_whatever_their_form() {
    for (piece, form) in [
        (
            r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"so","signature":"Eq=="}]}"#,
            r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"","signature":"Eq=="}]}"#,
        ),
        (
            r#"{"type":"thinking","thinking":"so","signature":"Eq=="}"#,
            r#"{"type":"thinking","thinking":"","signature":"Eq=="}"#,
        ),
        (
            r#"{"type":"reasoning","text":"so"}"#,
            r#"{"type":"reasoning","text":""}"#,
        ),
    ] {
        let said = format!(r#"[{piece},{{"type":"text","text":"yes"}}]"#);
        let body =
            format!(r#"{{"choices":[{{"message":{{"content":{said}}},"finish_reason":"stop"}}]}}"#);
        let expected = [formed("so", form), text("yes")];
        assert_eq!(whole("", &body).unwrap().content, expected, "{piece}");
        let chunk =
            format!(r#"{{"choices":[{{"delta":{{"content":{said}}},"finish_reason":"stop"}}]}}"#);
        assert_eq!(read(&[&chunk, "[DONE]"]).content, expected, "{piece}");
        let unread = whole(r#"{"reasoning_field":"none"}"#, &body).unwrap();
        assert_eq!(unread.content, [text("yes")]);
    }
}

#[test]
fn a_signature_ends_the_thoughts_that_it_signs() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":"a"}]}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":"","signature":"s1"}]}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":"b"}]}}]}"#,
        r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":"c","signature":"s2"}]}}]}"#,
        r#"{"choices":[{"delta":{"content":"yes"},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let form = |signature: &str| {
        format!(r#"{{"type":"thinking","thinking":"","signature":"{signature}"}}"#)
    };
    assert_eq!(
        answer.content,
        [
            formed("a", &form("s1")),
            formed("bc", &form("s2")),
            text("yes")
        ]
    );
}

#[test]
fn the_details_of_thoughts_are_kept_and_read_where_nothing_else_is() {
    let details = [
        r#"{"type":"reasoning.text","text":"I ","format":"f","index":0}"#,
        r#"{"type":"reasoning.text","text":"see","signature":"s","index":0}"#,
        r#"{"type":"reasoning.encrypted","data":"x","id":"r","index":1}"#,
    ];
    let kept = block(
        "reasoning_details",
        r#"[{"type":"reasoning.text","text":"I see","format":"f","index":0,"signature":"s"},{"type":"reasoning.encrypted","data":"x","id":"r","index":1}]"#,
    );
    let chunk = |beside: &str, details: &str| {
        format!(r#"{{"choices":[{{"delta":{{{beside}"reasoning_details":[{details}]}}}}]}}"#)
    };
    let alone: Vec<String> = details.iter().map(|detail| chunk("", detail)).collect();
    let beside = vec![chunk(r#""reasoning":"I see","#, &details.join(","))];
    for chunks in [alone, beside] {
        let mut data: Vec<&str> = chunks.iter().map(String::as_str).collect();
        data.push(r#"{"choices":[{"delta":{"content":"yes"},"finish_reason":"stop"}]}"#);
        data.push("[DONE]");
        assert_eq!(
            read(&data).content,
            [thought("I see"), text("yes"), kept.clone()]
        );
    }
}

#[test]
fn what_is_no_text_is_given_as_the_vendor_says_it() {
    let picture = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#;
    let data = MediaSource::Base64("AAAA".to_owned());
    let media = Media::from_source(data, Some("image/png".to_owned()));
    let expected = [Part::Media(media)];
    for said in [
        format!(r#"{{"content":"","images":[{picture}]}}"#),
        format!(r#"{{"content":[{picture}]}}"#),
    ] {
        let chunk =
            |place| format!(r#"{{"choices":[{{"{place}":{said},"finish_reason":"stop"}}]}}"#);
        assert_eq!(whole("", &chunk("message")).unwrap().content, expected);
        assert_eq!(read(&[&chunk("delta"), "[DONE]"]).content, expected);
    }
    let spoken = read(&[
        r#"{"choices":[{"delta":{"audio":{"id":"a1","transcript":"He"}}}]}"#,
        r#"{"choices":[{"delta":{"audio":{"transcript":"llo","data":"AAAA"}}}]}"#,
        r#"{"choices":[{"delta":{"audio":{"data":"BA==","expires_at":9}},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let samples = MediaSource::Base64("AAAABA==".to_owned());
    let mut sound = Media::from_source(samples, Some("audio/pcm".to_owned()));
    sound.extra = Some(r#"{"id":"a1","expires_at":9}"#.to_owned());
    assert_eq!(spoken.content, [text("Hello"), Part::Media(sound)]);
    let wave = r#"{"choices":[{"message":{"audio":{"data":"UklGRg==","id":"a"}},"finish_reason":"stop"}]}"#;
    let wave = whole("", wave).unwrap().content;
    assert!(
        matches!(wave.as_slice(), [Part::Media(media)] if media.media_type.as_deref() == Some("audio/wav"))
    );
    // What cannot be read is given as it came.
    let broken = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,A"}}"#;
    let message =
        format!(r#"{{"choices":[{{"message":{{"images":[{broken}]}},"finish_reason":"stop"}}]}}"#);
    assert_eq!(
        whole("", &message).unwrap().content,
        [block("image_url", broken)]
    );
}

#[test]
fn a_call_without_a_name_is_none() {
    for phantom in [
        r#"{"index":0}"#,
        r#"{"index":0,"id":null,"type":"function","function":{"name":null,"arguments":null}}"#,
        r#"{"index":0,"id":"","function":{"name":"","arguments":""}}"#,
        r#"{"index":0,"id":"x","function":null}"#,
        r#"{"index":0,"id":"x","function":{"name":" ","arguments":"{}"}}"#,
    ] {
        for finish in ["stop", "tool_calls"] {
            let body = |place: &str| {
                format!(
                    r#"{{"choices":[{{"{place}":{{"content":"Hi","tool_calls":[{phantom}],"function_call":{{"name":"","arguments":""}}}},"finish_reason":"{finish}"}}]}}"#
                )
            };
            let answers = [
                whole("", &body("message")).unwrap(),
                read(&[&body("delta"), "[DONE]"]),
            ];
            for answer in answers {
                assert_eq!(answer.content, [text("Hi")], "{phantom}");
                assert_eq!(answer.finish.reason, FinishReason::Stop);
            }
        }
    }
    // The next one is a call, and waits for nothing in the end.
    let answer = read(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0},{"index":1,"id":"b","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(answer.content, [call("b", "f", "{}")]);
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
}

#[test]
fn a_name_may_come_late() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{\"x\""}},{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":":1}"}}]},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(
        answer.content,
        [call("a", "f", r#"{"x":1}"#), call("b", "g", "{}")]
    );
}

#[test]
fn an_error_in_a_choice_is_the_answers_end() {
    for (said, message, kind, status) in [
        (
            r#","finish_reason":"error","error":{"message":"Overloaded","code":502,"metadata":{"raw":{"type":"overloaded_error","message":"Overloaded"}}}"#,
            "Overloaded",
            ErrorKind::Overloaded,
            Some(502),
        ),
        (
            r#","error":{"message":"slower","code":429}"#,
            "slower",
            ErrorKind::RateLimited,
            Some(429),
        ),
        (
            r#","finish_reason":"error""#,
            "the vendor ended the answer with \"error\" and no other words",
            ErrorKind::Server,
            None,
        ),
        (
            r#","finish_reason":"error","error":"broken""#,
            "broken",
            ErrorKind::Server,
            None,
        ),
    ] {
        let body = |place: &str| {
            format!(r#"{{"choices":[{{"index":0,"{place}":{{"content":"so far"}}{said}}}]}}"#)
        };
        let (events, end) = stream("", &[&body("delta"), "[DONE]"]);
        assert!(events.contains(&ChatEvent::Text("so far".to_owned())));
        for error in [end.unwrap_err(), whole("", &body("message")).unwrap_err()] {
            assert_eq!((error.message.as_str(), error.kind), (message, kind));
            assert_eq!((error.status, error.retryable), (status, true));
        }
    }
    // Beside a choice, the choice's words are not lost.
    let (events, end) = stream(
        "",
        &[
            r#"{"choices":[{"delta":{"content":"so far"},"finish_reason":"error"}],"error":{"message":"broken","code":500}}"#,
        ],
    );
    assert!(events.contains(&ChatEvent::Text("so far".to_owned())));
    assert_eq!(end.unwrap_err().message, "broken");
    let groq = r#"{"choices":[],"x_groq":{"id":"r","error":"over capacity"}}"#;
    assert_eq!(stream("", &[groq]).1.unwrap_err().message, "over capacity");
    let other = r#"{"choices":[{"index":1,"error":{"message":"m"},"finish_reason":"error"},{"index":0,"error":null,"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
    assert_eq!(read(&[other, "[DONE]"]).content, [text("x")]);
}

#[test]
fn an_error_in_any_shape_ends_the_answer() {
    for event in [
        r#"{"choices":null,"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
        r#"{"success":false,"errors":[{"code":7003,"message":"insufficient balance"}]}"#,
        r#"{"error_code":17,"error_msg":"insufficient balance"}"#,
        r#"{"choices":[],"code":"1113","message":"insufficient balance","success":false}"#,
    ] {
        let errors = [
            stream("", &[event]).1.unwrap_err(),
            whole("", event).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.message, "insufficient balance", "{event}");
            assert_eq!(error.kind, ErrorKind::Billing, "{event}");
        }
    }
}

#[test]
fn an_empty_delta_beside_the_message_hides_nothing() {
    let last = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}"#;
    assert_eq!(whole("", last).unwrap().content, [text("Hello")]);
    assert_eq!(read(&[last, "[DONE]"]).content, [text("Hello")]);
    // A stream has all that was said so far beside each delta.
    let answer = read(&[
        r#"{"choices":[{"index":0,"message":{"content":"He"},"delta":{"content":"He"}}]}"#,
        r#"{"choices":[{"index":0,"message":{"content":"Hello"},"delta":{"content":"llo"}}]}"#,
        last,
        "[DONE]",
    ]);
    assert_eq!(answer.content, [text("Hello")]);
}

#[test]
fn a_stream_in_answer_to_a_whole_request_is_read() {
    let mut body: String = SHOWN
        .iter()
        .map(|data| format!("data: {data}\n\n"))
        .collect();
    let answer = whole("", &body).unwrap();
    assert_eq!(answer, read(SHOWN));
    body = body.replace("data: [DONE]\n\n", "");
    assert_eq!(whole("", &body).unwrap_err().kind, ErrorKind::Truncated);
    assert_eq!(whole(LENIENT, &body).unwrap(), answer);
}

#[test]
fn usage_in_the_choice_is_read_and_billing_is_told_last() {
    let answer = read(&[
        r#"{"service_tier":"flex","choices":[{"delta":{"content":"a"}}]}"#,
        r#"{"choices":[{"delta":{"content":"b"},"finish_reason":"stop","usage":{"prompt_tokens":9,"completion_tokens":2,"cached_tokens":4}}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0,"cost":0.25}}"#,
        "[DONE]",
    ]);
    assert_eq!(answer.usage.prompt_tokens, Some(9));
    assert_eq!(answer.usage.cached_tokens, Some(4));
    assert_eq!(answer.usage.tier.as_deref(), Some("flex"));
    assert_eq!(answer.usage.cost.as_deref(), Some("0.25"));
    assert_eq!(answer.content, [text("ab")]);
}

#[test]
fn what_a_call_or_a_text_wants_back_is_its_signature() {
    let extra = r#"{"google":{"thought_signature":"Q2k="}}"#;
    let called = format!(
        r#"{{"tool_calls":[{{"index":0,"id":"a","function":{{"name":"f","arguments":"{{}}"}},"extra_content":{extra}}}]}}"#
    );
    let said = format!(r#"{{"content":"Hi","extra_content":{extra}}}"#);
    let signed_call = Part::ToolCall(crate::ToolCall {
        id: Some("a".to_owned()),
        local: false,
        name: "f".to_owned(),
        arguments: "{}".to_owned(),
        signature: Some(extra.to_owned()),
        ..crate::ToolCall::default()
    });
    let signed_text = Part::Text(crate::Text {
        text: "Hi".to_owned(),
        signature: Some(extra.to_owned()),
        ..crate::Text::default()
    });
    let hm = r#"{"content":"Hm","extra_content":{"google":{"thought":true}}}"#.to_owned();
    for (message, expected) in [
        (called, signed_call),
        (said, signed_text),
        (hm, thought("Hm")),
    ] {
        let chunk =
            |place| format!(r#"{{"choices":[{{"{place}":{message},"finish_reason":"stop"}}]}}"#);
        assert_eq!(
            read(&[&chunk("delta"), "[DONE]"]).content,
            std::slice::from_ref(&expected)
        );
        assert_eq!(whole("", &chunk("message")).unwrap().content, [expected]);
    }
}

#[test]
fn arguments_given_as_an_object_keep_every_digit() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":{"id":123456789012345678901234567890,"x":1.50}}}]},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    let arguments = r#"{"id":123456789012345678901234567890,"x":1.50}"#;
    assert_eq!(answer.content, [call("a", "f", arguments)]);
}

#[test]
fn a_character_cut_in_two_is_whole_in_text_thoughts_and_arguments() {
    let answer = read(&[
        r#"{"choices":[{"delta":{"reasoning":"t \ud83d","content":"c \ud83d","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":\"\ud83d"}}]}}]}"#,
        r#"{"choices":[{"delta":{"reasoning":"\ude00","content":"\ude00","tool_calls":[{"index":0,"function":{"arguments":"\ude00\"}"}}]},"finish_reason":"tool_calls"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(
        answer.content,
        [
            thought("t "),
            text("c "),
            call("a", "f", r#"{"x":"😀"}"#),
            thought("😀"),
            text("😀"),
        ]
    );
}

#[test]
fn pages_that_an_answer_rests_on_are_cited_in_every_form() {
    let annotation = r#"{"type":"url_citation","url_citation":{"start_index":0,"end_index":2,"url":"https://example.org/a","title":"A"}}"#;
    let annotated = format!(
        r#"{{"choices":[{{"PLACE":{{"content":"Hi","annotations":[{annotation}]}},"finish_reason":"stop"}}]}}"#
    );
    let beside = r#"{"choices":[{"PLACE":{"content":"Hi"},"finish_reason":"stop"}],"citations":["https://example.org/a"],"search_results":[{"title":"A","url":"https://example.org/a"}]}"#;
    let alone = r#"{"choices":[{"PLACE":{"content":"Hi"},"finish_reason":"stop"}],"citations":["https://example.org/a"]}"#;
    for (body, title, place) in [
        (annotated.as_str(), Some("A"), Some(0)),
        (beside, Some("A"), None),
        (alone, None, None),
    ] {
        let streamed = read(&[&body.replace("PLACE", "delta"), "[DONE]"]);
        let whole = whole("", &body.replace("PLACE", "message")).unwrap();
        for answer in [streamed, whole] {
            let [Part::Text(text)] = answer.content.as_slice() else {
                panic!("{answer:?}");
            };
            assert_eq!(text.citations.len(), 1, "{body}");
            let cited = &text.citations[0];
            assert_eq!(
                cited.source,
                CitationSource::Url("https://example.org/a".to_owned())
            );
            assert_eq!((cited.title.as_deref(), cited.start), (title, place));
        }
    }
}

#[test]
fn what_is_beyond_the_unified_form_is_told_whole_and_streamed_alike() {
    let logprobs = |token: &str| format!(r#"{{"content":[{{"token":"{token}","logprob":-0.5}}]}}"#);
    let body = r#"{"id":"c","model":"m","object":"o","created":7,"system_fingerprint":"fp","service_tier":"default",
            "choices":[{"index":0,"message":{"content":"Hi","context":{"k":1}},"logprobs":{"content":[{"token":"H","logprob":-0.5},{"token":"i","logprob":-0.5}]},"finish_reason":"stop"},
            {"index":1,"message":{"role":"assistant","content":"Ho","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
            "usage":{"prompt_tokens":3,"completion_tokens":2,"queue_time":0.25}}"#;
    let chunks = [
        format!(r#"{{"id":"c","model":"m","object":"o","created":7,"system_fingerprint":"fp","service_tier":"default","choices":[{{"index":0,"delta":{{"content":"H","context":{{"k":1}}}},"logprobs":{}}}]}}"#, logprobs("H")),
        r#"{"choices":[{"index":1,"delta":{"role":"assistant","content":"H","tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}],"obfuscation":"xyz"}"#.to_owned(),
        format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"i"}},"logprobs":{},"finish_reason":"stop"}}]}}"#, logprobs("i")),
        r#"{"choices":[{"index":1,"delta":{"content":"o","tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#.to_owned(),
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"queue_time":0.25}}"#.to_owned(),
        "[DONE]".to_owned(),
    ];
    let whole = whole("", body).unwrap();
    let extra: serde_json::Value = serde_json::from_str(whole.extra.as_deref().unwrap()).unwrap();
    assert_eq!(extra["system_fingerprint"], "fp");
    assert_eq!(extra["choices"][0]["logprobs"]["content"][1]["token"], "i");
    assert_eq!(extra["choices"][0]["message"]["context"]["k"], 1);
    assert_eq!(extra["choices"][1]["message"]["content"], "Ho");
    assert_eq!(extra["usage"], serde_json::json!({"queue_time": 0.25}));
    let data: Vec<&str> = chunks.iter().map(String::as_str).collect();
    let streamed = read(&data);
    assert_eq!(streamed.content, whole.content);
    let told: serde_json::Value = serde_json::from_str(streamed.extra.as_deref().unwrap()).unwrap();
    assert_eq!(told, extra);
}
