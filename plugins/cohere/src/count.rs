//! Counting tokens without asking the model: `POST /v1/tokenize`, which takes a text and no chat. What
//! the vendor puts around each message is not counted, so that the model counts a few more.
//! <https://docs.cohere.com/reference/tokenize>

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{
    BodyPart, ChatRequest, Error, Framing, Media, Method, Part, Request, ResultPart, Target,
};

use crate::encode::headers;

/// The most characters that the vendor takes.
const MOST: usize = 65_536;

/// The request that counts the tokens of this one.
///
/// # Errors
///
/// `unsupported` for media, `invalid-request` for a text that is empty or too long for the vendor.
pub(crate) fn request(target: &Target, request: &ChatRequest) -> Result<Request, Error> {
    let text = text(request)?;
    if text.is_empty() {
        return Err(Error::invalid_request(
            "there is no text whose tokens could be counted: add a message",
        ));
    }
    if text.chars().count() > MOST {
        return Err(Error::unsupported(format!(
            "cohere counts the tokens of {MOST} characters at most: count pieces of the conversation"
        )));
    }
    let body = Json::object([
        ("text", text.into()),
        ("model", target.model.as_str().into()),
    ]);
    Ok(Request {
        method: Method::Post,
        path: vec!["v1".into(), "tokenize".into()],
        query: vec![],
        headers: headers(target)?,
        body: vec![BodyPart::Text(body.to_string())],
        framing: Framing::Whole,
        warnings: vec![],
    })
}

/// All that is text in a request, one thing a line.
fn text(request: &ChatRequest) -> Result<String, Error> {
    let mut lines: Vec<&str> = Vec::new();
    for part in request.messages.iter().flat_map(|message| &message.content) {
        match part {
            Part::Text(text) => lines.push(&text.text),
            Part::Reasoning(thought) => lines.push(&thought.text),
            Part::ToolCall(call) => lines.extend([call.name.as_str(), &call.arguments]),
            Part::ToolResult(result) => {
                for piece in &result.content {
                    match piece {
                        ResultPart::Text(text) => lines.push(text),
                        ResultPart::Opaque(block) => lines.push(&block.data),
                        ResultPart::Media(media) => return Err(uncounted(media)),
                    }
                }
            }
            Part::Media(media) => return Err(uncounted(media)),
            Part::Opaque(block) => lines.push(&block.data),
            Part::ServerToolCall(_) | Part::ServerToolResult(_) => {}
        }
    }
    for tool in &request.tools {
        lines.push(&tool.name);
        lines.extend(tool.description.as_deref());
        lines.push(tool.schema("cohere")?);
    }
    lines.retain(|line| !line.is_empty());
    Ok(lines.join("\n"))
}

fn uncounted(media: &Media) -> Error {
    Error::unsupported(format!(
        "cohere counts the tokens of text alone, and of no {}",
        media.named()
    ))
}

/// The count.
///
/// # Errors
///
/// `malformed-response` if there is none.
pub(crate) fn tokens(body: &str) -> Result<u64, Error> {
    let answer = Json::parse(body).unwrap_or_default();
    match answer.get("tokens") {
        Some(Json::List(tokens)) => Ok(u64::try_from(tokens.len()).unwrap_or(u64::MAX)),
        _ => Err(Error::malformed("the answer has no list of tokens")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm_plugin_sdk::testing::{ask, body, call, says, target};
    use multillm_plugin_sdk::{Blob, ErrorKind, Message, Role, Tool};
    use serde_json::json;

    #[test]
    fn all_text_is_counted() {
        let called = Message::new(Role::Assistant, vec![call("c", "look", r#"{"x":1}"#)]);
        let mut asked = ask(vec![
            says(Role::System, "Be brief."),
            says(Role::User, "hello, world"),
            called,
        ]);
        asked.tools = vec![Tool {
            name: "look".into(),
            ..Tool::default()
        }];
        let request = request(&target("command-r", "{}"), &asked).unwrap();
        assert_eq!(request.path.join("/"), "v1/tokenize");
        assert_eq!(
            body(&request),
            json!({"model": "command-r", "text": "Be brief.\nhello, world\nlook\n{\"x\":1}\nlook\n{\"type\":\"object\",\"properties\":{}}"})
        );
    }

    #[test]
    fn what_is_not_counted_is_refused() {
        let picture = Part::Media(Media::blob(Blob { id: 0, length: 1 }, "image/png"));
        let of = |asked: &ChatRequest| request(&target("command-r", "{}"), asked).unwrap_err();
        let seen = ask(vec![Message::new(Role::User, vec![picture])]);
        assert_eq!(of(&seen).kind, ErrorKind::Unsupported);
        let long = ask(vec![says(Role::User, &"ä".repeat(MOST + 1))]);
        assert_eq!(of(&long).kind, ErrorKind::Unsupported);
        assert_eq!(of(&ask(vec![])).kind, ErrorKind::InvalidRequest);
    }

    #[test]
    fn the_list_is_the_count() {
        assert_eq!(tokens(r#"{"tokens":[1,2,3],"token_strings":[]}"#), Ok(3));
        assert_eq!(tokens(r#"{"tokens":[]}"#), Ok(0));
        for bad in ["", "{}", r#"{"tokens":3}"#] {
            assert_eq!(tokens(bad).unwrap_err().kind, ErrorKind::MalformedResponse);
        }
    }
}
