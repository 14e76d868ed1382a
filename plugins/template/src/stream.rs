//! An answer that comes line by line:
//!
//! ```json
//! {"id":"t-1","model":"parley-2"}
//! {"say":"Good "}
//! {"say":"evening."}
//! {"ended":"done","tokens":{"heard":7,"said":3}}
//! ```

use multillm_plugin_sdk::events::Events;
use multillm_plugin_sdk::{Decoder, Error, Frame, Target, Usage};

use crate::wire::{Answer, finish_reason};

/// Reads one stream. What a line needs to know of those before it would be kept here.
pub struct Lines;

impl Decoder for Lines {
    fn new(_target: &Target) -> Self {
        Lines
    }

    fn frame(&mut self, frame: &Frame, events: &mut Events) -> Result<(), Error> {
        // The host has cut the lines already; a frame is one whole line, however the
        // bytes came.
        let line: Answer<'_> = serde_json::from_str(&frame.data)
            .map_err(|error| Error::malformed(format!("a line cannot be read: {error}")))?;
        if let Some(problem) = line.problem {
            return Err(problem.into_error());
        }
        events.started(line.id.as_deref(), line.model.as_deref());
        if let Some(say) = line.say {
            events.text(say);
        }
        if let Some(tokens) = line.tokens {
            events.usage(Usage::from(tokens));
        }
        if let Some(ended) = line.ended {
            events.finished(finish_reason(&ended), Some(ended));
            // Parley's end marker. `done` is said exactly when the vendor said so.
            events.done();
        }
        Ok(())
    }

    fn end(&mut self, _events: &mut Events) -> Result<(), Error> {
        // Called only if `done` was not: the connection was cut, and a cut answer is an
        // error although all of its text was fine so far.
        Err(Error::truncated())
    }
}
