//! Bodies that the caller wrote for this API.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::relay::{Essentials, complete, essentials, framing, unsupported, wire};
use multillm_plugin_sdk::{
    ChatResponse, Error, Framing, Mode, Operation, Provider, Relay, Response, Route, Target, Usage,
};

use crate::Claude;
use crate::settings::Settings;
use crate::stream::Decoder;

const WIRE: &str = "anthropic-messages";

impl Relay for Claude {
    type Reader = Essentials<Decoder>;

    fn route(target: &Target, operation: Operation, mode: Mode) -> Result<Route, Error> {
        wire("claude", target, &[WIRE])?;
        let segments: &[&str] = match operation {
            Operation::Chat => &["v1", "messages"],
            Operation::CountTokens => &["v1", "messages", "count_tokens"],
            Operation::Embeddings => return Err(unsupported("claude", WIRE, operation)),
        };
        let path = segments.iter().map(|&segment| segment.into()).collect();
        Ok(Route {
            framing: framing(operation, mode, Framing::Sse),
            ..Route::post(target, path, Settings::of(target)?.headers())
        })
    }

    fn read(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        let is_count = Json::parse(&response.body).is_ok_and(|answer| {
            answer.get("input_tokens").is_some() && answer.get("content").is_none()
        });
        if is_count {
            return Ok(complete(None, Usage::UNKNOWN));
        }
        Claude::decode(target, response).map(essentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::target;
    use multillm_plugin_sdk::testing::response;
    use multillm_plugin_sdk::{ErrorKind, FinishReason, Header};

    fn route(operation: Operation, mode: Mode) -> Route {
        let settings = r#"{"beta":["a"],"auth":"bearer"}"#;
        Claude::route(&target("claude-x", settings), operation, mode).unwrap()
    }

    #[test]
    fn bodies_go_where_the_adapter_sends_its_own() {
        let streamed = route(Operation::Chat, Mode::Stream);
        assert_eq!(streamed.path, ["v1", "messages"]);
        assert_eq!(streamed.framing, Framing::Sse);
        assert_eq!(streamed.model, ["model"]);
        assert_eq!(streamed.name, "claude-x");
        assert_eq!(
            streamed.headers,
            [
                Header::api_key("authorization", "Bearer "),
                Header::plain("anthropic-version", "2023-06-01"),
                Header::plain("anthropic-beta", "a"),
            ]
        );
        let counted = route(Operation::CountTokens, Mode::Stream);
        assert_eq!(counted.path, ["v1", "messages", "count_tokens"]);
        assert_eq!(counted.framing, Framing::Whole);
        let vectors = Claude::route(&target("c", "{}"), Operation::Embeddings, Mode::Whole);
        assert_eq!(vectors.unwrap_err().kind, ErrorKind::Unsupported);
    }

    #[test]
    fn what_an_answer_took_is_read_and_what_it_says_is_not() {
        let read = |body: &str| Claude::read(&target("c", "{}"), &response(200, body));
        let answer = read(
            r#"{"type":"message","id":"m","model":"claude-x","content":[{"type":"text","text":"Hi"}],
                "stop_reason":"end_turn","usage":{"input_tokens":9,"output_tokens":2}}"#,
        )
        .unwrap();
        assert_eq!(answer.content, []);
        assert_eq!(answer.usage.prompt_tokens, Some(9));
        assert_eq!(answer.finish.reason, FinishReason::Stop);
        let count = read(r#"{"input_tokens":14}"#).unwrap();
        assert!(count.usage.is_unknown(), "{count:?}");
        let failed = read(r#"{"type":"error","error":{"type":"overloaded_error"}}"#);
        assert_eq!(failed.unwrap_err().kind, ErrorKind::Overloaded);
    }
}
