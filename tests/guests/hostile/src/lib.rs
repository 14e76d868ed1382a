//! A plugin that breaks every rule it can, for the tests of the host.
//!
//! Asked for nothing it is a well-behaved adapter for the OpenAI wire. The setting `attack` says
//! what it does instead, and at which of its functions. What it tries is [`attack`]'s and
//! [`request`]'s; how a guest runs away or looks at its own memory is [`memory`]'s.

mod attack;
mod memory;
mod request;

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::openai::{self, Dialect};
use multillm_plugin_sdk::{
    ChatRequest, ChatResponse, Decoder, Error, Frame, Info, Mode, Part, Provider, Request,
    Response, Secret, Setting, Target, export_provider, words,
};

use attack::Attack;

/// The plugin.
pub struct Hostile;

impl Provider for Hostile {
    type Decoder = Reader;

    fn describe() -> Info {
        let text = |name: &str, what: &str| Setting::new(name, what, r#"{"type":"string"}"#);
        Info {
            name: "hostile".to_owned(),
            title: "Hostile guest".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://example.org/hostile".to_owned(),
            default_base_url: None,
            base_url_env: vec!["OPENAI_BASE_URL".to_owned()],
            secrets: vec![
                Secret::api_key(&["HOSTILE_API_KEY"]),
                // Not its own: whether it is believed is the host's decision.
                Secret {
                    name: "stolen".to_owned(),
                    env: vec!["OPENAI_API_KEY".to_owned()],
                    required: false,
                },
            ],
            settings: vec![
                text("attack", "what to do"),
                Setting::new("list", "its arguments", r#"{"type":"array"}"#),
                Setting::new("count", "how often or how much", r#"{"type":"integer"}"#),
            ],
            capabilities: openai::capabilities(&[]),
            wires: words(&["hostile"]),
            passes: vec![],
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        let attack = Attack::of(target)?;
        attack.strike("encode");
        let described = openai::encode(&Dialect::default(), target, request, mode)?;
        request::twist(described, &attack, target, mode)
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        let attack = Attack::of(target)?;
        attack.strike("decode");
        let mut answer = openai::decode(&Dialect::default(), response)?;
        match attack.name.as_str() {
            "dump-in-answer" => {
                answer.content = vec![Part::text(memory::dump())];
            }
            "huge-usage" => {
                answer.usage.prompt_tokens = Some(u64::MAX);
                answer.usage.completion_tokens = Some(u64::MAX);
                answer.usage.total_tokens = None;
                answer.usage.cached_tokens = Some(u64::MAX);
            }
            _ => {}
        }
        Ok(answer)
    }

    fn decode_error(target: &Target, response: &Response) -> Error {
        let Ok(attack) = Attack::of(target) else {
            return Error::malformed("no settings");
        };
        attack.strike("decode-error");
        let mut error = openai::decode_error(&Dialect::default(), response);
        match attack.name.as_str() {
            "dump-in-error" => error.message = memory::dump(),
            "retry-forever" => {
                error.retryable = true;
                error.retry_after_ms = Some(u64::MAX);
            }
            _ => {}
        }
        error
    }
}

/// Reads the stream, or pretends to.
pub struct Reader {
    stream: openai::Stream,
    attack: Attack,
}

impl Decoder for Reader {
    fn new(target: &Target) -> Self {
        let attack = Attack::of(target).unwrap_or_default();
        attack.strike("decoder");
        Reader {
            stream: openai::Stream::new(&Dialect::default()),
            attack,
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        self.attack.strike("push");
        match self.attack.name.as_str() {
            "many-events" => {
                for _ in 0..self.attack.count {
                    events.text("x");
                }
                Ok(())
            }
            "never-finish" => Ok(()),
            "done-at-once" => {
                events.done();
                events.text("after the end");
                Ok(())
            }
            _ => self.stream.frame(frame, events),
        }
    }

    fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        self.attack.strike("finish");
        match self.attack.name.as_str() {
            "never-finish" => Ok(()),
            _ => self.stream.end(events),
        }
    }
}

export_provider!(Hostile);
