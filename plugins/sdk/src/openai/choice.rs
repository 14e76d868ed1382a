//! Which of its two APIs a server is asked by: chat completions, or Responses.

use super::dialect::Dialect;
use crate::body::tail;
use crate::json::Json;
use crate::media::Kind;
use crate::{ChatRequest, Error, Part, ResultPart, Target};

/// The chat completions API.
pub(super) const CHAT: &str = "openai-chat";
/// The Responses API.
pub(super) const RESPONSES: &str = "openai-responses";

/// What the configuration says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// The wire that the host means; besides, Responses for models that speak nothing else. What only chat
    /// completions can say goes there.
    Auto,
    /// Chat completions.
    Chat,
    /// Responses.
    Responses,
}

/// The words of the setting `api` for them.
pub const APIS: [(&str, Api); 3] = [
    ("auto", Api::Auto),
    ("chat", Api::Chat),
    ("responses", Api::Responses),
];

/// Parameters of chat completions that Responses does not know, or says otherwise.
const CHATS_OWN: [&str; 19] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "modalities",
    "n",
    "prediction",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "verbosity",
    "web_search_options",
];

/// Whether the model and the server leave the choice to Responses. What is asked may still decide otherwise.
pub(super) fn prefers_responses(dialect: &Dialect, target: &Target) -> bool {
    match dialect.api {
        _ if dialect.responses.is_none() => false,
        Api::Chat => false,
        Api::Responses => true,
        Api::Auto if speaks_chat_alone(&target.model) => false,
        Api::Auto => target.wire == RESPONSES || speaks_responses_alone(&target.model),
    }
}

/// Whether a request goes to Responses.
///
/// # Errors
///
/// `invalid-request` if its extra parameters are no JSON object.
pub(super) fn by_responses(
    dialect: &Dialect,
    target: &Target,
    request: &ChatRequest,
) -> Result<bool, Error> {
    let free = dialect.api == Api::Auto && !speaks_responses_alone(&target.model);
    Ok(prefers_responses(dialect, target) && !(free && is_chats_alone(request)?))
}

/// Whether only chat completions can say what is asked for.
fn is_chats_alone(request: &ChatRequest) -> Result<bool, Error> {
    let sampling = &request.sampling;
    let sampled = !sampling.stop.is_empty()
        || sampling.seed.is_some()
        || sampling.frequency_penalty.is_some()
        || sampling.presence_penalty.is_some();
    let spoken = request.outputs.iter().any(|output| output == "audio");
    let heard = request.messages.iter().any(|message| {
        message.content.iter().any(|part| match part {
            Part::Media(media) => media.kind() == Kind::Audio,
            Part::ToolResult(result) => result.content.iter().any(
                |piece| matches!(piece, ResultPart::Media(media) if media.kind() == Kind::Audio),
            ),
            _ => false,
        })
    });
    if sampled || spoken || heard {
        return Ok(true);
    }
    let extra = tail("the request", request.extra.as_deref())?.unwrap_or_default();
    let nested = |tool: &Json<'_>| {
        let kind = tool.text("type").unwrap_or_default();
        ["function", "custom"].contains(&kind) && tool.get(kind).is_some()
    };
    Ok(CHATS_OWN.iter().any(|name| extra.get(name).is_some())
        || extra
            .get("tools")
            .map_or(&[][..], Json::list)
            .iter()
            .any(nested)
        || extra.get("tool_choice").is_some_and(nested))
}

/// Models of OpenAI's that chat completions do not have, by their names. A name with a maker before it, such as
/// `openai/gpt-5-pro`, is that of a server which speaks for many, and by chat.
fn speaks_responses_alone(model: &str) -> bool {
    let name = model.to_ascii_lowercase();
    let name = name.strip_prefix("ft:").unwrap_or(&name);
    let begins = |with: &str| name.starts_with(with);
    let reasons = begins("gpt-5") || begins("o1") || begins("o3") || begins("o4");
    let special = ["-pro", "-codex", "-deep-research"];
    !name.contains('/')
        && (begins("codex-")
            || begins("computer-use-")
            || (reasons && special.iter().any(|word| name.contains(word))))
}

/// Models of OpenAI's that Responses does not have.
fn speaks_chat_alone(model: &str) -> bool {
    let name = model.to_ascii_lowercase();
    ["-audio", "-search-preview", "-search-api", "-realtime"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::super::dialect::Place;
    use super::*;
    use crate::testing::{ask, target};
    use crate::{Media, MediaSource, Message, Role};

    fn asked(api: Api, model: &str, wire: &str, request: &ChatRequest) -> bool {
        let dialect = Dialect {
            api,
            responses: Some(Place::new("responses")),
            ..Dialect::default()
        };
        let target = Target {
            wire: wire.to_owned(),
            ..target(model, "{}")
        };
        by_responses(&dialect, &target, request).unwrap()
    }

    #[test]
    fn the_setting_then_the_wire_then_the_model_decide() {
        let plain = ask(vec![]);
        for (api, model, wire, responses) in [
            (Api::Auto, "gpt-4o", RESPONSES, true),
            (Api::Auto, "gpt-4o", CHAT, false),
            (Api::Auto, "gpt-4o", "", false),
            (Api::Auto, "o3-pro", CHAT, true),
            (Api::Auto, "gpt-5.1-codex-mini", CHAT, true),
            (Api::Auto, "o4-mini-deep-research", CHAT, true),
            (Api::Auto, "openai/gpt-5-pro", CHAT, false),
            (Api::Auto, "gpt-4o-search-preview", RESPONSES, false),
            (Api::Auto, "gpt-4o-audio-preview", RESPONSES, false),
            (Api::Chat, "o3-pro", RESPONSES, false),
            (Api::Responses, "m", CHAT, true),
        ] {
            assert_eq!(
                asked(api, model, wire, &plain),
                responses,
                "{api:?} {model} {wire}"
            );
        }
        let none = Dialect::default();
        let own = Target {
            wire: RESPONSES.to_owned(),
            ..target("o3-pro", "{}")
        };
        assert_eq!(by_responses(&none, &own, &plain), Ok(false));
    }

    #[test]
    fn what_only_chat_can_say_goes_there_unless_the_setting_forbids() {
        let sound = Media::from_source(
            MediaSource::Url("https://example.org/a".to_owned()),
            Some("audio/wav".to_owned()),
        );
        let mut seeded = ask(vec![]);
        seeded.sampling.seed = Some(1);
        let heard = ask(vec![Message::new(Role::User, vec![Part::Media(sound)])]);
        let spoken = ChatRequest {
            outputs: vec!["audio".to_owned()],
            ..ask(vec![])
        };
        let extra = |text: &str| ChatRequest {
            extra: Some(text.to_owned()),
            ..ask(vec![])
        };
        for request in [
            seeded,
            heard,
            spoken,
            extra(r#"{"n":2}"#),
            extra(r#"{"tools":[{"type":"function","function":{"name":"f"}}]}"#),
        ] {
            assert!(
                !asked(Api::Auto, "gpt-4o", RESPONSES, &request),
                "{request:?}"
            );
            assert!(asked(Api::Responses, "gpt-4o", RESPONSES, &request));
        }
        for both in [
            r#"{"service_tier":"flex","metadata":{}}"#,
            r#"{"tools":[{"type":"web_search"}],"n":null}"#,
            r#"{"tool_choice":{"type":"function","name":"f"}}"#,
        ] {
            assert!(
                asked(Api::Auto, "gpt-4o", RESPONSES, &extra(both)),
                "{both}"
            );
        }
    }
}
