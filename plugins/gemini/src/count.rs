//! Counting tokens without asking the model: `countTokens`.
//! <https://ai.google.dev/api/tokens>

use multillm_plugin_sdk::body::{json_body_with, tail};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::{ChatRequest, Error, Framing, Method, Request, Target};

use crate::encode::{body, check};
use crate::settings::{Api, Settings};

/// What of a chat Vertex AI counts; the Gemini API takes it whole.
const VERTEX: [&str; 4] = ["contents", "systemInstruction", "tools", "generationConfig"];

/// The request that counts the tokens of this one.
///
/// # Errors
///
/// As those of a chat.
pub(crate) fn request(target: &Target, request: &ChatRequest) -> Result<Request, Error> {
    check(request, &mut Leaving::of(request))?;
    let settings = Settings::of(target)?;
    let extra = tail("the request", request.extra.as_deref())?;
    // Nothing is drawn, so that nothing is left out.
    let mut leaving = Leaving::of(&ChatRequest {
        drop_unsupported: true,
        ..ChatRequest::default()
    });
    let body = json_body_with(None, |blobs| {
        let mut chat = body(&target.model, request, &settings, &mut leaving, blobs)?;
        if let Some(extra) = &extra {
            chat.merge(extra.clone());
        }
        Ok(match settings.api {
            Api::GenerativeLanguage => {
                let mut asked = Json::object([("model", Settings::name(&target.model).into())]);
                asked.merge(chat);
                Json::object([("generateContentRequest", asked)])
            }
            Api::Vertex => counted(chat),
        })
    })?;
    Ok(Request {
        method: Method::Post,
        path: settings.path(&target.model, "countTokens"),
        query: vec![],
        headers: vec![settings.key_header()],
        body,
        framing: Framing::Whole,
        warnings: vec![],
    })
}

fn counted(chat: Json<'_>) -> Json<'_> {
    match chat {
        Json::Object(mut members) => {
            members.retain(|(key, _)| VERTEX.contains(&&**key));
            Json::Object(members)
        }
        other => other,
    }
}

/// The count.
///
/// # Errors
///
/// `malformed-response` if there is none.
pub(crate) fn tokens(body: &str) -> Result<u64, Error> {
    let answer = Json::parse(body).unwrap_or_default();
    let count = answer.get("totalTokens").and_then(Json::count);
    count.ok_or_else(|| Error::malformed("the answer has no count of tokens"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm_plugin_sdk::testing::{ask, body, says, target};
    use multillm_plugin_sdk::{ErrorKind, Role};
    use serde_json::json;

    #[test]
    fn the_whole_chat_is_counted() {
        let mut asked = ask(vec![
            says(Role::System, "Be brief."),
            says(Role::User, "Hi"),
        ]);
        asked.sampling.max_tokens = Some(5);
        asked.extra = Some(r#"{"labels":{"a":"b"}}"#.into());
        let turns = json!([{"role": "user", "parts": [{"text": "Hi"}]}]);
        let system = json!({"parts": [{"text": "Be brief."}]});
        let gemini = request(&target("gemini-3.5-flash", "{}"), &asked).unwrap();
        assert_eq!(
            gemini.path.join("/"),
            "v1beta/models/gemini-3.5-flash:countTokens"
        );
        assert_eq!(
            body(&gemini),
            json!({"generateContentRequest": {"model": "models/gemini-3.5-flash",
                "systemInstruction": system, "contents": turns,
                "generationConfig": {"maxOutputTokens": 5}, "labels": {"a": "b"}}})
        );
        let vertex = request(&target("gemini-3.5-flash", r#"{"api":"vertex"}"#), &asked).unwrap();
        assert_eq!(
            body(&vertex),
            json!({"systemInstruction": system, "contents": turns,
                "generationConfig": {"maxOutputTokens": 5}})
        );
    }

    #[test]
    fn a_count_is_read_and_nothing_else_is_one() {
        assert_eq!(
            tokens(r#"{"totalTokens":8,"promptTokensDetails":[]}"#),
            Ok(8)
        );
        for bad in ["", "{}", r#"{"totalTokens":"8"}"#] {
            assert_eq!(tokens(bad).unwrap_err().kind, ErrorKind::MalformedResponse);
        }
    }
}
