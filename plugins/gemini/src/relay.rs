//! Bodies that the caller wrote for `generateContent` and its like. The model is in the path alone.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::relay::{Essentials, complete, essentials, wire};
use multillm_plugin_sdk::{
    ChatResponse, Error, Framing, Mode, Operation, Provider, Relay, Response, Route, Target, Usage,
};

use crate::contents::NAME;
use crate::embed;
use crate::encode::method;
use crate::settings::Settings;
use crate::{Gemini, Stream};

impl Relay for Gemini {
    type Reader = Essentials<Stream>;

    fn route(target: &Target, operation: Operation, mode: Mode) -> Result<Route, Error> {
        wire(NAME, target, &["gemini"])?;
        let settings = Settings::of(target)?;
        let (verb, query, framing) = match operation {
            Operation::Chat => method(mode),
            Operation::CountTokens => ("countTokens", vec![], Framing::Whole),
            Operation::Embeddings => ("embedContent", vec![], Framing::Whole),
        };
        Ok(Route {
            query,
            framing,
            model: vec![],
            ..Route::post(
                target,
                settings.path(&target.model, verb),
                vec![settings.key_header()],
            )
        })
    }

    fn read(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        let answer = Json::parse(&response.body).unwrap_or_default();
        let has = |names: &[&str]| names.iter().any(|name| answer.get(name).is_some());
        if has(&["candidates", "promptFeedback", "error"]) {
            return Gemini::decode(target, response).map(essentials);
        }
        if has(&["embedding", "embeddings"]) {
            let usage = answer.get("usageMetadata").map(embed::usage);
            return Ok(complete(None, usage.unwrap_or(Usage::UNKNOWN)));
        }
        if has(&["totalTokens"]) {
            return Ok(complete(None, Usage::UNKNOWN));
        }
        Gemini::decode(target, response).map(essentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::target;
    use multillm_plugin_sdk::testing::response;

    #[test]
    fn the_path_says_model_and_operation() {
        for (operation, mode, verb, query, framing) in [
            (
                Operation::Chat,
                Mode::Whole,
                "generateContent",
                "",
                Framing::Whole,
            ),
            (
                Operation::Chat,
                Mode::Stream,
                "streamGenerateContent",
                "sse",
                Framing::Sse,
            ),
            (
                Operation::CountTokens,
                Mode::Stream,
                "countTokens",
                "",
                Framing::Whole,
            ),
            (
                Operation::Embeddings,
                Mode::Whole,
                "embedContent",
                "",
                Framing::Whole,
            ),
        ] {
            let route = Gemini::route(&target("gemini-x", "{}"), operation, mode).unwrap();
            assert_eq!(
                route.path.join("/"),
                format!("v1beta/models/gemini-x:{verb}")
            );
            let values: String = route.query.into_iter().map(|(_, value)| value).collect();
            assert_eq!((values.as_str(), route.framing), (query, framing), "{verb}");
            assert!(route.model.is_empty());
        }
    }

    #[test]
    fn answers_of_every_operation_are_read() {
        let read = |body: &str| Gemini::read(&target("m", "{}"), &response(200, body)).unwrap();
        let chat = read(
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP"}],
                "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4}}"#,
        );
        assert_eq!((chat.usage.prompt_tokens, chat.content.len()), (Some(3), 0));
        let vector = read(
            r#"{"embedding":{"values":[0.1]},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}"#,
        );
        assert_eq!(vector.usage.prompt_tokens, Some(4));
        assert_eq!(vector.usage.completion_tokens, None);
        let counted = read(r#"{"totalTokens":12,"promptTokensDetails":[]}"#);
        assert!(counted.usage.is_unknown());
        let broken = Gemini::read(&target("m", "{}"), &response(200, "<html>"));
        assert!(broken.is_err());
    }
}
