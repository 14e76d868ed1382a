use super::*;
use crate::testing::response;
use crate::{ChatEvent, ErrorKind};

fn whole(body: &str) -> Result<ChatResponse, Error> {
    read(&Dialect::default(), &response(200, body))
}

fn ended(fields: &str, output: &str) -> Result<Finish, Error> {
    let body = format!(
        r#"{{"id":"resp_1","object":"response","model":"m",{fields},"output":[{output}]}}"#
    );
    whole(&body).map(|answer| answer.finish)
}

/// The events of a stream, and how it ended. Frames bear the names that their types say.
fn stream(data: &[&str]) -> (Vec<ChatEvent>, Result<(), Error>) {
    let mut stream = Responses::new(&Dialect::default());
    let mut events = Events::new();
    for data in data {
        let kind = Json::parse(data).ok();
        let kind = kind.as_ref().and_then(|event| event.text("type"));
        let frame = Frame {
            event: kind.map(str::to_owned),
            data: (*data).to_owned(),
        };
        let read = stream.frame(&frame, &mut events);
        if read.is_err() || events.is_over() {
            return (events.into_inner(), read);
        }
    }
    (events.into_inner(), Err(Error::truncated()))
}

#[test]
fn the_end_is_told_by_status_reason_and_what_was_said() {
    let message = r#"{"type":"message","content":[{"type":"output_text","text":"Hi"}]}"#;
    let refusal = r#"{"type":"message","content":[{"type":"refusal","refusal":"no"}]}"#;
    let call = r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;
    for (fields, output, reason, raw) in [
        (
            r#""status":"completed""#,
            message,
            FinishReason::Stop,
            "completed",
        ),
        (
            r#""status":"completed""#,
            refusal,
            FinishReason::ContentFilter,
            "completed",
        ),
        (
            r#""status":"completed""#,
            call,
            FinishReason::ToolCalls,
            "completed",
        ),
        (
            r#""status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}"#,
            call,
            FinishReason::Length,
            "max_output_tokens",
        ),
        (
            r#""status":"incomplete","incomplete_details":{"reason":"content_filter"}"#,
            "",
            FinishReason::ContentFilter,
            "content_filter",
        ),
        (r#""status":"queued""#, "", FinishReason::Other, "queued"),
        (
            r#""status":"cancelled""#,
            message,
            FinishReason::Other,
            "cancelled",
        ),
    ] {
        let finish = ended(fields, output).unwrap();
        assert_eq!(
            (finish.reason, finish.raw.as_deref()),
            (reason, Some(raw)),
            "{fields}"
        );
    }
    let failed = r#""status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"}"#;
    assert_eq!(ended(failed, "").unwrap_err().kind, ErrorKind::RateLimited);
    let silent = ended(r#""status":"failed","error":null"#, "").unwrap_err();
    assert_eq!((silent.kind, silent.retryable), (ErrorKind::Server, true));
}

#[test]
fn what_it_took_has_cached_written_and_thought_tokens_and_a_price_of_its_own() {
    let usage = whole(
        r#"{"object":"response","status":"completed","service_tier":"flex","output":[
            {"type":"web_search_call","action":{"type":"search"}},
            {"type":"web_search_call","action":{"type":"open_page"}},
            {"type":"file_search_call"},{"type":"code_interpreter_call"},{"type":"image_generation_call"}],
            "usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":90,"cache_write_tokens":4},
                "output_tokens":12,"output_tokens_details":{"reasoning_tokens":5},"total_tokens":112}}"#,
    )
    .unwrap()
    .usage;
    assert_eq!(
        usage.counts(),
        [Some(100), Some(12), Some(112), Some(90), Some(4), Some(5)]
    );
    assert_eq!(usage.tier.as_deref(), Some("flex"));
    assert_eq!(usage.counted("web-searches"), Some(1));
    assert_eq!(usage.counted("file-searches"), Some(1));
    assert_eq!(usage.unpriced, ["code interpreter", "image generation"]);
    let told = whole(
        r#"{"object":"response","status":"completed","output":[{"type":"web_search_call"},{"type":"image_generation_call"}],
            "tool_usage":{"web_search":{"num_requests":3},"image_gen":{"total_tokens":7}}}"#,
    )
    .unwrap()
    .usage;
    assert_eq!(told.counted("web-searches"), Some(3));
    assert_eq!(told.counted("image-generation-tokens"), Some(7));
    assert!(told.unpriced.is_empty());
}

#[test]
fn a_stream_ends_with_the_whole_response_and_needs_no_marker() {
    let created = r#"{"type":"response.created","response":{"id":"r","model":"m","status":"in_progress","service_tier":"auto"}}"#;
    let delta = r#"{"type":"response.output_text.delta","delta":"no JSON needs to be read here"}"#;
    let item = r#"{"type":"response.output_item.done","item":{"type":"function_call"}}"#;
    let completed = r#"{"type":"response.completed","response":{"id":"r","model":"m","status":"completed","output":[],
        "usage":{"input_tokens":9,"output_tokens":2}}}"#;
    let (events, end) = stream(&[created, delta, item, completed]);
    assert_eq!(end, Ok(()));
    let [
        ChatEvent::Started(started),
        ChatEvent::Usage(usage),
        ChatEvent::Finished(finish),
        ChatEvent::Done,
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(started.id.as_deref(), Some("r"));
    assert_eq!(usage.prompt_tokens, Some(9));
    assert_eq!(finish.reason, FinishReason::ToolCalls);
    let incomplete = r#"{"type":"response.incomplete","response":{"id":"r","model":"m",
        "incomplete_details":{"reason":"max_output_tokens"}}}"#;
    let (events, end) = stream(&[created, incomplete]);
    assert_eq!(end, Ok(()));
    assert!(
        events.contains(&ChatEvent::Finished(Finish {
            reason: FinishReason::Length,
            raw: Some("max_output_tokens".to_owned()),
        })),
        "{events:?}"
    );
    assert_eq!(stream(&[created, delta]).1, Err(Error::truncated()));
}

#[test]
fn failures_come_in_both_forms_and_with_what_was_taken() {
    let flat = r#"{"type":"error","code":"insufficient_quota","message":"You exceeded your current quota","param":null}"#;
    let nested = r#"{"type":"error","sequence_number":2,"error":{"type":"insufficient_quota","code":"insufficient_quota",
        "message":"You exceeded your current quota"}}"#;
    for event in [flat, nested] {
        let error = stream(&[event]).1.unwrap_err();
        assert_eq!(error.kind, ErrorKind::QuotaExhausted, "{event}");
        assert_eq!(error.vendor_code.as_deref(), Some("insufficient_quota"));
    }
    let failed = r#"{"type":"response.failed","response":{"id":"r","model":"m","status":"failed",
        "error":{"code":"server_error","message":"broken"},"usage":{"input_tokens":4}}}"#;
    let (events, end) = stream(&[failed]);
    assert_eq!(end.unwrap_err().kind, ErrorKind::Server);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, ChatEvent::Usage(_))),
        "{events:?}"
    );
    let frame = Frame {
        event: Some("error".to_owned()),
        data: "upstream went away".to_owned(),
    };
    let mut events = Events::new();
    let broken = Responses::new(&Dialect::default()).frame(&frame, &mut events);
    assert_eq!(broken.unwrap_err().message, "upstream went away");
}

#[test]
fn a_stream_in_place_of_a_whole_response_is_read() {
    let body = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"usage\":{\"input_tokens\":3}}}\n\n";
    assert_eq!(whole(body).unwrap().usage.prompt_tokens, Some(3));
    assert_eq!(
        whole("data: {}\n\n").unwrap_err().kind,
        ErrorKind::Truncated
    );
    assert!(
        whole(r#"{"object":"response.input_tokens","input_tokens":8}"#)
            .unwrap()
            .usage
            .is_unknown()
    );
    for body in ["<html>", "[]", "{}"] {
        assert_eq!(
            whole(body).unwrap_err().kind,
            ErrorKind::MalformedResponse,
            "{body}"
        );
    }
}
