//! `query --messages`: a whole conversation from a file, in our own form or in OpenAI's.
//!
//! Ours is what `chat` saves and the library writes: messages of parts. Everything else is read by the gateway's face of
//! OpenAI's chat completions, which knows bodies of the Responses API and of Anthropic's by their shape too.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::ErrorKind;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Failure, input, place};
use multillm::bounded;
use multillm::chat::{ChatMessage, ChatRequest, Extra, JsonObject, Part, Role, Unsupported};
use multillm::error::Error;
use multillm::service::MultiLlmService;
use multillm_gateway::face::{Asked, Entry, Face};

/// Standard input as a file.
pub(super) const STDIN: &str = "-";
/// Members of a request in our form.
const MEMBERS: [&str; 13] = [
    "model",
    "messages",
    "tools",
    "server_tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "outputs",
    "sampling",
    "reasoning_effort",
    "unsupported",
    "extra",
    "extra_by_wire",
];
/// Those of them that no other form has.
const OURS: [&str; 4] = ["server_tools", "outputs", "sampling", "extra_by_wire"];
/// Types of parts that no other form has.
const PARTS: [&str; 6] = [
    "media",
    "tool_call",
    "reasoning",
    "server_tool_call",
    "server_tool_result",
    "opaque",
];
/// Members of a body whose answers the unified form has under `extra`, and which are passed on as they stand.
const ANSWERED: [&str; 3] = ["n", "logprobs", "top_logprobs"];

/// A conversation and how it is to be asked.
pub(super) struct Script {
    /// The file, as it was named.
    named: String,
    /// The model that the file names.
    pub(super) model: Option<String>,
    form: Form,
}

enum Form {
    Ours(Box<ChatRequest>),
    Wire(Box<Asked>),
}

type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

impl Script {
    /// Reads a file, or standard input.
    pub(super) fn read(path: &str) -> Result<Self, Failure> {
        let named = match path {
            STDIN => "standard input",
            path => path,
        };
        let text = text(path).map_err(|fault| {
            Failure::Usage(format!("cannot read the messages {named}: {fault}"))
        })?;
        Self::of(named, &text)
            .map_err(|fault| Failure::Usage(format!("{named}: the messages: {fault}")))
    }

    fn of(named: &str, text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let whole = match text.starts_with('[') {
            true => Cow::Owned(format!(r#"{{"messages":{text}}}"#)),
            false => Cow::Borrowed(text),
        };
        let members: Members<'_> = serde_json::from_str(&whole)
            .map_err(|error| format!("{error}: write a list of messages, or an object with one"))?;
        let form = match is_ours(&members) {
            true => Form::Ours(Box::new(ours(&members)?)),
            false => Form::Wire(Box::new(of_wire(&whole, &members)?)),
        };
        let model = members.get("model").map(|model| model.get());
        Ok(Script {
            named: named.to_owned(),
            model: model.and_then(|model| serde_json::from_str(model).ok()),
            form,
        })
    }

    /// The request; its messages are in it.
    pub(super) fn request(&self) -> &ChatRequest {
        match &self.form {
            Form::Ours(request) => request,
            Form::Wire(asked) => &asked.request,
        }
    }

    /// Makes a request of this script fit the model that will be asked; tools that a vendor runs are the script's own.
    /// Gives what is left out, a line each.
    ///
    /// # Errors
    ///
    /// `unsupported`, naming what has none, unless the model's configuration says that it is left out.
    pub(super) async fn fit(
        self,
        request: &mut ChatRequest,
        model: &str,
        service: &MultiLlmService,
    ) -> Result<Vec<String>, Failure> {
        let Form::Wire(mut asked) = self.form else {
            return Ok(vec![]);
        };
        let spoken = match service.plugin_of(model).await {
            Ok(plugin) => plugin.info().wires.clone(),
            Err(_) => service.wires(model).await?,
        };
        let shape = asked.shape.wire();
        let own = spoken.iter().any(|wire| wire == shape);
        // A plugin of several wires takes the one that says what is asked.
        let spoken = if own { vec![shape.to_owned()] } else { spoken };
        let wires = || spoken.iter().map(String::as_str);
        let lost = asked.lost(wires()).into_iter();
        let lost: Vec<String> = lost
            .filter(|name| !(own && ANSWERED.contains(name)))
            .map(str::to_owned)
            .collect();
        let drops = request.unsupported.or_else(|| {
            let config = service.config();
            config.model(model).and_then(|model| model.unsupported)
        });
        if !lost.is_empty() && drops != Some(Unsupported::Drop) {
            return Err(Error::new(
                multillm::ErrorKind::Unsupported,
                format!(
                    "{} of {} cannot be said to the model {model:?}, which speaks another wire: leave it out, or ask a model of that wire",
                    lost.join(", "),
                    self.named
                ),
            )
            .into());
        }
        asked.request = std::mem::take(request);
        asked.fit(wires());
        *request = asked.request;
        let tail = std::mem::take(&mut request.extra_by_wire);
        if let Some(tail) = tail.get(shape).filter(|_| own) {
            let given = std::mem::replace(&mut request.extra, tail.clone());
            request.extra.extend(given);
        }
        let why = "the wire of the model has no form for it";
        Ok(lost.iter().map(|name| format!("{name}: {why}")).collect())
    }
}

fn text(path: &str) -> Result<String, String> {
    let data = match path {
        STDIN => {
            input::now_reading("standard input");
            bounded::bytes(std::io::stdin().lock(), input::MAX_TEXT)
        }
        path => {
            input::now_reading(path);
            bounded::file(&place::file(path)?, input::MAX_TEXT)
        }
    };
    input::now_reading("");
    let data = data.map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => format!("it has more than {} MiB", input::MAX_TEXT >> 20),
        _ => error.to_string(),
    })?;
    String::from_utf8(data).map_err(|_| "it is no UTF-8 text".to_owned())
}

/// Whether it can only be meant in our form.
fn is_ours(members: &Members<'_>) -> bool {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        origin: Option<&'a RawValue>,
        #[serde(borrow)]
        extra: Option<&'a RawValue>,
        #[serde(borrow)]
        content: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow, rename = "type")]
        kind: Option<Cow<'a, str>>,
        #[serde(borrow)]
        call_id: Option<&'a RawValue>,
    }
    if OURS.iter().any(|name| members.contains_key(*name)) {
        return true;
    }
    let ours = |part: &&RawValue| {
        let Ok(part) = serde_json::from_str::<Kind<'_>>(part.get()) else {
            return false;
        };
        let kind = part.kind.unwrap_or_default();
        PARTS.contains(&&*kind) || kind == "tool_result" && part.call_id.is_some()
    };
    let messages = members.get("messages");
    messages.is_some_and(|messages| {
        list(messages).unwrap_or_default().iter().any(|message| {
            let Ok(message) = serde_json::from_str::<Message<'_>>(message.get()) else {
                return false;
            };
            let parts = message.content.and_then(|content| list(content).ok());
            message.origin.is_some()
                || message.extra.is_some()
                || parts.unwrap_or_default().iter().any(ours)
        })
    })
}

fn list(value: &RawValue) -> Result<Vec<&RawValue>, String> {
    match value.get().starts_with('[') {
        true => serde_json::from_str(value.get()).map_err(|error| of_json(&error)),
        false => Err("expected a list".to_owned()),
    }
}

/// What is wrong, without a place in a text that nobody sees as such.
fn of_json(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => text,
    }
}

/// A request in our form.
fn ours(members: &Members<'_>) -> Result<ChatRequest, String> {
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&&***name)) {
        let advice = multillm::config::advice(name, MEMBERS, "leave it out");
        return Err(format!(
            "no member {name:?} in a request of this form: {advice}"
        ));
    }
    let rest = members
        .iter()
        .filter(|(name, _)| !matches!(&***name, "messages" | "model"))
        .map(|(name, value)| (name, format!("{:?}:{}", &**name, value.get())));
    let mut written = vec![];
    for (name, member) in rest {
        // Each alone, so that a fault has its name.
        serde_json::from_str::<ChatRequest>(&format!("{{{member}}}"))
            .map_err(|error| format!("{name}: {}", of_json(&error)))?;
        written.push(member);
    }
    let mut request: ChatRequest = serde_json::from_str(&format!("{{{}}}", written.join(",")))
        .map_err(|error| of_json(&error))?;
    let messages = members.get("messages").ok_or("messages: is required")?;
    let messages = list(messages).map_err(|fault| format!("messages: {fault}"))?;
    for (at, one) in messages.into_iter().enumerate() {
        let message = message(one).map_err(|fault| match fault.starts_with('.') {
            true => format!("messages[{at}]{fault}"),
            false => format!("messages[{at}]: {fault}"),
        })?;
        request.messages.push(message);
    }
    Ok(request)
}

/// A message; its content may be a plain text. Of a fault deeper in it the place comes first, with a full stop before it.
fn message(text: &RawValue) -> Result<ChatMessage, String> {
    let members: Members<'_> =
        serde_json::from_str(text.get()).map_err(|_| "expected an object".to_owned())?;
    const MEMBERS: [&str; 4] = ["role", "content", "origin", "extra"];
    if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&&***name)) {
        return Err(format!(
            ".{name}: no such member: role, content, origin and extra are known"
        ));
    }
    fn get<T: serde::de::DeserializeOwned>(
        members: &Members<'_>,
        name: &str,
    ) -> Result<Option<T>, String> {
        let value = members.get(name).filter(|value| value.get() != "null");
        let read = value.map(|value| serde_json::from_str(value.get()));
        read.transpose()
            .map_err(|error| format!(".{name}: {}", of_json(&error)))
    }
    let role: Role = get(&members, "role")?.ok_or(".role: is required")?;
    let content = members.get("content").ok_or(".content: is required")?;
    let parts = match content.get().starts_with('"') {
        true => vec![Part::text(
            get::<String>(&members, "content")?.unwrap_or_default(),
        )],
        false => {
            let parts =
                list(content).map_err(|_| ".content: expected a text or a list of parts")?;
            let parts = parts.into_iter().enumerate().map(|(at, part)| {
                serde_json::from_str(part.get())
                    .map_err(|error| format!(".content[{at}]: {}", of_json(&error)))
            });
            parts.collect::<Result<_, String>>()?
        }
    };
    let mut message = ChatMessage::new(role, parts);
    message.origin = get(&members, "origin")?;
    message.extra = get(&members, "extra")?.unwrap_or_default();
    Ok(message)
}

/// A body in another form.
fn of_wire(whole: &str, members: &Members<'_>) -> Result<Asked, String> {
    let entry = Entry::new(Face::OpenAiChat);
    let mut asked = entry
        .read(whole.as_bytes())
        .map_err(|error| error.message.clone())?;
    // Callers of the gateway get one answer in the form of their wire; here all of it is reached.
    let mut answered = JsonObject::new();
    for name in ANSWERED {
        if let Some(value) = members.get(name)
            && asked.shape == Face::OpenAiChat
            && let Ok(value) = multillm::chat::Json::parse(value.get())
        {
            answered.insert(name, value);
        }
    }
    let tail = Extra::of(asked.shape.wire(), answered);
    asked.request.extra_by_wire.update(tail);
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm::chat::{MediaPart, ToolChoice};

    fn read(text: &str) -> Result<ChatRequest, String> {
        Script::of("f", text).map(|script| script.request().clone())
    }

    #[test]
    fn what_the_library_writes_is_read_to_the_letter() {
        let mut request = ChatRequest::new([
            ChatMessage::system("Be brief."),
            ChatMessage::user("Look").with_media(MediaPart::url("https://example.org/a.png")),
        ]);
        request.sampling.seed = Some(7);
        request.tool_choice = ToolChoice::Named("look".to_owned());
        request.messages[1].origin = Some("gemini".to_owned());
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(read(&text).unwrap(), request);
        let list = serde_json::to_string(&request.messages).unwrap();
        assert_eq!(read(&list).unwrap().messages, request.messages);
    }

    #[test]
    fn openais_form_is_read_with_everything_beside_the_messages() {
        let text = r#"{"model":"gpt-4o","temperature":0.2,"n":2,"messages":[
            {"role":"system","content":"Be brief."},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c","content":"4"},
            {"role":"user","content":[{"type":"text","text":"Hi"}]}],
            "tools":[{"type":"function","function":{"name":"f"}}]}"#;
        let script = Script::of("f", text).unwrap();
        assert_eq!(script.model.as_deref(), Some("gpt-4o"));
        let request = script.request();
        assert_eq!(request.messages.len(), 4);
        assert_eq!(request.sampling.temperature, Some(0.2));
        assert_eq!(request.tools[0].name, "f");
        let own = request.extra_by_wire.get("openai-chat").unwrap();
        assert_eq!(own.to_string(), r#"{"n":2}"#);
        assert_eq!(
            read(r#"[{"role":"user","content":"Hi"}]"#)
                .unwrap()
                .messages
                .len(),
            1
        );
    }

    #[test]
    fn faults_name_the_message_and_the_field() {
        for (text, fault) in [
            ("[{", "EOF while parsing"),
            ("3", "write a list of messages"),
            ("{}", "messages: is required"),
            (r#"{"messages":[]}"#, ""),
            (
                r#"[{"role":"user","content":"a"},{"role":"usr","content":"b"}]"#,
                r#"messages[1].role: expected system, developer, user, assistant or tool, not "usr""#,
            ),
            (
                r#"[{"role":"user","content":[{"type":"image_url"}]}]"#,
                "messages[0].content[0].image_url: is required",
            ),
            (
                r#"[{"role":"user","origin":"x","content":"a"},{"role":"usr","content":"b"}]"#,
                "messages[1].role: unknown variant `usr`",
            ),
            (
                r#"[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"x"},{"type":"media"}]}]"#,
                "messages[1].content[1]: missing field `source`",
            ),
            (
                r#"[{"role":"user","origin":"x"}]"#,
                "messages[0].content: is required",
            ),
            (
                r#"[{"role":"user","origin":"x","content":"a","name":"b"}]"#,
                "messages[0].name: no such member",
            ),
            (
                r#"{"sampling":{"temperature":"hot"},"messages":[]}"#,
                "sampling: invalid type",
            ),
            (
                r#"{"sampling":{},"tols":[],"messages":[]}"#,
                r#"no member "tols" in a request of this form: did you mean "tools"?"#,
            ),
        ] {
            match read(text) {
                Ok(request) => assert_eq!(fault, "", "{text} is {request:?}"),
                Err(told) => assert!(!fault.is_empty() && told.contains(fault), "{text}: {told}"),
            }
        }
    }
}
