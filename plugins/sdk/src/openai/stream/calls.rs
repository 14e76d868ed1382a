//! The tool calls of an answer as their pieces come.

use super::super::wire::{arguments, index, scalar};
use super::CUSTOM;
use crate::ToolCallStart;
use crate::events::Events;
use crate::json::Json;
use crate::outcome::{MOST_CALLS, may_be_none, tool_arguments};

/// All calls so far. A call's place in the list is its index for the host.
///
/// A call is reported once its name is known, in the order in which the calls began. What has no
/// name in the end is no call.
#[derive(Default)]
pub(super) struct Calls(Vec<Call>);

struct Call {
    key: Key,
    id: String,
    name: String,
    custom: bool,
    /// What the vendor wants back beside the call, as JSON.
    extra: Option<String>,
    started: bool,
    /// Arguments not yet reported.
    held: String,
    /// Some arguments were reported.
    reported: bool,
}

/// By which the server tells calls apart.
#[derive(PartialEq)]
enum Key {
    Index(u32),
    /// The server numbers nothing.
    Unnumbered,
    /// The one call of the legacy form.
    Legacy,
}

impl Calls {
    /// Whether there is a call.
    pub(super) fn any(&self) -> bool {
        self.0.iter().any(|call| !call.name.is_empty())
    }

    /// Whether something came that looked like a call, and was none.
    pub(super) fn any_phantom(&self) -> bool {
        self.0.iter().any(|call| call.name.is_empty())
    }

    /// Whether there are more calls than one answer may have.
    pub(super) fn too_many(&self) -> bool {
        self.0.len() > MOST_CALLS
    }

    /// Reads a call, or more of it. In a `whole` message no two calls are the same.
    pub(super) fn call(&mut self, call: &Json<'_>, whole: bool, events: &mut Events) {
        let id = scalar(call, "id").unwrap_or_default();
        let key = index(call).map_or(Key::Unnumbered, Key::Index);
        let custom = call
            .get("custom")
            .filter(|_| call.get("function").is_none());
        let called = custom
            .or_else(|| call.get("function"))
            .unwrap_or(&Json::Null);
        let at = if whole {
            self.begin(key)
        } else {
            self.find(key, &id, called.text("name").is_some())
        };
        if let Some(known) = self.0.get_mut(at) {
            known.custom |= custom.is_some();
            if known.id.is_empty() {
                known.id = id.into_owned();
            }
            if known.extra.is_none() {
                known.extra = call.get("extra_content").map(Json::to_string);
            }
        }
        match custom.map(|custom| custom.text("input").unwrap_or_default()) {
            Some(input) => self.add(at, called, input, events),
            None => self.add(at, called, &arguments(called), events),
        }
    }

    /// Reads the one call of the legacy form, or more of it. It has no id to wait for.
    pub(super) fn legacy(&mut self, function: &Json<'_>, events: &mut Events) {
        let at = self.find(Key::Legacy, "", false);
        self.add(at, function, &arguments(function), events);
    }

    fn add(&mut self, at: usize, called: &Json<'_>, more: &str, events: &mut Events) {
        if let Some(known) = self.0.get_mut(at) {
            if known.name.is_empty() {
                let name = called.text("name").unwrap_or_default();
                known.name.push_str(name.trim());
            }
            known.held.push_str(more);
        }
        self.report(at, events);
    }

    /// The call that a piece belongs to; a new one if it begins one.
    ///
    /// Some servers give all calls the same number, some give none: then another id on a
    /// named piece tells that another call begins.
    fn find(&mut self, key: Key, id: &str, named: bool) -> usize {
        let begins_another = |call: &Call| {
            named
                && if id.is_empty() {
                    call.key == Key::Unnumbered && !call.name.is_empty()
                } else {
                    !call.id.is_empty() && call.id != id
                }
        };
        let known = match key {
            Key::Unnumbered if !id.is_empty() => self
                .0
                .iter()
                .rposition(|call| call.id == id || (call.id.is_empty() && !named)),
            // A piece that says nothing of its call goes on with the last one.
            Key::Unnumbered if !named => self.0.len().checked_sub(1),
            _ => self.0.iter().rposition(|call| call.key == key),
        };
        if let Some(at) = known
            && self.0.get(at).is_some_and(|call| !begins_another(call))
        {
            return at;
        }
        self.begin(key)
    }

    /// A new call. Beyond what one answer may have there is none.
    fn begin(&mut self, key: Key) -> usize {
        if self.too_many() {
            return self.0.len() - 1;
        }
        self.0.push(Call {
            key,
            id: String::new(),
            name: String::new(),
            custom: false,
            extra: None,
            started: false,
            held: String::new(),
            reported: false,
        });
        self.0.len() - 1
    }

    /// Reports what can be said of a call by now: nothing before it, and all before it, are
    /// known by name.
    fn report(&mut self, at: usize, events: &mut Events) {
        let Some((before, [call, ..])) = self.0.split_at_mut_checked(at) else {
            return;
        };
        if !call.started {
            let known = !call.id.is_empty() || call.key == Key::Legacy;
            if !known || call.name.is_empty() || before.iter().any(|call| call.name.is_empty()) {
                return;
            }
            self.start(at, events);
        }
        let index = index_of(at);
        if let Some(call) = self.0.get_mut(at)
            && (call.reported || call.custom || !may_be_none(&call.held))
            && !call.held.is_empty()
        {
            call.reported = true;
            events.tool_call_delta(index, std::mem::take(&mut call.held));
        }
    }

    /// Reports the beginning of a call, after those of all earlier ones.
    fn start(&mut self, at: usize, events: &mut Events) {
        for earlier in 0..=at {
            let Some((before, [call, ..])) = self.0.split_at_mut_checked(earlier) else {
                return;
            };
            if call.name.is_empty() || std::mem::replace(&mut call.started, true) {
                continue;
            }
            let repeated = before.iter().any(|other| other.id == call.id);
            let signature = if call.custom {
                Some(CUSTOM.to_owned())
            } else {
                call.extra.take()
            };
            events.tool_call_start(ToolCallStart {
                index: index_of(earlier),
                id: Some(call.id.clone()).filter(|id| !id.is_empty() && !repeated),
                name: call.name.clone(),
                signature,
                extra: None,
            });
        }
    }

    /// Reports all that was held back.
    pub(super) fn close(&mut self, events: &mut Events) {
        if let Some(last) = self.0.len().checked_sub(1) {
            self.start(last, events);
        }
        for (at, call) in self
            .0
            .iter_mut()
            .enumerate()
            .filter(|(_, call)| call.started)
        {
            let held = std::mem::take(&mut call.held);
            if call.reported || call.custom {
                events.tool_call_delta(index_of(at), held);
            } else {
                events.tool_call_delta(index_of(at), tool_arguments(&held));
            }
            call.reported = true;
        }
    }
}

fn index_of(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
