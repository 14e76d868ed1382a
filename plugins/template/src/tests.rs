//! Everything is tried natively: no WebAssembly, no network, no key.

use multillm_plugin_sdk::testing::{ask, body, response, says, stream, target};
use multillm_plugin_sdk::{
    ChatEvent, ErrorKind, FinishReason, Framing, Header, Media, Part, Role, Tool, ToolInput, Usage,
};
use serde_json::json;

use super::*;

/// No settings.
fn plain() -> Target {
    target("parley-2", "{}")
}

/// The events of these lines, and how the stream ended.
fn lines(lines: &[&str]) -> (Vec<ChatEvent>, Result<(), Error>) {
    stream::<stream::Lines>(&plain(), lines)
}

#[test]
fn a_question_is_written_as_parley_wants_it() {
    let mut question = ask(vec![
        says(Role::System, "Be kind."),
        says(Role::User, "Good evening."),
        says(Role::User, "How are you?"),
    ]);
    question.sampling.max_tokens = Some(50);
    question.sampling.stop = vec!["END".to_owned()];
    question.extra = Some(r#"{"mood":"calm"}"#.to_owned());
    let request = Parley::encode(
        &target("parley-2", r#"{"voice":"brisk"}"#),
        &question,
        Mode::Stream,
    )
    .unwrap();
    assert_eq!(
        body(&request),
        json!({"model": "parley-2", "live": true, "voice": "brisk", "limit": 50, "until": ["END"],
            "mood": "calm", "turns": [
                {"by": "host", "say": "Be kind."},
                {"by": "guest", "say": "Good evening.\nHow are you?"}]})
    );
    assert_eq!(request.path, ["v1", "talk"]);
    assert_eq!(request.headers, [Header::api_key("x-parley-key", "")]);
    assert_eq!(request.framing, Framing::Ndjson);
}

#[test]
fn what_parley_cannot_do_is_refused_by_name() {
    let hello = || ask(vec![says(Role::User, "Hello")]);
    let mut tools = hello();
    tools.tools = vec![Tool {
        name: "look".to_owned(),
        description: None,
        input: ToolInput::Schema("{}".to_owned()),
        strict: None,
        ..Tool::default()
    }];
    let mut seed = hello();
    seed.sampling.seed = Some(1);
    let mut picture = hello();
    let address = "https://x.example/a.png";
    picture.messages[0]
        .content
        .push(Part::Media(Media::url(address)));
    for (request, named) in [(tools, "tools"), (seed, "seed"), (picture, "picture")] {
        let error = Parley::encode(&plain(), &request, Mode::Whole).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains(named), "{}", error.message);
    }
}

#[test]
fn a_streamed_answer_is_the_whole_one_in_pieces() {
    let whole = Parley::decode(
        &plain(),
        &response(
            200,
            r#"{"id":"t-1","say":"Good evening.","ended":"done","tokens":{"heard":7,"said":3}}"#,
        ),
    )
    .unwrap();
    let (events, end) = lines(&[
        r#"{"id":"t-1"}"#,
        r#"{"say":"Good "}"#,
        r#"{"say":"evening.","note":"new fields are ignored"}"#,
        r#"{"ended":"done","tokens":{"heard":7,"said":3}}"#,
    ]);
    assert!(end.is_ok());
    let text: String = events
        .iter()
        .filter_map(|event| match event {
            ChatEvent::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert!(matches!(whole.content.as_slice(), [Part::Text(part)] if part.text == text));
    assert!(events.contains(&ChatEvent::Finished(whole.finish)));
    assert!(events.contains(&ChatEvent::Usage(whole.usage)));
    assert_eq!(events.last(), Some(&ChatEvent::Done));
}

#[test]
fn an_answer_that_leaves_things_out_is_still_one() {
    let answer = Parley::decode(&plain(), &response(200, r#"{"say":"Hm."}"#)).unwrap();
    assert_eq!(answer.finish.reason, FinishReason::Other);
    assert_eq!(answer.usage, Usage::UNKNOWN);
    for nothing in ["", "<html>", "[]", "{}"] {
        let error = Parley::decode(&plain(), &response(200, nothing)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::MalformedResponse, "{nothing}");
    }
}

#[test]
fn a_cut_stream_and_a_broken_one_are_errors() {
    let (_, cut) = lines(&[r#"{"say":"Good "}"#]);
    assert_eq!(cut.unwrap_err().kind, ErrorKind::Truncated);
    let problem = r#"{"problem":{"code":"crowded","text":"Too many guests."}}"#;
    let (events, broken) = lines(&[r#"{"say":"Good "}"#, problem]);
    assert_eq!(broken.unwrap_err().kind, ErrorKind::Overloaded);
    assert_eq!(events, [ChatEvent::Text("Good ".to_owned())]);
}

#[test]
fn failures_are_classified_whatever_the_body_is() {
    let failure = |status, body| Parley::decode_error(&plain(), &response(status, body));
    let slow = failure(
        429,
        r#"{"problem":{"code":"slow_down","text":"Breathe.","wait_seconds":2.5}}"#,
    );
    assert_eq!(
        (slow.kind, slow.retry_after_ms),
        (ErrorKind::RateLimited, Some(2500))
    );
    assert_eq!(
        (slow.message.as_str(), slow.status),
        ("Breathe.", Some(429))
    );
    let broke = failure(429, r#"{"problem":{"code":"out_of_credit"}}"#);
    assert_eq!(
        (broke.kind, broke.retryable),
        (ErrorKind::QuotaExhausted, false)
    );
    let proxy = failure(502, "<html>bad gateway</html>");
    assert_eq!((proxy.kind, proxy.retryable), (ErrorKind::Server, true));
}

#[test]
fn open_tails_are_merged_into_the_turn() {
    let mut question = ask(vec![says(Role::User, "Hello"), says(Role::User, "you")]);
    question.messages[0].extra = Some(r#"{"aside":1.50}"#.to_owned());
    let request = Parley::encode(&plain(), &question, Mode::Whole).unwrap();
    assert_eq!(
        body(&request)["turns"],
        json!([{"by": "guest", "say": "Hello\nyou", "aside": 1.50}])
    );
}
