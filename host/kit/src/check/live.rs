//! Recording answers of a real server, for [`Recording`]s: the plugin describes the questions, the host's client sends
//! them, and what comes back is kept as it came, without the keys.

use multillm::chat::{ChatRequest, ToolChoice};
use multillm::described::{HeaderValue, Response};
use multillm::error::Error;
use multillm::plugin::{PluginError, wire};
use multillm::transport::{
    BaseUrl, Blob, ClientOptions, ExchangeLimits, Host, HttpClient, Secrets, TransportError,
    assemble, text_of,
};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

use super::form::text_of as text_of_request;
use super::recorded::{Recording, Request, Said};
use super::{Bench, Subject, vocabulary};

/// The most bytes of a question.
const MAX_BODY: u64 = 16 << 20;
/// What is sent in the place of a key, to see how it is refused.
const WRONG_KEY: &str = "multillm-record-no-such-key";
/// The name of a model that nobody has.
const NO_MODEL: &str = "multillm-record-no-such-model";

/// Who is asked, and by what.
#[derive(Debug, Clone)]
pub struct Live {
    /// The component, the model and its settings.
    pub subject: Subject,
    /// Where it is.
    pub base_url: String,
    /// The keys, by the plugin's names for them.
    pub secrets: Vec<(String, SecretString)>,
    /// What is asked.
    pub prompt: String,
}

/// Why nothing was recorded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The component cannot be used.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// It does not describe a plain question.
    #[error("{0}")]
    Question(Error),
    /// The server cannot be asked.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An answer holds a key that cannot be taken out.
    #[error(
        "the answer {0:?} repeats a key that cannot be told from words: use a longer key, or record without one"
    )]
    Key(String),
}

impl From<Error> for RecordError {
    fn from(error: Error) -> Self {
        RecordError::Question(error)
    }
}

/// Asks a server what shows how a plugin reads it: a plain question whole and streamed, a question with a tool where the
/// plugin promises tools, a wrong key and an unknown model. What each answer is expected to be read as is what the
/// plugin reads now: for its author to look through.
///
/// # Errors
///
/// A [`RecordError`]; what the plugin refuses to ask is left out.
pub async fn record(live: &Live) -> Result<Vec<Recording>, RecordError> {
    let bench = Bench::of(&live.subject).await?;
    let plain = ChatRequest::new([multillm::ChatMessage::user(&live.prompt)]).max_tokens(64);
    let with_tools = ChatRequest {
        messages: plain.messages.clone(),
        ..vocabulary::tools(ToolChoice::Auto)
    };
    let mut questions = vec![
        Question::new("whole", &plain, false),
        Question::new("stream", &plain, true),
    ];
    if !matches!(bench.promise("tools"), None | Some(wire::Support::No)) {
        questions.push(Question::new("tools", &with_tools, false));
        questions.push(Question::new("tools-stream", &with_tools, true));
    }
    if bench.plugin.info().secrets.iter().any(|one| one.required) {
        questions.push(Question {
            wrong_key: true,
            ..Question::new("wrong-key", &plain, false)
        });
    }
    questions.push(Question {
        no_model: true,
        ..Question::new("unknown-model", &plain, false)
    });
    let client = HttpClient::new(ClientOptions::default());
    let mut recordings = vec![];
    for question in &questions {
        match question.ask(&bench, live, &client).await {
            Ok(recording) => recordings.push(recording),
            // What it cannot ask it need not read; but it must be able to ask.
            Err(RecordError::Question(_)) if question.name != "whole" => {}
            Err(error) => return Err(error),
        }
    }
    Ok(recordings)
}

struct Question<'a> {
    name: &'static str,
    request: &'a ChatRequest,
    stream: bool,
    wrong_key: bool,
    no_model: bool,
}

impl<'a> Question<'a> {
    fn new(name: &'static str, request: &'a ChatRequest, stream: bool) -> Self {
        Question {
            name,
            request,
            stream,
            wrong_key: false,
            no_model: false,
        }
    }

    async fn ask(
        &self,
        bench: &Bench,
        live: &Live,
        client: &HttpClient,
    ) -> Result<Recording, RecordError> {
        let mut target = bench.target.clone();
        if self.no_model {
            NO_MODEL.clone_into(&mut target.model);
        }
        let mut session = bench.plugin.session().await?;
        let described = session.encode(&target, self.request, self.stream).await?;
        let wire::Encoded {
            request: mut described,
            blobs,
            ..
        } = described?;
        let base_url = BaseUrl::parse(&live.base_url)?;
        let secrets = match self.wrong_key {
            false => Secrets::new(live.secrets.clone()),
            true => {
                let wrong = |(name, _): &(String, SecretString)| (name.clone(), WRONG_KEY.into());
                Secrets::new(live.secrets.iter().map(wrong))
            }
        };
        // Whoever gives no key asks a server that needs none.
        for (_, value) in &mut described.headers {
            if let HeaderValue::Secret { optional, .. } = value {
                *optional |= live.secrets.is_empty();
            }
        }
        let numbered = (0..).zip(blobs).map(|(id, bytes)| Blob { id, bytes });
        let blobs: Vec<Blob> = numbered.collect();
        let host = Host {
            base_url: &base_url,
            secrets: &secrets,
            blobs: &blobs,
            max_body: MAX_BODY,
        };
        let method = match described.method {
            multillm::described::Method::Get => "GET",
            multillm::described::Method::Post => "POST",
        };
        let body = text_of_request(&described);
        let prepared = assemble(described, &host)?;
        let path = prepared.path().to_owned();
        let mut response = client.send(prepared, &ExchangeLimits::default()).await?;
        let text = text_of(&response.body.read_to_end().await?);
        let own = Secrets::new(live.secrets.clone());
        let redactor = own.redactor();
        let clean = |text: &str| redactor.clean_json(text).into_owned();
        let mut recording = Recording {
            name: self.name.to_owned(),
            stream: self.stream,
            status: response.status,
            headers: response
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), redactor.clean(value).into_owned()))
                .collect(),
            body: clean(&text),
            request: Some(Request {
                method: method.to_owned(),
                path,
                body: clean(&body),
            }),
            expect: None,
        };
        recording.expect = bench.says(&recording).await;
        let whole = serde_json::to_string(&recording).unwrap_or_default();
        let kept = live.secrets.iter().any(|(_, secret)| {
            let secret = secret.expose_secret().trim();
            !secret.is_empty() && whole.contains(secret)
        });
        match kept {
            true => Err(RecordError::Key(self.name.to_owned())),
            false => Ok(recording),
        }
    }
}

impl Bench {
    /// What the plugin reads of a recording; nothing where it breaks at it.
    async fn says(&self, recording: &Recording) -> Option<Said> {
        if recording.status >= 400 {
            let error = self.refusal(recording).await.ok()?;
            return Some(Said {
                error: Some(error.kind.as_str().to_owned()),
                ..Said::default()
            });
        }
        let read = self.read(recording).await.ok()?;
        Some(read.said())
    }

    /// How the plugin classifies a recorded failure; outside, it broke.
    pub(super) async fn refusal(&self, recording: &Recording) -> Result<Error, String> {
        let mut session = self.plugin.session().await.map_err(|e| e.to_string())?;
        let response = Response {
            status: recording.status,
            headers: recording.headers.clone(),
            body: recording.body.clone(),
        };
        let classified = session.decode_error(&self.target, response).await;
        classified.map_err(|error| error.to_string())
    }
}
