//! Events and lines, as they are cut.

use serde_json::Value;

use crate::Fault;

/// A server-sent event.
#[derive(Debug)]
pub(crate) struct Event {
    /// Its name; empty if it has none.
    pub(crate) name: String,
    /// What it says.
    pub(crate) data: String,
}

impl Event {
    /// The JSON of it.
    pub(crate) fn json(&self) -> Result<Value, Fault> {
        serde_json::from_str(&self.data).map_err(|error| format!("{error} in {}", self.data))
    }
}

/// The events of a body. Comments are passed over; anything else that is neither a name nor data is a fault.
pub(crate) fn events(body: &[u8]) -> Result<Vec<Event>, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with("\n\n") {
        return Err("the last event is not ended".to_owned());
    }
    let mut events = vec![];
    for block in text.split("\n\n").filter(|block| !block.is_empty()) {
        let mut event = Event {
            name: String::new(),
            data: String::new(),
        };
        for line in block.split('\n') {
            if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut event.name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                if !event.data.is_empty() {
                    return Err(format!("two lines of data in {block}"));
                }
                data.clone_into(&mut event.data);
            } else if !line.starts_with(':') {
                return Err(format!("neither a name nor data: {line:?}"));
            }
        }
        match (event.data.is_empty(), event.name.is_empty()) {
            (true, false) => return Err(format!("an event without data: {block}")),
            (true, true) => {}
            (false, _) => events.push(event),
        }
    }
    Ok(events)
}

/// The lines of a body, each of which is JSON.
pub(crate) fn lines(body: &[u8]) -> Result<Vec<Value>, Fault> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with('\n') {
        return Err("the last line is not ended".to_owned());
    }
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{error} in {line:?}")));
    lines.collect()
}
