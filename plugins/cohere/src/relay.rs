//! Bodies that the caller wrote for `/v2/chat` and `/v2/embed`.

use multillm_plugin_sdk::json::{Json, member};
use multillm_plugin_sdk::relay::{Essentials, complete, essentials, framing, unsupported, wire};
use multillm_plugin_sdk::{
    ChatResponse, Error, Framing, Mode, Operation, Relay, Response, Route, Target,
};

use crate::stream::ChatStream;
use crate::{Cohere, decode, embed, encode};

/// The only wire.
const CHAT: &str = "cohere-chat";

impl Relay for Cohere {
    type Reader = Essentials<ChatStream>;

    fn route(target: &Target, operation: Operation, mode: Mode) -> Result<Route, Error> {
        wire("cohere", target, &[CHAT])?;
        let last = match operation {
            Operation::Chat => "chat",
            Operation::Embeddings => "embed",
            Operation::CountTokens => return Err(unsupported("cohere", CHAT, operation)),
        };
        let headers = encode::headers(target)?;
        let mut route = Route::post(target, vec!["v2".into(), last.into()], headers);
        route.framing = framing(operation, mode, Framing::Sse);
        Ok(route)
    }

    fn read(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        if let Some(vectors) = member(&response.body, "embeddings")
            && !vectors.get().starts_with("null")
        {
            let model = decode::model(target);
            let meta = member(&response.body, "meta").map_or("null", |meta| meta.get());
            let usage = embed::took(&Json::parse(meta).unwrap_or_default());
            return Ok(complete(model.as_deref(), usage));
        }
        decode::reply(target, response).map(essentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::target;
    use multillm_plugin_sdk::testing::response;
    use multillm_plugin_sdk::{ErrorKind, Header};

    #[test]
    fn bodies_go_to_chat_and_embed() {
        let target = target(r#"{"client_name":"me"}"#);
        let route = |operation| Cohere::route(&target, operation, Mode::Stream);
        let chat = route(Operation::Chat).unwrap();
        assert_eq!(
            (chat.path.join("/").as_str(), chat.framing),
            ("v2/chat", Framing::Sse)
        );
        assert!(chat.headers.contains(&Header::plain("x-client-name", "me")));
        let embed = route(Operation::Embeddings).unwrap();
        assert_eq!(
            (embed.path.join("/").as_str(), embed.framing),
            ("v2/embed", Framing::Whole)
        );
        assert_eq!(embed.model, ["model"]);
        let count = route(Operation::CountTokens).unwrap_err();
        assert_eq!(count.kind, ErrorKind::Unsupported);
    }

    #[test]
    fn vectors_take_input_alone() {
        let read = |body: &str| Cohere::read(&target("{}"), &response(200, body)).unwrap();
        let vectors = read(
            r#"{"id":"e","embeddings":{"float":[[0.1]]},"meta":{"billed_units":{"input_tokens":2.0,"images":1}}}"#,
        );
        assert_eq!(vectors.usage.prompt_tokens, Some(2));
        assert_eq!(vectors.usage.counted("prompt-images"), Some(1));
        let chat = read(
            r#"{"id":"c","message":{"content":[{"type":"text","text":"Hi"}]},"finish_reason":"COMPLETE",
                "usage":{"tokens":{"input_tokens":3,"output_tokens":1}}}"#,
        );
        assert_eq!((chat.content.len(), chat.usage.prompt_tokens), (0, Some(3)));
    }
}
