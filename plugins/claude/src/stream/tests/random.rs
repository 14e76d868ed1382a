//! Any input: no panic, no success without an end, no text lost.

use multillm_plugin_sdk::{Part, Text};
use proptest::prelude::*;

use super::{around, close, delta, open, run};
use crate::decode::message;

/// JSON that looks like events, with anything in any place.
fn event_like() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec![
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "text",
        "tool_use",
        "thinking",
        "text_delta",
        "input_json_delta",
        "citations_delta",
        "server_tool_use",
        "error",
    ]);
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("0".to_owned()),
        Just("-1.5".to_owned()),
        Just("\"\u{2028}é\"".to_owned()),
        Just("[]".to_owned()),
    ];
    let key = prop::sample::select(vec![
        "delta",
        "content_block",
        "message",
        "index",
        "text",
        "partial_json",
        "thinking",
        "signature",
        "citation",
        "input",
        "usage",
        "stop_reason",
        "error",
    ]);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        (
            kind.clone(),
            prop::collection::btree_map(key.clone(), inner, 0..4),
        )
            .prop_map(|(kind, fields)| {
                let fields: String = fields
                    .iter()
                    .map(|(key, value)| format!(r#","{key}":{value}"#))
                    .collect();
                format!(r#"{{"type":"{kind}"{fields}}}"#)
            })
    })
}

proptest! {
    #[test]
    fn no_frames_make_a_panic_or_a_false_end(frames in prop::collection::vec(event_like(), 0..12)) {
        prop_assert!(run(&frames).is_err());
    }

    #[test]
    fn no_bytes_make_a_panic(data in ".{0,60}") {
        prop_assert!(run(&[data.as_str()]).is_err());
        let _ = message(&data);
    }

    #[test]
    fn any_text_survives_both_ways(words in ".{1,40}") {
        let quoted = serde_json::Value::from(words.as_str());
        let streamed = run(&around(
            &[
                open(0, r#"{"type":"text","text":""}"#),
                delta(0, &format!(r#"{{"type":"text_delta","text":{quoted}}}"#)),
                close(0),
            ],
            "end_turn",
        )).unwrap();
        let expected = Part::Text(Text { text: words, signature: None, ..Text::default() });
        prop_assert_eq!(&streamed.content, &[expected]);
        let whole = format!(r#"{{"type":"message","content":[{{"type":"text","text":{quoted}}}]}}"#);
        prop_assert_eq!(streamed.content, message(&whole).unwrap().content);
    }
}
