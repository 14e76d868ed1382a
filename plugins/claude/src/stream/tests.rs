//! What streams mean, and that they mean what whole answers do.

use multillm_plugin_sdk::assemble::assemble;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::{
    ChatResponse, Decoder as _, Error, ErrorKind, Finish, FinishReason, Frame, Opaque, Part,
    Reasoning, Text, Usage,
};

use super::Decoder;
use crate::decode::message;
use crate::fixtures::target;

mod random;
mod servers;

const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","type":"message","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":1128,"cache_read_input_tokens":2,"output_tokens":1}}        }"#;
const STOP: &str = r#"{"type":"message_stop"  }"#;

fn end(reason: &str) -> String {
    format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{{"input_tokens":2411,"output_tokens":90}}}}"#
    )
}

fn open(index: u8, block: &str) -> String {
    format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}   }}"#)
}

fn delta(index: u8, delta: &str) -> String {
    format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#)
}

fn close(index: u8) -> String {
    format!(r#"{{"type":"content_block_stop","index":{index}     }}"#)
}

/// A whole stream around some blocks.
fn around(blocks: &[String], reason: &str) -> Vec<String> {
    let mut all = vec![START.to_owned(), r#"{"type": "ping"}"#.to_owned()];
    all.extend_from_slice(blocks);
    all.extend([end(reason), STOP.to_owned()]);
    all
}

fn run<T: AsRef<str>>(data: &[T]) -> Result<ChatResponse, Error> {
    let mut decoder = Decoder::new(&target("claude-x", "{}"));
    let mut events = Events::new();
    for data in data {
        let frame = Frame {
            event: None,
            data: data.as_ref().to_owned(),
        };
        decoder.frame(&frame, &mut events)?;
        if events.is_over() {
            return Ok(assemble(events.into_inner()));
        }
    }
    decoder.end(&mut events)?;
    panic!("a stream without an end is no success");
}

fn everything() -> Vec<String> {
    around(
        &[
            open(0, r#"{"type":"thinking","thinking":"","signature":""}"#),
            delta(0, r#"{"type":"thinking_delta","thinking":"Hm"}"#),
            delta(0, r#"{"type":"thinking_delta","thinking":"m."}"#),
            delta(0, r#"{"type":"signature_delta","signature":"S=="}"#),
            close(0),
            open(1, r#"{"type":"redacted_thinking","data":"R=="}"#),
            close(1),
            open(
                2,
                r#"{"type":"server_tool_use","id":"srv","name":"web_search","input":{}}"#,
            ),
            delta(2, r#"{"type":"input_json_delta","partial_json":""}"#),
            delta(
                2,
                r#"{"type":"input_json_delta","partial_json":"{\"q\": \"c"}"#,
            ),
            delta(2, r#"{"type":"input_json_delta","partial_json":"at\"}"}"#),
            close(2),
            open(
                3,
                r#"{"type":"web_search_tool_result","tool_use_id":"srv","content":[{"a":1.50}]}"#,
            ),
            close(3),
            open(4, r#"{"type":"text","text":""}"#),
            delta(4, r#"{"type":"text_delta","text":"It says "}"#),
            close(4),
            open(5, r#"{"citations":[],"type":"text","text":""}"#),
            delta(5, r#"{"type":"citations_delta","citation":{"n":1}}"#),
            delta(5, r#"{"type":"text_delta","text":"so"}"#),
            delta(5, r#"{"type":"citations_delta","citation":{"n":2}}"#),
            close(5),
            open(6, r#"{"type":"text","text":""}"#),
            delta(6, r#"{"type":"text_delta","text":".\u2028"}"#),
            close(6),
            open(
                7,
                r#"{"type":"tool_use","id":"toolu_1","name":"look","input":{}}"#,
            ),
            delta(7, r#"{"type":"input_json_delta","partial_json":""}"#),
            delta(7, r#"{"type":"input_json_delta","partial_json":"{\"x\""}"#),
            delta(7, r#"{"type":"input_json_delta","partial_json":":1}"}"#),
            close(7),
            open(
                8,
                r#"{"type":"tool_use","id":"toolu_2","name":"look","input":{}}"#,
            ),
            delta(8, r#"{"type":"input_json_delta","partial_json":""}"#),
            close(8),
        ],
        "tool_use",
    )
}

const EVERYTHING_WHOLE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[
    {"type":"thinking","thinking":"Hmm.","signature":"S=="},
    {"type":"redacted_thinking","data":"R=="},
    {"type":"server_tool_use","id":"srv","name":"web_search","input":{"q":"cat"}},
    {"type":"web_search_tool_result","tool_use_id":"srv","content":[{"a":1.50}]},
    {"type":"text","text":"It says "},
    {"type":"text","text":"so","citations":[{"n":1},{"n":2}]},
    {"type":"text","text":".\u2028"},
    {"type":"tool_use","id":"toolu_1","name":"look","input":{"x":1}},
    {"type":"tool_use","id":"toolu_2","name":"look","input":{}}],
    "stop_reason":"tool_use","usage":{"input_tokens":2411,"cache_read_input_tokens":2,"output_tokens":90}}"#;

#[test]
fn a_streamed_answer_equals_the_whole_one() {
    assert_eq!(
        run(&everything()).unwrap(),
        message(EVERYTHING_WHOLE).unwrap()
    );
}

#[test]
fn a_cut_anywhere_is_no_success() {
    let all = everything();
    for cut in 0..all.len() {
        let error = run(all.get(..cut).unwrap()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated, "{cut}");
    }
}

#[test]
fn counts_are_cumulative() {
    let plain = run(&around(&[], "end_turn")).unwrap();
    assert_eq!(
        plain.usage,
        Usage {
            prompt_tokens: Some(2413),
            completion_tokens: Some(90),
            cached_tokens: Some(2),
            ..Usage::UNKNOWN
        }
    );
    assert!(plain.content.is_empty());
    assert_eq!(plain.finish.reason, FinishReason::Stop);
    let silent = run(&[r#"{"type":"message_start","message":{"id":"m"}}"#, STOP]).unwrap();
    assert!(silent.usage.is_unknown());
    assert_eq!(
        (silent.finish.reason, silent.finish.raw),
        (FinishReason::Other, None)
    );
}

#[test]
fn arguments_are_an_object_or_what_was_written() {
    let arguments = |given: &str, pieces: &[&str]| {
        let mut blocks = vec![open(
            0,
            &format!(r#"{{"type":"tool_use","id":"t","name":"f","input":{given}}}"#),
        )];
        for piece in pieces {
            let piece = serde_json::Value::from(*piece);
            blocks.push(delta(
                0,
                &format!(r#"{{"type":"input_json_delta","partial_json":{piece}}}"#),
            ));
        }
        blocks.push(close(0));
        match run(&around(&blocks, "max_tokens"))
            .unwrap()
            .content
            .as_slice()
        {
            [Part::ToolCall(call)] => call.arguments.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(arguments("{}", &[]), "{}");
    assert_eq!(arguments("{}", &["", " "]), "{}");
    assert_eq!(arguments("null", &["nu", "ll"]), "{}");
    assert_eq!(arguments("{}", &["", "{\"a\"", ": tr"]), "{\"a\": tr");
    assert_eq!(arguments("{}", &["nu"]), "nu");
    assert_eq!(arguments(r#"{"a":1}"#, &[]), r#"{"a":1}"#);
    assert_eq!(arguments(r#"{"a":1}"#, &["{}"]), "{}");
    assert_eq!(arguments(r#""""#, &[""]), "{}");
    assert_eq!(arguments(r#""{\"a\":1}""#, &[]), r#"{"a":1}"#);
}

#[test]
fn blocks_left_open_are_closed_by_the_end() {
    let answer = run(&around(
        &[
            open(0, r#"{"type":"thinking","thinking":"a","signature":"S"}"#),
            open(1, r#"{"type":"tool_use","id":"t","name":"f"}"#),
        ],
        "end_turn",
    ))
    .unwrap();
    let [Part::Reasoning(thought), Part::ToolCall(call)] = answer.content.as_slice() else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (thought.text.as_str(), thought.signature.as_deref()),
        ("a", Some("S"))
    );
    assert_eq!(call.arguments, "{}");
    assert_eq!(answer.finish.reason, FinishReason::ToolCalls);
    assert_eq!(answer.finish.raw.as_deref(), Some("end_turn"));
}

#[test]
fn a_thought_that_is_not_shown_keeps_its_signature() {
    let answer = run(&around(
        &[
            open(0, r#"{"type":"thinking","thinking":"","signature":""}"#),
            delta(0, r#"{"type":"signature_delta","signature":"S"}"#),
            close(0),
        ],
        "end_turn",
    ))
    .unwrap();
    let expected = Part::Reasoning(Reasoning {
        text: String::new(),
        signature: Some("S".into()),
        redacted: None,
        ..Reasoning::default()
    });
    assert_eq!(answer.content, [expected]);
}

#[test]
fn what_is_new_is_passed_over_or_kept() {
    let answer = run(&around(
        &[
            r#"{"type":"brand_new_event","index":"x","delta":"y"}"#.to_owned(),
            open(0, r#"{"type":"compaction","content":null}"#),
            delta(0, r#"{"type":"compaction_delta","content":"In sh"}"#),
            delta(
                0,
                r#"{"type":"compaction_delta","content":"ort","encrypted_content":null}"#,
            ),
            close(0),
            open(1, r#"{"type":"future","text":{"a":1}}"#),
            delta(1, r#"{"type":"future_delta","text":5}"#),
            close(1),
            open(2, r#"{"type":"text","text":"a"}"#),
            delta(2, r#"{"type":"future_delta","text":["b"]}"#),
            delta(9, r#"{"type":"input_json_delta","partial_json":"{}"}"#),
            close(2),
            close(9),
        ],
        "pause_turn",
    ))
    .unwrap();
    let own = |kind: &str, data: &str| {
        Part::Opaque(Opaque {
            kind: kind.into(),
            data: data.into(),
        })
    };
    assert_eq!(
        answer.content,
        [
            own(
                "compaction",
                r#"{"type":"compaction","content":"In short"}"#
            ),
            own("future", r#"{"type":"future","text":5}"#),
            Part::Text(Text {
                text: "a".into(),
                signature: None,
                ..Text::default()
            }),
        ]
    );
    assert_eq!(
        answer.finish,
        Finish {
            reason: FinishReason::Other,
            raw: Some("pause_turn".into()),
        }
    );
}

#[test]
fn text_without_a_beginning_is_text() {
    let answer = run(&around(
        &[delta(0, r#"{"type":"text_delta","text":"a"}"#), close(0)],
        "end_turn",
    ))
    .unwrap();
    assert!(matches!(answer.content.as_slice(), [Part::Text(text)] if text.text == "a"));
}

#[test]
fn an_error_ends_the_stream_wherever_it_comes() {
    let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":null}}"#;
    let error = run(&[overloaded]).unwrap_err();
    assert_eq!((error.kind, error.retryable), (ErrorKind::Overloaded, true));
    let late = run(&[
        START,
        &delta(0, r#"{"type":"text_delta","text":"a"}"#),
        overloaded,
        STOP,
    ]);
    assert_eq!(late.unwrap_err().message, "Overloaded");
    let untyped = run(&[r#"{"error":{"type":"api_error","message":"gone"}}"#]).unwrap_err();
    assert_eq!(
        (untyped.kind, untyped.message.as_str()),
        (ErrorKind::Server, "gone")
    );
    assert_eq!(named("error", "not json").unwrap_err().message, "not json");
}

fn named(event: &str, data: &str) -> Result<(), Error> {
    let frame = Frame {
        event: Some(event.to_owned()),
        data: data.to_owned(),
    };
    Decoder::default().frame(&frame, &mut Events::new())
}

#[test]
fn frames_that_cannot_be_read_are_malformed() {
    for data in [
        "{",
        "[]",
        "\"x\"",
        "null",
        r#"{"type":"content_block_start","content_block":{"type":"text","text":7}}"#,
    ] {
        let error = run(&[START, data]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{data}");
    }
    let broken = delta(0, r#"{"type":"text_delta","text":7}"#);
    let opened = open(0, r#"{"type":"text","text":""}"#);
    let error = run(&[START, &opened, &broken]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::MalformedResponse);
    assert!(named("message_start", "{").is_err());
    assert!(named("brand_new", "{").is_ok());
    assert!(named("ping", "").is_ok());
}

#[test]
fn the_name_of_the_event_stands_in_for_a_missing_type() {
    let mut decoder = Decoder::default();
    let mut events = Events::new();
    let frame = Frame {
        event: Some("message_stop".into()),
        data: "{}".into(),
    };
    decoder.frame(&frame, &mut events).unwrap();
    assert!(events.is_over());
}

#[test]
fn a_foreign_end_marker_is_no_end() {
    assert_eq!(
        run(&[START, "[DONE]"]).unwrap_err().kind,
        ErrorKind::Truncated
    );
    let mut all = everything();
    all.insert(all.len() - 1, "[DONE]".to_owned());
    assert!(run(&all).is_ok());
}

#[test]
fn no_answer_calls_tools_without_end() {
    let call = |index: usize| {
        format!(
            r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"tool_use","id":"t{index}","name":"look","input":{{}}}}}}"#
        )
    };
    let calls: Vec<String> = (0..3_000).map(call).collect();
    let error = run(&calls).unwrap_err();
    assert_eq!(error.kind, ErrorKind::MalformedResponse);
    assert!(error.message.contains("more than 1024 tools"), "{error:?}");
}
