//! Text generation: a text is gone on with. There are no turns, no tools and no roles.
//!
//! <https://huggingface.co/docs/text-generation-inference/reference/api_reference>. Streams are read by the decoder
//! of chats, which a stream of this task is told from by its `token`.

use multillm_plugin_sdk::body::json_body;
use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::leaving::Leaving;
use multillm_plugin_sdk::openai::Dialect;
use multillm_plugin_sdk::{
    ChatRequest, ChatResponse, Error, Finish, FinishReason, Framing, Method, Mode, Part, Request,
    ResponseFormat, Usage,
};

/// The request for more text.
///
/// # Errors
///
/// `unsupported` for whatever is no text, and for what only a chat knows.
pub(super) fn encode(
    dialect: &Dialect,
    path: Vec<String>,
    request: &ChatRequest,
    mode: Mode,
) -> Result<Request, Error> {
    let only = |what: &str| {
        Error::unsupported(format!(
            "text generation of huggingface takes no {what}: leave it out, or ask with the setting task: chat"
        ))
    };
    let sampling = &request.sampling;
    let beyond = [
        ("tools", !request.tools.is_empty()),
        (
            "form of the answer",
            request.response_format != ResponseFormat::Text,
        ),
        (
            "outputs but text",
            request.outputs.iter().any(|output| output != "text"),
        ),
    ];
    if let Some((what, _)) = beyond.into_iter().find(|(_, asked)| *asked) {
        return Err(only(what));
    }
    let mut leaving = Leaving::of(request);
    let mut without: Vec<&str> = [
        ("reasoning_effort", request.reasoning_effort.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, asked)| asked.then_some(name))
    .collect();
    without.extend(request.server_tools.iter().map(|tool| tool.name.as_str()));
    let why = "text generation of huggingface takes none";
    leaving.each(&without, why, |names| only(names).message)?;
    let parts = request.messages.iter().flat_map(|message| &message.content);
    let texts = parts.map(|part| match part {
        Part::Text(text) => Ok(text.text.as_str()),
        Part::Reasoning(_) => Ok(""),
        _ => Err(only("parts but text")),
    });
    let texts = texts.collect::<Result<Vec<_>, Error>>()?;
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let inputs = texts.join("\n\n");
    let streams = mode == Mode::Stream;
    let mut parameters = vec![
        ("details".into(), true.into()),
        ("return_full_text".into(), false.into()),
    ];
    let mut set = |name: &'static str, value: Option<Json<'static>>| {
        parameters.extend(value.map(|value| (name.into(), value)));
    };
    set("max_new_tokens", sampling.max_tokens.map(Json::from));
    set("temperature", sampling.temperature.map(Json::from));
    set("top_p", sampling.top_p.map(Json::from));
    set("top_k", sampling.top_k.map(Json::from));
    set("seed", sampling.seed.map(Json::from));
    let stop = sampling.stop.iter().map(|text| text.clone().into());
    let stop = Json::List(stop.collect());
    set("stop", (!sampling.stop.is_empty()).then_some(stop));
    let body = Json::object([
        ("inputs", inputs.into()),
        ("parameters", Json::Object(parameters)),
        ("stream", streams.into()),
    ]);
    Ok(Request {
        method: Method::Post,
        path,
        query: dialect.query.clone(),
        headers: dialect.request_headers(),
        body: json_body(request, |_| Ok(&body))?,
        framing: match mode {
            Mode::Stream => Framing::Sse,
            Mode::Whole => Framing::Whole,
        },
        warnings: leaving.warnings(),
    })
}

/// Reads a text that was generated; nothing if the body is none.
pub(super) fn decode(body: &str) -> Option<ChatResponse> {
    let answer = Json::parse(body).ok()?;
    let answer = answer.list().first().unwrap_or(&answer);
    let text = answer.get("generated_text")?.str()?;
    let details = answer.get("details").unwrap_or(&Json::Null);
    Some(ChatResponse {
        content: vec![Part::text(text)],
        finish: finish(details),
        usage: usage(details),
        extra: (*details != Json::Null).then(|| {
            let told = Json::object([("details", details.clone())]);
            told.to_string()
        }),
        ..ChatResponse::default()
    })
}

/// Reads an event of a stream; false if it is none of this task.
pub(super) fn event(data: &str, events: &mut Events) -> bool {
    if !data.contains("\"token\"") || data.contains("\"choices\"") {
        return false;
    }
    let Ok(event) = Json::parse(data) else {
        return false;
    };
    let Some(token) = event.get("token") else {
        return false;
    };
    if token.get("special").and_then(Json::bool) != Some(true) {
        events.text(token.text("text").unwrap_or_default().to_owned());
    }
    if let Some(details) = event.get("details") {
        let usage = usage(details);
        if !usage.is_unknown() {
            events.usage(usage);
        }
        let end = finish(details);
        events.finished(end.reason, end.raw);
        events.done();
    } else if event.get("generated_text").is_some() {
        events.finished(FinishReason::Stop, None);
        events.done();
    }
    true
}

fn finish(details: &Json<'_>) -> Finish {
    let raw = details.text("finish_reason");
    Finish {
        reason: match raw {
            Some("length") => FinishReason::Length,
            Some("eos_token" | "stop_sequence") | None => FinishReason::Stop,
            Some(_) => FinishReason::Other,
        },
        raw: raw.map(str::to_owned),
    }
}

fn usage(details: &Json<'_>) -> Usage {
    let prefill = details.get("prefill").map_or(0, |list| list.list().len());
    let read = details.get("input_length").and_then(Json::count);
    Usage {
        prompt_tokens: read.or(u64::try_from(prefill).ok().filter(|count| *count > 0)),
        completion_tokens: details.get("generated_tokens").and_then(Json::count),
        ..Usage::UNKNOWN
    }
}

#[cfg(test)]
mod tests {
    use multillm_plugin_sdk::testing::{ask, body, response, says, stream, target};
    use multillm_plugin_sdk::{ChatEvent, ErrorKind, Provider, Role, Tool};

    use crate::HuggingFace;

    use super::*;

    const TASK: &str = r#"{"task":"text-generation"}"#;

    #[test]
    fn the_texts_are_gone_on_with() {
        let mut request = ask(vec![
            says(Role::System, "Be brief."),
            says(Role::User, "Once"),
        ]);
        request.sampling.max_tokens = Some(9);
        request.sampling.stop = vec!["END".to_owned()];
        let made = HuggingFace::encode(&target("org/model", TASK), &request, Mode::Stream).unwrap();
        assert_eq!(made.path, ["models", "org", "model"]);
        assert_eq!(
            body(&made),
            serde_json::json!({"inputs": "Be brief.\n\nOnce", "stream": true, "parameters":
                {"details": true, "return_full_text": false, "max_new_tokens": 9, "stop": ["END"]}})
        );
        request.tools.push(Tool::default());
        let error = HuggingFace::encode(&target("m", TASK), &request, Mode::Whole).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("tools"), "{}", error.message);
    }

    #[test]
    fn what_only_a_chat_knows_is_left_out_where_the_caller_wishes_it() {
        let mut request = ask(vec![says(Role::User, "Once")]);
        request.sampling.presence_penalty = Some(0.5);
        request.reasoning_effort = Some("low".to_owned());
        let encode =
            |request: &ChatRequest| HuggingFace::encode(&target("m", TASK), request, Mode::Whole);
        let error = encode(&request).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("reasoning_effort, presence_penalty"));
        request.drop_unsupported = true;
        let made = encode(&request).unwrap();
        assert_eq!(
            made.warnings,
            [
                "reasoning_effort: text generation of huggingface takes none",
                "presence_penalty: text generation of huggingface takes none",
            ]
        );
        assert!(!body(&made).to_string().contains("penalty"));
        request.tools.push(Tool::default());
        assert_eq!(encode(&request).unwrap_err().kind, ErrorKind::Unsupported);
    }

    #[test]
    fn an_answer_is_read_whole_and_streamed() {
        let target = target("m", TASK);
        let details = r#"{"finish_reason":"length","generated_tokens":2,"input_length":4}"#;
        let whole = format!(r#"[{{"generated_text":"upon a","details":{details}}}]"#);
        let answer = HuggingFace::decode(&target, &response(200, &whole)).unwrap();
        assert_eq!(answer.content, [Part::text("upon a")]);
        assert_eq!(answer.finish.reason, FinishReason::Length);
        assert_eq!(
            (answer.usage.prompt_tokens, answer.usage.completion_tokens),
            (Some(4), Some(2))
        );
        let first = r#"{"token":{"id":1,"text":"upon","special":false},"generated_text":null,"details":null}"#;
        let last = format!(
            r#"{{"token":{{"id":2,"text":" a","special":false}},"generated_text":"upon a","details":{details}}}"#
        );
        type Decoder = <HuggingFace as Provider>::Decoder;
        let (events, end) = stream::<Decoder>(&target, &[first, &last]);
        assert_eq!(end, Ok(()));
        assert_eq!(events.last(), Some(&ChatEvent::Done));
        let streamed = multillm_plugin_sdk::assemble::assemble(events);
        assert_eq!(
            (streamed.content, streamed.finish),
            (answer.content, answer.finish)
        );
        assert_eq!(
            stream::<Decoder>(&target, &[first]).1.unwrap_err().kind,
            ErrorKind::Truncated
        );
    }
}
