//! Bodies that the caller wrote for `/api/chat` and `/api/embed`.

use multillm_plugin_sdk::relay::{self, Essentials};
use multillm_plugin_sdk::{
    ChatResponse, Error, Framing, Mode, Operation, Relay, Response, Route, Target, Usage,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::stream::Lines;
use crate::wire::Chunk;
use crate::{Ollama, decode, headers};

const API: &str = "ollama-chat";

impl Relay for Ollama {
    type Reader = Essentials<Lines>;

    fn route(target: &Target, operation: Operation, mode: Mode) -> Result<Route, Error> {
        relay::wire("ollama", target, &[API])?;
        let framing = relay::framing(operation, mode, Framing::Ndjson);
        let call = match operation {
            Operation::Chat => "chat",
            Operation::Embeddings => "embed",
            Operation::CountTokens => return Err(relay::unsupported("ollama", API, operation)),
        };
        let path = vec!["api".to_owned(), call.to_owned()];
        let headers = headers(framing == Framing::Ndjson);
        Ok(Route {
            framing,
            ..Route::post(target, path, headers)
        })
    }

    fn read(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        let body = response.body.as_str();
        let vectors: Option<Vectors> = serde_json::from_str(body).ok();
        let is_vectors =
            vectors.is_some_and(|vectors| vectors.embeddings.or(vectors.embedding).is_some());
        match serde_json::from_str::<Chunk<'_>>(body) {
            Ok(chunk) if is_vectors => {
                let usage = Usage {
                    prompt_tokens: decode::usage(&chunk, true).prompt_tokens,
                    ..Usage::UNKNOWN
                };
                Ok(relay::complete(chunk.model.as_deref(), usage))
            }
            _ => decode::answer(target, response).map(relay::essentials),
        }
    }
}

/// What tells vectors from an answer, in their present and their former form.
#[derive(Deserialize)]
struct Vectors {
    embeddings: Option<IgnoredAny>,
    embedding: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::target;
    use multillm_plugin_sdk::testing::response;
    use multillm_plugin_sdk::{ErrorKind, FinishReason, Header};

    #[test]
    fn bodies_go_to_chat_and_embed() {
        let route = |operation, mode| Ollama::route(&target("{}"), operation, mode);
        let streamed = route(Operation::Chat, Mode::Stream).unwrap();
        assert_eq!(streamed.path, ["api", "chat"]);
        assert_eq!(streamed.framing, Framing::Ndjson);
        assert!(
            streamed
                .headers
                .contains(&Header::plain("accept", "application/x-ndjson"))
        );
        let vectors = route(Operation::Embeddings, Mode::Stream).unwrap();
        assert_eq!(
            (vectors.path.join("/").as_str(), vectors.headers.len()),
            ("api/embed", 1)
        );
        let count = route(Operation::CountTokens, Mode::Whole).unwrap_err();
        assert_eq!(count.kind, ErrorKind::Unsupported);
    }

    #[test]
    fn answers_and_vectors_are_read() {
        let read = |body: &str| Ollama::read(&target("{}"), &response(200, body)).unwrap();
        let vectors =
            read(r#"{"model":"e","embeddings":[[0.1]],"total_duration":1,"prompt_eval_count":4}"#);
        assert_eq!(vectors.usage.prompt_tokens, Some(4));
        assert_eq!(vectors.finish.reason, FinishReason::Stop);
        let former = read(r#"{"embedding":[0.1]}"#);
        assert!(former.usage.is_unknown());
        let answer = read(
            r#"{"model":"m","message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop",
                "prompt_eval_count":3,"eval_count":1,"total_duration":1}"#,
        );
        assert_eq!(
            (answer.content.len(), answer.usage.completion_tokens),
            (0, Some(1))
        );
    }
}
