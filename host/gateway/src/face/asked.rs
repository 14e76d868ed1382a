//! What a body asks, and what has to be remembered of it for the answer.

use multillm::Result;
use multillm::chat::{ChatMessage, ChatRequest, ChatResponse, JsonObject, Role};

use super::body::Object;
use super::tails;
use super::{Entry, Face, Renderer, Stamp};
use super::{anthropic, cohere, gemini, ollama, openai_chat, responses};

/// What a body asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The wire that the body is in. Where it is not the entry's, the body cannot be relayed: the answer must be in
    /// the entry's form.
    pub shape: Face,
    /// The model, as the caller names it; absent where the caller leaves it to us.
    pub model: Option<String>,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// The request, in the unified form; what has none of it stands in open tails of [`Asked::shape`]'s wire.
    pub request: ChatRequest,
    /// See [`Asked::lost`].
    pub(super) unmet: Vec<Unmet>,
    /// What the answer's form depends on.
    pub(super) form: Form,
}

/// Whether models speak the caller's wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    Never,
    Sometimes,
    Always,
}

/// Something that means something and has no unified form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unmet {
    /// The member, such as `messages[2].content[0]`.
    place: String,
    /// Not even the same wire says it by way of the unified form: the answer to it would be lost.
    anywhere: bool,
}

/// What has no unified form, as it is found.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Unmet>);

impl Notes {
    /// Only a model of the caller's wire can be told this.
    pub(super) fn own(&mut self, place: impl Into<String>) {
        self.add(place.into(), false);
    }

    /// Only a relay can tell this.
    pub(super) fn relayed(&mut self, place: impl Into<String>) {
        self.add(place.into(), true);
    }

    fn add(&mut self, place: String, anywhere: bool) {
        if self.0.iter().all(|unmet| unmet.place != place) {
            self.0.push(Unmet { place, anywhere });
        }
    }

    /// What was noted.
    pub(super) fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|unmet| unmet.place.as_str())
    }

    /// Notes whatever of an object nobody read and is no hint.
    pub(super) fn unread(&mut self, object: &Object<'_>, hints: &[&str], place: &str) {
        for name in object.unread().filter(|name| !hints.contains(name)) {
            self.own(match place {
                "" => name.to_owned(),
                place => format!("{place}.{name}"),
            });
        }
    }
}

impl From<Notes> for Vec<Unmet> {
    fn from(notes: Notes) -> Self {
        notes.0
    }
}

/// What the answer's form depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    /// The entry.
    pub(super) face: Face,
    /// The usage is asked for in a stream.
    pub(super) usage: bool,
    /// Functions are called in the old way of OpenAI's.
    pub(super) functions: bool,
    /// Tools that take free text.
    pub(super) free_text: Vec<String>,
    /// Functions that stand in a namespace, by their names: calls of them say which one.
    pub(super) namespaces: Vec<(String, String)>,
    /// Members that the answer says again.
    pub(super) echo: JsonObject,
}

impl Form {
    pub(super) fn new(face: Face) -> Self {
        Form {
            face,
            usage: false,
            functions: false,
            free_text: vec![],
            namespaces: vec![],
            echo: JsonObject::new(),
        }
    }
}

impl Asked {
    /// The members of the body that would be lost if models of these wires were asked: they mean something, and have
    /// no unified form. Hints are not among them.
    #[must_use]
    pub fn lost<'a>(&self, wires: impl Iterator<Item = &'a str>) -> Vec<&str> {
        let spoken = self.spoken(wires);
        self.unmet
            .iter()
            .filter(|unmet| unmet.anywhere || spoken != Spoken::Always)
            .map(|unmet| unmet.place.as_str())
            .collect()
    }

    /// Makes the request fit models of these wires: of tools that a vendor runs, the options of the caller's wire
    /// go to no other (they are among what [`Asked::lost`] names), and where none of the models speaks the caller's
    /// wire nothing that belongs to it is kept.
    pub fn fit<'a>(&mut self, wires: impl Iterator<Item = &'a str>) {
        let spoken = self.spoken(wires);
        if spoken != Spoken::Always {
            for tool in &mut self.request.server_tools {
                tool.options = None;
            }
        }
        if spoken == Spoken::Never {
            tails::forget(&mut self.request);
        }
    }

    /// How many of the wires are the caller's. A plugin of the first contract names none.
    fn spoken<'a>(&self, wires: impl Iterator<Item = &'a str>) -> Spoken {
        let own = self.shape.wire();
        let (same, other): (Vec<&str>, Vec<&str>) = wires.partition(|wire| *wire == own);
        match (same.is_empty(), other.is_empty()) {
            (true, _) => Spoken::Never,
            (false, false) => Spoken::Sometimes,
            (false, true) => Spoken::Always,
        }
    }

    /// Whether this is a request of Ollama's that asks nothing: [`Reply::loaded`] answers it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let ollamas = matches!(self.shape, Face::OllamaChat | Face::OllamaGenerate);
        let asked = |message: &ChatMessage| message.role != Role::System;
        ollamas && !self.request.messages.iter().any(asked)
    }

    /// How the answer is to be written. `model` is what it says of who answers.
    #[must_use]
    pub fn reply(&self, model: impl Into<String>, stamp: Stamp) -> Reply {
        Reply {
            form: self.form.clone(),
            model: model.into(),
            stamp,
        }
    }
}

/// How an answer is to be written.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) form: Form,
    /// The model, as the caller shall read it.
    pub(super) model: String,
    pub(super) stamp: Stamp,
}

impl Reply {
    /// The body of a whole answer.
    #[must_use]
    pub fn whole(&self, answer: &ChatResponse) -> Vec<u8> {
        match self.form.face {
            Face::OpenAiResponses => responses::whole(self, answer),
            Face::OllamaChat | Face::OllamaGenerate => ollama::whole(self, answer),
            Face::AnthropicMessages => anthropic::whole(self, answer),
            Face::OpenAiChat => openai_chat::whole(self, answer),
            Face::Gemini => gemini::whole(self, answer),
            Face::CohereChat => cohere::whole(self, answer),
        }
    }

    /// The answer to a request of Ollama's that asks nothing, by which its clients have a model loaded.
    #[must_use]
    pub fn loaded(&self) -> Vec<u8> {
        ollama::loaded(self)
    }

    /// The pieces of a streamed answer.
    #[must_use]
    pub fn stream(self) -> Box<dyn Renderer> {
        match self.form.face {
            Face::OpenAiResponses => Box::new(responses::Stream::new(self)),
            Face::OllamaChat | Face::OllamaGenerate => Box::new(ollama::Stream::new(self)),
            Face::AnthropicMessages => Box::new(anthropic::Stream::new(self)),
            Face::OpenAiChat => Box::new(openai_chat::Stream::new(self)),
            Face::Gemini => Box::new(gemini::Stream::new(self)),
            Face::CohereChat => Box::new(cohere::Stream::new(self)),
        }
    }
}

/// Reads a body that came in at an entry.
pub(super) fn read(entry: &Entry, body: &[u8]) -> Result<Asked> {
    let head = entry.head(body)?;
    let text = std::str::from_utf8(body).map_err(|_| {
        multillm::Error::new(
            multillm::ErrorKind::InvalidRequest,
            "the body is no UTF-8 text: send JSON in UTF-8",
        )
    })?;
    let mut object = Object::parse(text)?;
    if matches!(entry.face, Face::OllamaChat | Face::OllamaGenerate) {
        object = object.lower();
    }
    object.forget("model");
    let mut asked = match head.shape {
        Face::OpenAiChat => openai_chat::read(&object),
        Face::OpenAiResponses => responses::read(&object),
        Face::OllamaChat => ollama::read_chat(&object),
        Face::OllamaGenerate => ollama::read_prompt(&object),
        Face::AnthropicMessages => anthropic::read(&object),
        Face::Gemini => gemini::read(object),
        Face::CohereChat => cohere::read(&object),
    }?;
    asked.form.face = entry.face;
    asked.model = head.model;
    asked.stream = head.stream;
    Ok(asked)
}
