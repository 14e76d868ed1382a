use super::super::fixtures::Plain;
use super::*;
use crate::testing::{response, target};
use crate::{ErrorKind, FinishReason, Header};

struct Both;

impl Vendor for Both {
    fn info() -> crate::Info {
        Plain::info()
    }

    fn dialect(target: &Target) -> Result<Dialect, Error> {
        let dialect = Plain::dialect(target)?;
        Ok(Dialect {
            responses: Some(Place::new("responses")),
            ..dialect
        })
    }
}

fn on(wire: &str) -> Target {
    Target {
        wire: wire.to_owned(),
        ..target("m", "{}")
    }
}

#[test]
fn a_body_goes_where_its_wire_and_operation_say() {
    for (wire, operation, path, framing) in [
        ("", Operation::Chat, "chat/completions", Framing::Sse),
        (CHAT, Operation::Chat, "chat/completions", Framing::Sse),
        (CHAT, Operation::Embeddings, "embeddings", Framing::Whole),
        (RESPONSES, Operation::Chat, "responses", Framing::Sse),
        (
            RESPONSES,
            Operation::CountTokens,
            "responses/input_tokens",
            Framing::Whole,
        ),
    ] {
        let route = Both::route(&on(wire), operation, Mode::Stream).unwrap();
        assert_eq!(route.path.join("/"), path);
        assert_eq!(route.framing, framing, "{path}");
        assert_eq!(
            (route.model, route.name.as_str()),
            (vec!["model".to_owned()], "m")
        );
        assert_eq!(
            route.headers,
            [Header::api_key("authorization", "Bearer ")],
            "{path}"
        );
    }
}

#[test]
fn what_is_not_spoken_is_refused() {
    for (wire, operation) in [
        (CHAT, Operation::CountTokens),
        (RESPONSES, Operation::Embeddings),
        ("anthropic-messages", Operation::Chat),
    ] {
        let error = Both::route(&on(wire), operation, Mode::Whole).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported, "{wire}");
    }
    let error = Plain::route(&on(RESPONSES), Operation::Chat, Mode::Whole).unwrap_err();
    assert!(error.message.contains(RESPONSES), "{}", error.message);
}

#[test]
fn answers_are_read_by_their_wire_and_shape() {
    let read = |wire, body: &str| Both::read(&on(wire), &response(200, body));
    let chat = read(
        CHAT,
        r#"{"id":"c","model":"m-1","choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
    )
    .unwrap();
    assert_eq!((chat.content.len(), chat.usage.prompt_tokens), (0, Some(3)));
    assert_eq!(chat.model.as_deref(), Some("m-1"));
    let vectors = read(
        CHAT,
        r#"{"object":"list","data":[{"index":0,"embedding":[0.1]}],"model":"e-1",
            "usage":{"prompt_tokens":8,"total_tokens":8,"completion_tokens":0}}"#,
    )
    .unwrap();
    assert_eq!(
        (
            vectors.usage.prompt_tokens,
            vectors.usage.completion_tokens,
            vectors.model.as_deref()
        ),
        (Some(8), None, Some("e-1"))
    );
    assert_eq!(vectors.finish.reason, FinishReason::Stop);
    let whole = read(
        RESPONSES,
        r#"{"id":"r","object":"response","status":"completed","model":"m-1","output":[],"usage":{"input_tokens":2}}"#,
    );
    assert_eq!(whole.unwrap().usage.prompt_tokens, Some(2));
    let failed = read(CHAT, r#"{"error":{"message":"no","type":"server_error"}}"#);
    assert_eq!(failed.unwrap_err().kind, ErrorKind::Server);
}

#[test]
fn a_reader_leaves_out_what_is_said() {
    let read = |wire: &str, data: &[&str]| crate::testing::stream::<Reader<Both>>(&on(wire), data);
    let (events, end) = read(
        CHAT,
        &[
            r#"{"id":"c","model":"m","choices":[{"delta":{"content":"Hi"}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#,
            "[DONE]",
        ],
    );
    assert_eq!((events.len(), end), (4, Ok(())), "{events:?}");
    let (events, end) = read(
        RESPONSES,
        &[
            r#"{"type":"response.created","response":{"id":"r","model":"m"}}"#,
            r#"{"type":"response.completed","response":{"id":"r","model":"m","status":"completed","usage":{"input_tokens":3}}}"#,
        ],
    );
    assert_eq!((events.len(), end), (4, Ok(())), "{events:?}");
    let (_, cut) = read(RESPONSES, &[r#"{"type":"response.created","response":{}}"#]);
    assert_eq!(cut.unwrap_err().kind, ErrorKind::Truncated);
}
