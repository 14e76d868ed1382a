//! An answer in server-sent events:
//!
//! ```text
//! event: text
//! data: {"text":"Let me look."}
//! event: call
//! data: {"index":0,"id":"c-1","tool":"tide"}
//! event: input
//! data: {"index":0,"part":"{\"at\":"}
//! event: end
//! data: {"id":"h-1","model":"harbor-1","end":"tools","used":{"in":9,"out":4}}
//! ```

use multillm_plugin_sdk::{Decoder, Error, Frame, Target, ToolCallStart, Usage, events};
use serde::Deserialize;

use crate::answer::{Trouble, Used, reason};

/// Reads one stream.
pub struct Events {
    /// A call was begun: an end that only says that it is done is one that waits for tools.
    has_calls: bool,
}

#[derive(Deserialize)]
struct Data {
    text: Option<String>,
    index: Option<u32>,
    id: Option<String>,
    tool: Option<String>,
    part: Option<String>,
    model: Option<String>,
    end: Option<String>,
    used: Option<Used>,
    error: Option<Trouble>,
}

impl Decoder for Events {
    fn new(_target: &Target) -> Self {
        Events { has_calls: false }
    }

    fn frame(&mut self, frame: &Frame, events: &mut events::Events) -> Result<(), Error> {
        let known = ["text", "call", "input", "end", "error"];
        let event = frame.event.as_deref().unwrap_or_default();
        // A new kind of event is nothing to fail for.
        if !known.contains(&event) && !frame.data.trim_start().starts_with('{') {
            return Ok(());
        }
        let data: Data = serde_json::from_str(&frame.data)
            .map_err(|error| Error::malformed(format!("an event cannot be read: {error}")))?;
        if let Some(trouble) = data.error {
            return Err(trouble.into());
        }
        match (event, data.index) {
            ("text", _) => events.text(data.text.unwrap_or_default()),
            ("call", Some(index)) => {
                let Some(name) = data.tool else {
                    return Err(Error::malformed("a call names no tool"));
                };
                self.has_calls = true;
                events.tool_call_start(ToolCallStart {
                    index,
                    id: data.id,
                    name,
                    ..ToolCallStart::default()
                });
            }
            ("input", Some(index)) => {
                events.tool_call_delta(index, data.part.unwrap_or_default());
            }
            ("end", _) => {
                events.started(data.id.as_deref(), data.model.as_deref());
                if let Some(used) = data.used {
                    events.usage(Usage::from(used));
                }
                if let Some(end) = data.end {
                    events.finished(reason(&end, self.has_calls), Some(end));
                    events.done();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, _events: &mut events::Events) -> Result<(), Error> {
        Err(Error::truncated())
    }
}
