//! A conversation as one prompt: instructions and what the user says, and nothing before it.

use std::borrow::Cow;

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::{ChatRequest, Error, Part, Role};

use super::messages::picture;

/// What `/api/generate` takes of a conversation.
#[derive(Default)]
pub(super) struct Said<'a> {
    pub(super) prompt: Cow<'a, str>,
    pub(super) system: Cow<'a, str>,
    pub(super) images: Vec<String>,
}

/// The prompt of a request.
///
/// # Errors
///
/// `unsupported` for answers and tools: there is no conversation.
pub(super) fn of<'a>(request: &'a ChatRequest, blobs: &mut Blobs) -> Result<Said<'a>, Error> {
    if let Some(tool) = request.tools.first() {
        return Err(Error::unsupported(format!(
            "ollama's /api/generate knows no tools: leave out {:?}, or set `api` to \"chat\"",
            tool.name
        )));
    }
    let mut said = Said::default();
    for message in &request.messages {
        let text = match message.role {
            Role::System => &mut said.system,
            Role::User => &mut said.prompt,
            Role::Assistant | Role::Tool => {
                return Err(Error::unsupported(
                    "ollama's /api/generate takes one prompt and no conversation: ask without what was said before, or set `api` to \"chat\"",
                ));
            }
        };
        for part in &message.content {
            match part {
                Part::Text(more) => append(text, &more.text),
                Part::Media(media) if message.role == Role::User => {
                    said.images.push(picture(media, blobs)?);
                }
                _ => {
                    return Err(Error::unsupported(
                        "ollama's /api/generate takes text and pictures alone: leave out the rest",
                    ));
                }
            }
        }
    }
    Ok(said)
}

/// Adds a text, on a paragraph of its own.
fn append<'a>(text: &mut Cow<'a, str>, more: &'a str) {
    if text.is_empty() {
        *text = Cow::Borrowed(more);
    } else if !more.is_empty() {
        let text = text.to_mut();
        text.push_str("\n\n");
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use crate::Ollama;
    use crate::tests::target;
    use multillm_plugin_sdk::testing::{ask, body, call, says};
    use multillm_plugin_sdk::{
        Blob, ChatRequest, Error, ErrorKind, Media, Message, Mode, Part, Provider, Request, Role,
        Tool,
    };
    use serde_json::json;

    fn encoded(settings: &str, asked: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        Ollama::encode(&target(settings), asked, mode)
    }

    #[test]
    fn one_prompt_with_its_template() {
        let picture = Part::Media(Media::blob(Blob { id: 1, length: 1 }, "image/png"));
        let mut asked = ask(vec![
            says(Role::System, "Be brief."),
            Message::new(Role::User, vec![Part::text("a"), picture]),
            says(Role::User, "b"),
        ]);
        asked.sampling.max_tokens = Some(5);
        asked.extra = Some(r#"{"suffix":"z"}"#.into());
        let request = encoded(r#"{"template":"{{ .Prompt }}"}"#, &asked, Mode::Stream).unwrap();
        assert_eq!(request.path, ["api", "generate"]);
        assert_eq!(
            body(&request),
            json!({"model": "qwen3:4b", "prompt": "a\n\nb", "system": "Be brief.", "images": ["<blob 1>"],
                "template": "{{ .Prompt }}", "stream": true, "options": {"num_predict": 5}, "suffix": "z"})
        );
    }

    #[test]
    fn settings_and_what_is_added_choose_the_call() {
        let mut asked = ask(vec![says(Role::User, "def f(")]);
        let call = |settings: &str, asked: &ChatRequest| {
            encoded(settings, asked, Mode::Whole)
                .unwrap()
                .path
                .join("/")
        };
        assert_eq!(call("{}", &asked), "api/chat");
        assert_eq!(call(r#"{"api":"generate"}"#, &asked), "api/generate");
        assert_eq!(call(r#"{"raw":true}"#, &asked), "api/generate");
        asked.extra = Some(r#"{"suffix":"return x"}"#.into());
        assert_eq!(call("{}", &asked), "api/generate");
        assert_eq!(call(r#"{"api":"chat"}"#, &asked), "api/chat");
    }

    #[test]
    fn a_conversation_is_refused() {
        let mut tools = ask(vec![says(Role::User, "a")]);
        tools.tools = vec![Tool::default()];
        let called = Message::new(Role::User, vec![call("c", "f", "{}")]);
        for asked in [
            ask(vec![says(Role::User, "a"), says(Role::Assistant, "b")]),
            ask(vec![called]),
            tools,
        ] {
            let error = encoded(r#"{"api":"generate"}"#, &asked, Mode::Whole).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains("/api/generate"), "{}", error.message);
        }
    }
}
