//! What is encoded and decoded: a chat of 1 KB, and what the simulator answers to it.

use anyhow::{Result, ensure};
use multillm::chat::{ChatMessage, ChatRequest};
use multillm::plugin::{Plugin, wire};
use multillm::transport::{
    BaseUrl, ExchangeLimits, Frame, Framer, Framing, Host, HttpClient, Secrets, assemble, text_of,
};
use multillm_simulator::{Simulator, Vendor};
use secrecy::SecretString;

/// One vendor's traffic.
pub(crate) struct Sample {
    pub(crate) target: wire::Target,
    pub(crate) request: ChatRequest,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) frames: Vec<Frame>,
}

/// The question's text, of 1 KB.
pub(crate) fn question() -> String {
    "please write 300 words about the sea and the ships on it. ".repeat(17)
}

impl Sample {
    pub(crate) async fn take(
        simulator: &Simulator,
        vendor: Vendor,
        plugin: &Plugin,
        model: &str,
    ) -> Result<Self> {
        let settings = match vendor {
            Vendor::Azure => r#"{"api_version":"2024-10-21"}"#,
            _ => "{}",
        };
        let mut sample = Sample {
            target: wire::Target {
                model: model.to_owned(),
                settings: settings.to_owned(),
                wire: plugin.info().wires.first().cloned().unwrap_or_default(),
            },
            request: ChatRequest::new([
                ChatMessage::system("Be brief."),
                ChatMessage::user(question()),
            ])
            .max_tokens(2000),
            status: 0,
            headers: vec![],
            body: String::new(),
            frames: vec![],
        };
        let base_url = BaseUrl::parse(&simulator.base_url(vendor))?;
        let secret = SecretString::from(vendor.key());
        for stream in [false, true] {
            let mut session = plugin.session().await?;
            let described = session
                .encode(&sample.target, &sample.request, stream)
                .await??
                .request;
            let prepared = assemble(
                described,
                &Host {
                    base_url: &base_url,
                    secrets: &Secrets::new([("api_key".to_owned(), secret.clone())]),
                    blobs: &[],
                    max_body: 1 << 20,
                },
            )?;
            let mut response = HttpClient::default()
                .send(prepared, &ExchangeLimits::default())
                .await?;
            let body = response.body.read_to_end().await?;
            ensure!(
                response.status == 200,
                "{vendor:?}: {} {}",
                response.status,
                text_of(&body)
            );
            if stream {
                let mut framer = Framer::new(match vendor {
                    Vendor::Ollama => Framing::Ndjson,
                    _ => Framing::Sse,
                });
                framer.push(&body, &mut sample.frames)?;
            } else {
                sample.status = response.status;
                sample.headers = response.headers;
                sample.body = text_of(&body);
            }
        }
        ensure!(sample.frames.len() > 100, "{vendor:?}: too short a stream");
        Ok(sample)
    }
}
