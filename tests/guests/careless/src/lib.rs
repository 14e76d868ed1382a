//! An adapter with one mistake at a time, for the tests of the kit.
//!
//! Without the setting `fault` it is a well-behaved adapter for the OpenAI wire. With it, it makes the mistake of
//! that name: what real authors got wrong.

mod asked;
mod sent;

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::openai::{self, Dialect};
use multillm_plugin_sdk::{
    ChatRequest, ChatResponse, Count, Decoder, Error, ErrorKind, Finish, FinishReason, Frame, Info,
    Mode, Part, Provider, Request, Response, Secret, Setting, Support, Target, Usage,
    export_provider, words,
};

/// The plugin.
pub struct Careless;

/// The mistake that is made.
fn fault(target: &Target) -> String {
    let settings: serde_json::Value = serde_json::from_str(&target.settings).unwrap_or_default();
    let fault = settings.get("fault").and_then(serde_json::Value::as_str);
    fault.unwrap_or_default().to_owned()
}

impl Provider for Careless {
    type Decoder = Reader;

    fn describe() -> Info {
        Info {
            name: "careless".to_owned(),
            title: "Careless guest".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            documentation: "https://example.org/careless".to_owned(),
            default_base_url: Some("https://api.careless.example/v1".to_owned()),
            base_url_env: vec!["CARELESS_BASE_URL".to_owned()],
            secrets: vec![Secret::api_key(&["CARELESS_API_KEY"])],
            settings: vec![Setting::new(
                "fault",
                "the mistake that is made",
                r#"{"type":"string"}"#,
            )],
            capabilities: openai::capabilities(&[(Support::No, &["list-models"])]),
            wires: words(&["careless"]),
            passes: vec![],
        }
    }

    fn encode(target: &Target, request: &ChatRequest, mode: Mode) -> Result<Request, Error> {
        let fault = fault(target);
        let mut request = request.clone();
        asked::forget(&mut request, &fault)?;
        let mode = if fault == "never-streams" {
            Mode::Whole
        } else {
            mode
        };
        let described = openai::encode(&Dialect::default(), target, &request, mode)?;
        Ok(sent::spoil(described, &fault, target))
    }

    fn decode(target: &Target, response: &Response) -> Result<ChatResponse, Error> {
        let fault = fault(target);
        if fault == "breaks-on-unknown" && response.body.contains("kit_unknown") {
            return Err(Error::malformed("an unknown field"));
        }
        if fault == "traps-on-junk" && !response.body.starts_with('{') {
            panic!("this is no object");
        }
        let read = openai::decode(&Dialect::default(), response);
        if fault == "answers-whatever-comes" {
            return Ok(read.unwrap_or_else(|_| empty(&response.body)));
        }
        let mut answer = read?;
        match fault.as_str() {
            "adds-words" => answer.content.push(Part::text(" Always at your service!")),
            "invents-ids" => answer.id = Some("answer-1".to_owned()),
            "counts-itself" => answer.usage.prompt_tokens = Some(4_242_424),
            "loses-content" => answer.content.clear(),
            "zero-for-missing" => {
                answer.usage.prompt_tokens.get_or_insert(0);
                answer.usage.completion_tokens.get_or_insert(0);
            }
            _ => {}
        }
        Ok(answer)
    }

    fn decode_error(target: &Target, response: &Response) -> Error {
        let mut error = openai::decode_error(&Dialect::default(), response);
        match fault(target).as_str() {
            "gives-up-on-429" if response.status == 429 => {
                error.kind = ErrorKind::Other;
                error.retryable = false;
            }
            "repeats-401" if response.status == 401 => error.retryable = true,
            "all-are-the-same" => error.kind = ErrorKind::Server,
            "says-nothing" => error.message = "the request failed".to_owned(),
            _ => {}
        }
        error
    }
}

/// An answer that nobody gave, with nothing counted as zero.
fn empty(body: &str) -> ChatResponse {
    ChatResponse {
        id: None,
        model: None,
        content: vec![Part::text(body)],
        finish: Finish {
            reason: FinishReason::Stop,
            raw: None,
        },
        usage: Usage {
            prompt_tokens: Some(0),
            completion_tokens: Some(0),
            total_tokens: Some(0),
            cached_tokens: None,
            cache_write_tokens: None,
            reasoning_tokens: None,
            details: Vec::<Count>::new(),
            cost: None,
            tier: None,
            unpriced: vec![],
        },
        extra: None,
    }
}

/// Reads the stream, with one mistake.
pub struct Reader {
    stream: openai::Stream,
    fault: String,
    calls: u32,
}

impl Decoder for Reader {
    fn new(target: &Target) -> Self {
        Reader {
            stream: openai::Stream::new(&Dialect::default()),
            fault: fault(target),
            calls: 0,
        }
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        self.calls += 1;
        match self.fault.as_str() {
            "traps-on-junk" if !frame.data.starts_with(['{', '[']) => panic!("this is no object"),
            "ends-with-anything" => {
                let _ = self.stream.frame(frame, events);
                if !frame.data.contains("delta") {
                    events.done();
                }
                Ok(())
            }
            "breaks-on-unknown" if frame.data.contains("kit_unknown") => {
                Err(Error::malformed("an unknown field"))
            }
            "adds-words" if self.calls == 2 => {
                events.text("Certainly! ");
                self.stream.frame(frame, events)
            }
            "ends-with-the-reason" => {
                self.stream.frame(frame, events)?;
                if frame.data.contains("finish_reason\":\"") || self.calls > 3 {
                    events.done();
                }
                Ok(())
            }
            _ => self.stream.frame(frame, events),
        }
    }

    fn end(&mut self, events: &mut Events) -> Result<(), Error> {
        match self.fault.as_str() {
            "ends-with-the-body" => {
                events.done();
                Ok(())
            }
            _ => self.stream.end(events),
        }
    }
}

export_provider!(Careless);
