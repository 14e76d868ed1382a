//! Every rule of the comparison, with an outcome that keeps it and one that breaks it.

use serde_json::json;

use super::*;

fn case(stream: bool, expect: &Value) -> Case {
    let text = json!({
        "vendor": "openai", "model": "m", "url": "u", "status": 200, "response_body": "",
        "stream": stream, "framing": "json", "expect": expect,
    });
    Case::parse("one", &text.to_string()).expect("a case")
}

fn answered(expect: Value, object: Value) -> Vec<String> {
    let outcome = Outcome::Answer {
        object,
        events: Vec::new(),
    };
    differences(&case(false, &expect), &outcome, 1)
}

fn refused(expect: Value, error: Value) -> Vec<String> {
    differences(&case(false, &expect), &Outcome::Failure(error), 1)
}

/// Exactly one difference, which begins like this.
fn assert_one(found: &[String], beginning: &str) {
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(beginning), "{found:#?}");
}

const NONE: [String; 0] = [];

#[test]
fn content_is_exact_and_alternatives_are_trimmed() {
    let expect = json!({"content": "<think>x</think> hi", "content_alt": ["hi"]});
    assert_eq!(
        answered(expect.clone(), json!({"content": "<think>x</think> hi"})),
        NONE
    );
    assert_eq!(answered(expect.clone(), json!({"content": " hi\n"})), NONE);
    assert_one(
        &answered(expect, json!({"content": "<think>x</think> hi "})),
        "content differs",
    );
    assert_eq!(
        answered(json!({"content": ""}), json!({"content": null})),
        NONE
    );
}

#[test]
fn reasoning_follows_its_two_switches() {
    let expect = |checked: bool, blocks: u32| json!({"content": "", "reasoning": "a b", "reasoning_checked": checked, "reasoning_blocks": blocks});
    let got = || json!({"content": "", "reasoning": "a\n\nb"});
    assert_one(&answered(expect(true, 1), got()), "reasoning differs");
    assert_eq!(answered(expect(true, 2), got()), NONE);
    assert_eq!(answered(expect(false, 1), got()), NONE);
    let unasked = json!({"content": "", "reasoning": "a"});
    assert_one(
        &answered(json!({"content": "", "reasoning": null}), unasked),
        "reasoning differs",
    );
}

#[test]
fn tool_calls_are_compared_in_order() {
    let expect = json!({"content": "", "tool_calls": [{"id": "a", "name": "f", "arguments": {"x": 1, "y": [2]}}]});
    let got = |id: &str, name: &str, arguments: &str| json!({"tool_calls": [{"id": id, "name": name, "arguments": arguments}]});
    assert_eq!(
        answered(expect.clone(), got("a", "f", "{ \"y\":[2], \"x\":1.0 }")),
        NONE
    );
    assert_one(
        &answered(expect.clone(), got("b", "f", "{\"x\":1,\"y\":[2]}")),
        "tool_calls[0].id",
    );
    assert_one(
        &answered(expect.clone(), got("a", "g", "{\"x\":1,\"y\":[2]}")),
        "tool_calls[0].name",
    );
    assert_one(
        &answered(expect.clone(), got("a", "f", "{\"x\":1,\"y\":[2,3]}")),
        "tool_calls[0].arguments",
    );
    assert_one(
        &answered(expect.clone(), got("a", "f", "")),
        "tool_calls[0].arguments",
    );
    assert_one(
        &answered(expect, json!({"tool_calls": []})),
        "tool_calls: expected 1, got 0",
    );
}

#[test]
fn cut_arguments_are_kept_as_they_are() {
    let expect = json!({"content": "", "tool_calls": [{"id": null, "name": "f", "arguments_raw": "{\"x\": "}]});
    let got = |arguments: &str| json!({"tool_calls": [{"id": "any", "name": "f", "arguments": arguments}]});
    assert_eq!(answered(expect.clone(), got("{\"x\": ")), NONE);
    assert_one(&answered(expect, got("{\"x\":")), "tool_calls[0].arguments");
}

#[test]
fn ids_that_the_vendor_did_not_give_are_distinct() {
    let call = |id: &str| json!({"id": id, "name": "f", "arguments": "{}"});
    let wanted = json!({"id": null, "name": "f", "arguments": {}});
    let expect = json!({"content": "", "tool_calls": [wanted, wanted]});
    assert_eq!(
        answered(
            expect.clone(),
            json!({"tool_calls": [call("1"), call("2")]})
        ),
        NONE
    );
    assert_one(
        &answered(
            expect.clone(),
            json!({"tool_calls": [call("1"), call("1")]}),
        ),
        "tool_calls: the ids",
    );
    assert_one(
        &answered(expect, json!({"tool_calls": [call("1"), call("")]})),
        "tool_calls: the ids",
    );
}

#[test]
fn what_the_vendor_did_not_give_is_not_compared() {
    let got = || json!({"content": "", "id": "x", "vendor_model": "m", "raw_finish_reason": "s", "finish_reason": "stop"});
    let silent = json!({"content": "", "id": null, "vendor_model": null, "raw_finish_reason": null, "finish_reason": "stop"});
    assert_eq!(answered(silent, got()), NONE);
    let other = json!({"content": "", "id": "y", "vendor_model": "n", "raw_finish_reason": "t", "finish_reason": "length"});
    assert_eq!(answered(other.clone(), got()).len(), 4);
    let mut doubted = other;
    doubted["doubt"] = json!([{"field": "id"}, {"field": "vendor_model"}, {"field": "raw_finish_reason"}, {"field": "finish_reason"}]);
    assert_eq!(answered(doubted, got()), NONE);
}

#[test]
fn an_unknown_count_equals_zero() {
    let got = || json!({"content": "", "usage": {"prompt_tokens": 3, "cached_tokens": null}});
    let same = json!({"content": "", "usage": {"prompt_tokens": 3, "cached_tokens": 0, "total_tokens": null}});
    assert_eq!(answered(same, got()), NONE);
    let none = json!({"content": "", "usage": null});
    assert_one(
        &answered(none.clone(), got()),
        "usage.prompt_tokens: expected 0, got 3",
    );
    assert_eq!(answered(none, json!({"content": "", "usage": null})), NONE);
}

#[test]
fn streamed_text_is_the_final_text() {
    let event = |text: &str| json!({"type": "text", "text": text});
    let run = |events: Vec<Value>| {
        let object = json!({"type": "done", "content": "ab"});
        differences(
            &case(true, &json!({"content": "ab"})),
            &Outcome::Answer { object, events },
            1,
        )
    };
    assert_eq!(
        run(vec![
            event("a"),
            json!({"type": "reasoning", "text": "x"}),
            event("b")
        ]),
        NONE
    );
    assert_one(&run(vec![event("a")]), "joined text events");
}

#[test]
fn failures_are_compared_field_by_field() {
    let expect = json!({"error": {"kinds": ["server", "overloaded"], "status": 503, "retry_after_ms": 2000.0, "retryable": true}});
    let got = |kind: &str, status: u16, hint: f64, retryable: bool| json!({"kind": kind, "status": status, "retry_after_ms": hint, "retryable": retryable});
    assert_eq!(
        refused(expect.clone(), got("overloaded", 503, 2001.0, true)),
        NONE
    );
    assert_one(
        &refused(expect.clone(), got("timeout", 503, 2000.0, true)),
        "error.kind",
    );
    assert_one(
        &refused(expect.clone(), got("server", 500, 2000.0, true)),
        "error.status",
    );
    assert_one(
        &refused(expect.clone(), got("server", 503, 2002.0, true)),
        "error.retry_after_ms",
    );
    assert_one(
        &refused(expect, got("server", 503, 2000.0, false)),
        "error.retryable",
    );
    let no_hint = json!({"error": {"kinds": ["server"], "status": null, "retry_after_ms": null, "retryable": null}});
    assert_eq!(refused(no_hint.clone(), json!({"kind": "server"})), NONE);
    assert_one(
        &refused(no_hint, json!({"kind": "server", "retry_after_ms": 5})),
        "error.retry_after_ms",
    );
}

#[test]
fn success_and_failure_are_mixed_up_only_where_allowed() {
    let failure = json!({"error": {"kinds": ["server"]}});
    assert_one(
        &answered(failure, json!({"finish_reason": "error"})),
        "an error of kind server was expected",
    );
    let either = json!({"error": {"kinds": ["server"]}, "or_finish": "error"});
    assert_eq!(
        answered(either.clone(), json!({"finish_reason": "error"})),
        NONE
    );
    assert_eq!(answered(either, json!({"finish_reason": "stop"})).len(), 1);
    assert_one(
        &refused(json!({"content": "x"}), json!({"kind": "server"})),
        "an answer was expected",
    );
    let allowed = json!({"content": "x", "or_error": "content_filtered"});
    assert_eq!(
        refused(allowed.clone(), json!({"kind": "content_filtered"})),
        NONE
    );
    assert_eq!(refused(allowed, json!({"kind": "server"})).len(), 1);
}

#[test]
fn a_case_is_asked_once() {
    let outcome = Outcome::Failure(json!({"kind": "server"}));
    let wanted = case(false, &json!({"error": {"kinds": ["server"]}}));
    assert_one(
        &differences(&wanted, &outcome, 2),
        "one request was expected, and there were 2",
    );
    assert_one(
        &differences(&wanted, &outcome, 0),
        "one request was expected, and there were 0",
    );
}
