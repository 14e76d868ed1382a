//! A filter that breaks every rule it can, for the tests of the host.
//!
//! The setting `do` says what: `mark` puts its `mark` before the last message and behind the answer, so that the order of
//! a chain shows; the others misbehave, in `prepare` or while the answer comes.

use multillm_plugin_sdk::filter::{
    Answer, Filter, Info, Prepared, Stop, export_filter, refused, texts,
};
use multillm_plugin_sdk::{Blob, ChatEvent, ChatRequest, Media, MediaSource, Part, Usage};
use serde::Deserialize;

/// The filter.
pub struct Unruly;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Settings {
    r#do: String,
    mark: String,
}

impl Filter for Unruly {
    type Answer = Reader;

    fn describe() -> Info {
        let text = r#"{"type":"string"}"#;
        Info::new(
            "unruly",
            "Unruly filter",
            "0.1.0",
            "https://example.org/unruly",
        )
        .setting("do", "what to do", text)
        .setting("mark", "what is written into texts", text)
    }

    fn prepare(settings: &str, mut request: ChatRequest) -> Result<Prepared<Reader>, Stop> {
        let settings: Settings = serde_json::from_str(settings)
            .map_err(|error| Stop::misconfigured(error.to_string()))?;
        match settings.r#do.as_str() {
            "mark" => {
                if let Some(message) = request.messages.last_mut() {
                    texts::each_of(message, &mut |text| {
                        *text = format!("{}{text}", settings.mark)
                    });
                }
            }
            "refuse" => return Err(Stop::refused("no", "\u{1b}[31mnothing\npasses")),
            "misconfigured" => return Err(Stop::misconfigured("nothing suits me")),
            "trap" => runaway("trap"),
            "loop" => runaway("loop"),
            "grow" => runaway("grow"),
            "blob" => {
                let media = Media {
                    source: MediaSource::Blob(Blob { id: 99, length: 1 }),
                    media_type: Some("image/png".to_owned()),
                    name: None,
                    detail: None,
                    cache: None,
                    extra: None,
                };
                for message in &mut request.messages {
                    message.content.push(Part::Media(media.clone()));
                }
            }
            "no-json" => request.extra = Some("{".to_owned()),
            "params" => {
                request.sampling.temperature = Some(0.25);
                request.tools.clear();
            }
            "empty" => request.messages.clear(),
            _ => {}
        }
        let reading = settings.r#do == "mark" || settings.r#do.starts_with("answer-");
        let prepared = Prepared::changed(request);
        Ok(match reading {
            true => prepared.reading(Reader { settings, texts: 0 }),
            false => prepared,
        })
    }
}

/// Reads an answer, in its way.
pub struct Reader {
    settings: Settings,
    texts: usize,
}

impl Answer for Reader {
    fn event(&mut self, event: ChatEvent, said: &mut Vec<ChatEvent>) {
        let is_text = matches!(event, ChatEvent::Text(_));
        self.texts += usize::from(is_text);
        match (self.settings.r#do.as_str(), &event) {
            ("mark", ChatEvent::Finished(_)) => {
                said.push(ChatEvent::Text(self.settings.mark.clone()));
                said.push(event);
            }
            ("answer-trap", _) if self.texts > 1 => runaway("trap"),
            ("answer-loop", _) if self.texts > 1 => runaway("loop"),
            ("answer-grow", _) if self.texts > 1 => runaway("grow"),
            ("answer-refuse", _) if self.texts > 1 => said.push(refused("no", "not that")),
            ("answer-early", _) if is_text => said.push(ChatEvent::Done),
            ("answer-endless", ChatEvent::Done) => {}
            ("answer-many", _) if is_text => {
                let one = ChatEvent::Text("x".to_owned());
                said.extend(std::iter::repeat_n(one, 101_000));
            }
            ("answer-usage", _) if is_text => {
                said.push(ChatEvent::Usage(Usage {
                    prompt_tokens: Some(1_000_000),
                    ..Usage::UNKNOWN
                }));
                said.push(event);
            }
            ("answer-nothing", ChatEvent::Text(_)) => {}
            // Each piece for itself, wherever it was cut.
            ("answer-split", ChatEvent::Text(text)) => {
                said.push(ChatEvent::Text(text.replace("example", "X")));
            }
            _ => said.push(event),
        }
    }
}

#[allow(clippy::panic, reason = "it is what this guest is for")]
fn runaway(how: &str) {
    match how {
        "trap" => panic!("unruly"),
        "loop" => loop {
            std::hint::black_box(());
        },
        _ => {
            let mut all: Vec<Vec<u8>> = vec![];
            loop {
                all.push(vec![1; 1 << 20]);
                std::hint::black_box(&all);
            }
        }
    }
}

export_filter!(Unruly);
