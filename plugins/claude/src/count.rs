//! Counting tokens without asking the model: `POST /v1/messages/count_tokens`.
//! <https://platform.claude.com/docs/en/api/messages-count-tokens>

use multillm_plugin_sdk::body::{json_body_with, tail};
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::{ChatRequest, Error, Framing, Method, Request, Target};

use crate::encode::{Body, settings};
use crate::tree::Tree;

/// What of a message counts, and is taken here.
const COUNTED: [&str; 10] = [
    "model",
    "system",
    "messages",
    "tools",
    "mcp_servers",
    "tool_choice",
    "output_config",
    "thinking",
    "cache_control",
    "context_management",
];

/// The request that counts the tokens of this one.
///
/// # Errors
///
/// As those of a chat.
pub(crate) fn request(target: &Target, request: &ChatRequest) -> Result<Request, Error> {
    let extra = tail("the request", request.extra.as_deref())?.unwrap_or_default();
    let settings = settings(target, request, &extra, &mut Leaving::of(request))?;
    // Nothing is drawn, so that nothing is left out.
    let mut leaving = Leaving::of(&ChatRequest {
        drop_unsupported: true,
        ..ChatRequest::default()
    });
    let own = of_what_counts(&extra);
    let own = own.map(|own| own.to_string());
    let body = json_body_with(own.as_deref(), |blobs| {
        let asked = Body {
            target,
            settings: &settings,
            extra: &extra,
            request,
        };
        Ok(match asked.tree(&mut leaving, blobs)? {
            Tree::Object(mut members) => {
                members.retain(|(key, _)| COUNTED.contains(key));
                Tree::Object(members)
            }
            other => other,
        })
    })?;
    let path = ["v1", "messages", "count_tokens"];
    Ok(Request {
        method: Method::Post,
        path: path.map(str::to_owned).to_vec(),
        query: Vec::new(),
        headers: settings.headers(),
        body,
        framing: Framing::Whole,
        warnings: Vec::new(),
    })
}

/// Of the caller's own members those that count.
fn of_what_counts<'a>(extra: &Json<'a>) -> Option<Json<'a>> {
    let Json::Object(members) = extra else {
        return None;
    };
    let counted = members.iter().filter(|(key, _)| COUNTED.contains(&&**key));
    let counted: Vec<_> = counted.cloned().collect();
    (!counted.is_empty()).then_some(Json::Object(counted))
}

/// The count.
///
/// # Errors
///
/// `malformed-response` if there is none.
pub(crate) fn tokens(body: &str) -> Result<u64, Error> {
    let answer = Json::parse(body).unwrap_or_default();
    let count = answer.get("input_tokens").and_then(Json::count);
    count.ok_or_else(|| Error::malformed("the answer has no count of tokens"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{converse, said, target, tool};
    use multillm_plugin_sdk::testing::body;
    use multillm_plugin_sdk::{ErrorKind, Role, Sampling, ServerTool};
    use serde_json::json;

    #[test]
    fn what_does_not_count_is_not_sent() {
        let mut asked = converse(vec![
            said(Role::System, "Be brief."),
            said(Role::User, "Hi"),
        ]);
        asked.tools = vec![tool("look")];
        asked.server_tools = vec![ServerTool {
            name: "web-search".into(),
            options: None,
        }];
        asked.sampling = Sampling {
            max_tokens: Some(9),
            temperature: Some(0.5),
            ..Sampling::default()
        };
        asked.extra = Some(r#"{"metadata":{"user_id":"u"},"thinking":{"type":"disabled"}}"#.into());
        let request = request(&target("claude-sonnet-5", "{}"), &asked).unwrap();
        assert_eq!(request.path.join("/"), "v1/messages/count_tokens");
        assert_eq!(request.framing, Framing::Whole);
        assert_eq!(
            body(&request),
            json!({"model": "claude-sonnet-5", "system": "Be brief.",
                "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
                "tools": [
                    {"name": "look", "input_schema": {"type": "object", "properties": {}}},
                    {"type": "web_search_20250305", "name": "web_search"}],
                "thinking": {"type": "disabled"}})
        );
    }

    #[test]
    fn a_count_is_read_and_nothing_else_is_one() {
        assert_eq!(tokens(r#"{"input_tokens":12}"#), Ok(12));
        for bad in [
            "",
            "{}",
            r#"{"input_tokens":null}"#,
            r#"{"input_tokens":-1}"#,
        ] {
            assert_eq!(tokens(bad).unwrap_err().kind, ErrorKind::MalformedResponse);
        }
    }
}
