//! What streams do beside saying what a whole reply says.

use multillm_plugin_sdk::{ErrorKind, FinishReason, Part, Usage};

use crate::tests::{call, read, text, thought};

const START: &str = r#"{"id":"a","type":"message-start","delta":{"message":{"role":"assistant"}}}"#;
const END: &str = r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{}}}"#;
const TEXT: &str =
    r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi"}}}}"#;

#[test]
fn an_end_in_an_error_is_that_error_whatever_follows() {
    let failed = r#"{"type":"message-end","delta":{"finish_reason":"ERROR","usage":{},"error":"no valid tool call came out","error_type":"INVALID_TOOL_GENERATION"}}"#;
    let error = read(&[START, TEXT, failed, "[DONE]"]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Server);
    assert_eq!(error.message, "no valid tool call came out");
    assert_eq!(
        error.vendor_code.as_deref(),
        Some("INVALID_TOOL_GENERATION")
    );
    let object = r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":{"message":"it broke"}}}"#;
    assert_eq!(read(&[START, object]).unwrap_err().message, "it broke");
    let bare = r#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#;
    let error = read(&[START, TEXT, bare]).unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Server, true));
}

#[test]
fn an_error_object_in_place_of_an_event_is_an_error() {
    let error = read(&[START, r#"{"id":"a","message":"too many tokens: 9 > 8"}"#]).unwrap_err();
    assert_eq!(
        (error.kind, error.retryable),
        (ErrorKind::ContextLength, false)
    );
}

#[test]
fn an_error_in_any_shape_ends_the_stream() {
    for frame in [
        r#"{"code":500,"msg":"no route","success":false}"#,
        r#"{"success":false,"errors":[{"code":7009,"message":"no route"}]}"#,
        r#"{"type":"error","message":"no route"}"#,
        r#"{"error":{"message":"no route","code":502}}"#,
    ] {
        let error = read(&[START, TEXT, frame]).unwrap_err();
        assert!(error.message.contains("no route"), "{error:?}");
        assert_ne!(error.kind, ErrorKind::Truncated, "{frame}");
    }
}

#[test]
fn calls_without_a_name_are_none_and_keep_their_arguments_to_themselves() {
    let answer = read(&[
        START,
        r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","function":{"name":"look","arguments":""}}}}}"#,
        r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":null,"function":{"name":null,"arguments":null}}}}}"#,
        r#"{"type":"tool-call-delta","index":1,"delta":{"message":{"tool_calls":{"function":{"arguments":"[9]"}}}}}"#,
        r#"{"type":"tool-call-end","index":1}"#,
        r#"{"type":"tool-call-start","index":2,"delta":{"message":{"tool_calls":{"id":"b","function":{"name":"look","arguments":"{}"}}}}}"#,
        r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"x\":1}"}}}}}"#,
        END,
    ])
    .unwrap();
    assert_eq!(
        answer.content,
        [call("a", "look", r#"{"x":1}"#), call("b", "look", "{}")]
    );
    let phantom = read(&[
        START,
        TEXT,
        r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{}}}}"#,
        r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL"}}"#,
    ])
    .unwrap();
    assert_eq!(phantom.content, [text("Hi")]);
    assert_eq!(phantom.finish.reason, FinishReason::Stop);
}

#[test]
fn the_last_mark_alone_completes_nothing() {
    for frames in [&["[DONE]"][..], &[START, TEXT, "[DONE]"]] {
        assert_eq!(read(frames).unwrap_err().kind, ErrorKind::Truncated);
    }
}

#[test]
fn unknown_events_and_blocks_are_passed_over() {
    let answer = read(&[
        START,
        "",
        r#"{"type":"debug","prompt":"x"}"#,
        r#"{"type":"mood-start","index":0,"delta":{"message":{"mood":{}}}}"#,
        r#"{"surprise":true}"#,
        r#"{"type":"debug","index":"x","delta":"any"}"#,
        r#"{"type":"citation-start","delta":{"message":{"citations":[]},"error":{"x":1},"id":7}}"#,
        r#"{"type":"content-start","index":4,"delta":{"message":{"content":{"type":"hologram","text":"?"}}}}"#,
        r#"{"type":"content-delta","index":4,"delta":{"message":{"content":{"text":"??"}}}}"#,
        r#"{"type":"content-start","index":4,"delta":{"message":{"content":{"type":"text","text":"Oh. "}}}}"#,
        r#"{"type":"content-delta","index":0,"delta":{"message":{"content":null}}}"#,
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":null}}}"#,
        TEXT,
        END,
    ])
    .unwrap();
    let [Part::Opaque(foreign), rest] = answer.content.as_slice() else {
        panic!("{:?}", answer.content);
    };
    assert_eq!(foreign.kind, "hologram");
    assert_eq!(*rest, text("Oh. Hi"));
    assert_eq!(answer.usage, Usage::UNKNOWN);
}

#[test]
fn what_is_no_event_is_malformed() {
    for frame in [
        "{",
        "[]",
        "hello",
        r#"{"type":"content-delta","delta":"x"}"#,
    ] {
        let error = read(&[START, frame, END]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{frame}");
    }
}

#[test]
fn thinking_and_plan_stay_apart() {
    let answer = read(&[
        START,
        r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}"#,
        r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"Hm."}}}}"#,
        r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will look."}}}"#,
        END,
    ])
    .unwrap();
    let apart = [
        thought("Hm.", Some("thinking")),
        thought("I will look.", None),
    ];
    assert_eq!(answer.content, apart);
}

#[test]
fn calls_that_overlap_keep_their_arguments() {
    let start = |index: u32, id: &str| {
        format!(
            r#"{{"type":"tool-call-start","index":{index},"delta":{{"message":{{"tool_calls":{{"id":"{id}","function":{{"name":"look","arguments":""}}}}}}}}}}"#
        )
    };
    let more = |index: u32, text: &str| {
        format!(
            r#"{{"type":"tool-call-delta","index":{index},"delta":{{"message":{{"tool_calls":{{"function":{{"arguments":"{text}"}}}}}}}}}}"#
        )
    };
    let frames = [
        START.to_owned(),
        start(5, "a"),
        start(6, "b"),
        more(5, "[1"),
        more(6, "nul"),
        more(5, "]"),
        more(6, "lify"),
        more(9, "lost"),
        END.to_owned(),
    ];
    let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
    let answer = read(&frames).unwrap();
    assert_eq!(
        answer.content,
        [call("a", "look", "[1]"), call("b", "look", "nullify")]
    );
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
}

#[test]
fn numbers_of_calls_may_be_floats_or_missing() {
    let start = r#"{"type":"tool-call-start"NUMBER,"delta":{"message":{"tool_calls":{"id":"a","function":{"name":"look"}}}}}"#;
    let more = r#"{"type":"tool-call-delta"NUMBER,"delta":{"message":{"tool_calls":{"function":{"arguments":"[1]"}}}}}"#;
    let numbers = ["", r#","index":null"#, r#","index":0"#, r#","index":0.0"#];
    for (first, second) in numbers.iter().flat_map(|a| numbers.map(|b| (a, b))) {
        let frames = [
            start.replace("NUMBER", first),
            more.replace("NUMBER", second),
        ];
        let answer = read(&[START, &frames[0], &frames[1], END]).unwrap();
        assert_eq!(
            answer.content,
            [call("a", "look", "[1]")],
            "{first}{second}"
        );
    }
}

#[test]
fn no_answer_calls_tools_without_end() {
    let call = r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","type":"function","function":{"name":"look","arguments":""}}}}}"#;
    let error = read(&[call; 3_000]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::MalformedResponse);
    assert!(error.message.contains("more than 1024 tools"), "{error:?}");
}
