//! Adapters and vendors, turn after turn: what an answer holds goes back with the next question, whole and
//! streamed, and the simulator refuses whatever of it was changed.

#[path = "turns/claude.rs"]
mod claude;
#[path = "turns/cohere.rs"]
mod cohere;
#[path = "turns/gemini.rs"]
mod gemini;
#[path = "turns/ollama.rs"]
mod ollama;
#[path = "turns/openai.rs"]
mod openai;

use multillm_plugin_sdk::assemble::assemble;
use multillm_plugin_sdk::testing::stream;
use multillm_plugin_sdk::{
    Blob, BodyPart, ChatRequest, ChatResponse, CountTokens, Embed, EmbedInput, EmbedRequest,
    Header, HeaderValue, Media, MediaSource, Message, Method, Mode, Part, Provider, Request,
    Response, Role, ServerTool, Target, Vectors,
};
use multillm_simulator::{Simulator, Vendor};

use crate::client::{Answer, send, start};

/// A vendor, its adapter, and the bytes that the adapter only knows by number.
pub(crate) struct Side {
    simulator: Simulator,
    vendor: Vendor,
    target: Target,
    blobs: Vec<String>,
}

impl Side {
    pub(crate) async fn of(vendor: Vendor, model: &str, settings: &str) -> Self {
        Side {
            simulator: start().await,
            vendor,
            target: multillm_plugin_sdk::testing::target(model, settings),
            blobs: Vec::new(),
        }
    }

    async fn send(&self, request: Request) -> Answer {
        let base = self.vendor.base_path();
        let mut path = format!("{base}/{}", request.path.join("/"));
        for (index, (name, value)) in request.query.iter().enumerate() {
            path.push_str(&format!(
                "{}{name}={value}",
                if index == 0 { '?' } else { '&' }
            ));
        }
        let key = self.vendor.key();
        let value = |header: &Header| match &header.value {
            HeaderValue::Plain(value) => value.clone(),
            HeaderValue::Secret(secret) => format!("{}{key}", secret.prefix),
        };
        let mut headers: Vec<(&str, String)> = request
            .headers
            .iter()
            .map(|header| (header.name.as_str(), value(header)))
            .collect();
        headers.push(("content-type", "application/json".to_owned()));
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let body: String = request
            .body
            .iter()
            .map(|part| match part {
                BodyPart::Text(text) => text.clone(),
                BodyPart::BlobBase64(id) => self.blobs[*id as usize].clone(),
            })
            .collect();
        let method = match request.method {
            Method::Post => "POST",
            Method::Get => "GET",
        };
        let answer = send(&self.simulator, method, &path, &headers, &body).await;
        assert_eq!(answer.status, 200, "{}\nof {body}", answer.text());
        answer
    }

    /// The answer to a request: the same whole and streamed.
    pub(crate) async fn ask<P: Provider>(&mut self, request: &ChatRequest) -> ChatResponse {
        let whole = P::encode(&self.target, request, Mode::Whole).unwrap();
        let whole = self.send(whole).await;
        let whole = P::decode(&self.target, &response(&whole)).unwrap();
        let streamed = P::encode(&self.target, request, Mode::Stream).unwrap();
        let text = self.send(streamed).await.text();
        let data: Vec<&str> = match self.vendor {
            Vendor::Ollama => text.lines().collect(),
            _ => text
                .lines()
                .filter_map(|line| line.strip_prefix("data:"))
                .collect(),
        };
        let (events, end) = stream::<P::Decoder>(&self.target, &data);
        end.unwrap();
        let streamed = assemble(events);
        assert_eq!(words(&streamed), words(&whole));
        assert_eq!(cited(&streamed), cited(&whole));
        assert_eq!(kinds(&streamed), kinds(&whole));
        assert_eq!(streamed.usage, whole.usage);
        assert_eq!(extra(&streamed), extra(&whole));
        streamed
    }

    /// Asks, and puts question and answer behind what was said.
    pub(crate) async fn go_on<P: Provider>(
        &mut self,
        request: &mut ChatRequest,
        question: &str,
    ) -> ChatResponse {
        let said = Message::new(Role::User, vec![Part::text(question)]);
        request.messages.push(said);
        let answer = self.ask::<P>(request).await;
        let content = answer.content.iter().map(|part| self.kept(part)).collect();
        request
            .messages
            .push(Message::new(Role::Assistant, content));
        answer
    }

    /// A part as the host gives it back: bytes are a number.
    fn kept(&mut self, part: &Part) -> Part {
        let Part::Media(media) = part else {
            return part.clone();
        };
        let MediaSource::Base64(data) = &media.source else {
            return part.clone();
        };
        self.blobs.push(data.clone());
        let id = u32::try_from(self.blobs.len() - 1).unwrap();
        Part::Media(Media {
            source: MediaSource::Blob(Blob { id, length: 1 }),
            ..media.clone()
        })
    }

    /// The tokens of a request.
    pub(crate) async fn count<P: CountTokens>(&self, request: &ChatRequest) -> u64 {
        let encoded = P::encode_count(&self.target, request).unwrap();
        let answer = self.send(encoded).await;
        P::decode_count(&self.target, &response(&answer)).unwrap()
    }

    /// The vectors of texts.
    pub(crate) async fn embed<P: Embed>(&self, texts: &[&str], dimensions: Option<u32>) -> Vectors {
        let request = EmbedRequest {
            inputs: texts
                .iter()
                .map(|text| EmbedInput::Text((*text).to_owned()))
                .collect(),
            dimensions,
            ..EmbedRequest::default()
        };
        let encoded = P::encode_embed(&self.target, &request).unwrap();
        let answer = self.send(encoded).await;
        P::decode_embed(&self.target, &response(&answer)).unwrap()
    }
}

fn response(answer: &Answer) -> Response {
    multillm_plugin_sdk::testing::response(answer.status, &answer.text())
}

/// What it says beyond the contract, in whatever order.
pub(crate) fn extra(answer: &ChatResponse) -> serde_json::Value {
    let extra = answer.extra.as_deref().unwrap_or("null");
    serde_json::from_str(extra).unwrap()
}

/// All text.
pub(crate) fn words(answer: &ChatResponse) -> String {
    let texts = answer.content.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// What is cited, with the words of the answer.
pub(crate) fn cited(answer: &ChatResponse) -> Vec<(Option<String>, String)> {
    let texts = answer.content.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text),
        _ => None,
    });
    texts
        .flat_map(|text| {
            text.citations.iter().map(|one| {
                let start = one.start.unwrap_or(0) as usize;
                let end = one.end.map_or(usize::MAX, |end| end as usize);
                let words = text
                    .text
                    .chars()
                    .skip(start)
                    .take(end.saturating_sub(start));
                (one.title.clone(), words.collect())
            })
        })
        .collect()
}

/// The kinds of parts but texts, which a stream may end otherwise.
pub(crate) fn kinds(answer: &ChatResponse) -> Vec<String> {
    let parts = answer.content.iter().filter_map(|part| match part {
        Part::Text(_) => None,
        Part::Opaque(block) if block.kind == "text" => None,
        Part::Opaque(block) => Some(format!("opaque {}", block.kind)),
        Part::ServerToolCall(call) => Some(format!("call {}", call.name)),
        Part::ServerToolResult(result) => Some(format!("result {}", result.name)),
        Part::Media(media) => Some(format!("media {:?}", media.media_type)),
        Part::ToolCall(call) => Some(format!("tool {}", call.name)),
        Part::Reasoning(_) => Some("thought".to_owned()),
        Part::ToolResult(_) => Some("result".to_owned()),
    });
    parts.collect()
}

/// A tool that the vendor runs.
pub(crate) fn server(name: &str) -> ServerTool {
    ServerTool {
        name: name.to_owned(),
        options: None,
    }
}
