//! The items of an answer: texts, thoughts, calls, and what the vendor's own tools did.
//!
//! A stream tells an item by pieces and in the end as a whole; an answer that came whole is its items alone. What
//! was told by pieces is not told again.

use super::super::stream::CUSTOM;
use super::super::wire::{Member, beside, object, owned};
use super::{citation, ran};
use crate::events::Events;
use crate::json::Json;
use crate::outcome::{MOST_CALLS, may_be_none, too_many_calls, tool_arguments};
use crate::{Error, Opaque, ToolCallStart};

/// What was told of an answer's items.
#[derive(Default)]
pub(super) struct Items {
    open: Vec<Item>,
    calls: u32,
}

/// An item under way or over.
struct Item {
    index: u64,
    done: bool,
    /// Pieces of a message, or of thoughts, by their number.
    pieces: Vec<Piece>,
    call: Option<Call>,
    /// What of the message belongs to each of its texts.
    around: Vec<Member<'static>>,
    /// Thoughts were told, and which: their summary, or they themselves.
    thoughts: Option<&'static str>,
}

/// A text of a message, or a part of thoughts.
#[derive(Default)]
struct Piece {
    number: u64,
    told: String,
    citations: usize,
    /// Beyond the unified form.
    tail: Vec<Member<'static>>,
    closed: bool,
}

/// A call of a tool of the caller's.
struct Call {
    index: u32,
    custom: bool,
    /// Bytes of arguments that came.
    came: usize,
    /// Those that were not told yet.
    held: String,
    told: bool,
}

impl Items {
    fn at(&mut self, index: u64) -> &mut Item {
        let known = self.open.iter().position(|item| item.index == index);
        let at = known.unwrap_or_else(|| {
            self.open.push(Item {
                index,
                done: false,
                pieces: Vec::new(),
                call: None,
                around: Vec::new(),
                thoughts: None,
            });
            self.open.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "it was just found or pushed")]
        &mut self.open[at]
    }

    /// An item begins.
    pub(super) fn begin(
        &mut self,
        index: u64,
        item: &Json<'_>,
        events: &mut Events,
    ) -> Result<(), Error> {
        match item.text("type").unwrap_or_default() {
            "function_call" | "custom_tool_call" => self.call(index, item, events),
            "message" => {
                self.at(index).around = around(item, &["id", "phase"]);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A call begins, if its name is known.
    fn call(&mut self, index: u64, item: &Json<'_>, events: &mut Events) -> Result<(), Error> {
        let calls = self.calls;
        let open = self.at(index);
        let Some(name) = item.text("name").filter(|_| open.call.is_none()) else {
            return Ok(());
        };
        if calls as usize >= MOST_CALLS {
            return Err(too_many_calls());
        }
        let custom = item.text("type") == Some("custom_tool_call");
        let said = ["type", "call_id", "name", "arguments", "input", "status"];
        open.call = Some(Call {
            index: calls,
            custom,
            came: 0,
            held: String::new(),
            told: false,
        });
        self.calls += 1;
        events.tool_call_start(ToolCallStart {
            index: calls,
            id: item.text("call_id").or(item.text("id")).map(str::to_owned),
            name: name.to_owned(),
            signature: custom.then(|| CUSTOM.to_owned()),
            extra: object(beside(item, &said)),
        });
        Ok(())
    }

    /// More of a call's arguments.
    pub(super) fn arguments(&mut self, index: u64, more: &str, events: &mut Events) {
        if let Some(call) = &mut self.at(index).call {
            call.more(more, events);
        }
    }

    /// More of a text of a message.
    pub(super) fn text(&mut self, index: u64, number: u64, more: &str, events: &mut Events) {
        if more.is_empty() {
            return;
        }
        let item = self.at(index);
        item.turn_to(number, events);
        let piece = item.piece(number);
        piece.told.push_str(more);
        events.text(more);
    }

    /// What the text rests on.
    pub(super) fn annotation(
        &mut self,
        index: u64,
        number: u64,
        annotation: &Json<'_>,
        events: &mut Events,
    ) {
        let piece = self.at(index).piece(number);
        if !piece.closed {
            piece.citations += 1;
            events.citation(citation::read(annotation));
        }
    }

    /// A piece of a message is over.
    pub(super) fn piece(&mut self, index: u64, number: u64, piece: &Json<'_>, events: &mut Events) {
        self.at(index).reconcile(number, piece, events);
    }

    /// More thoughts: of their summary, or of themselves where there is no summary.
    pub(super) fn thought(
        &mut self,
        index: u64,
        number: u64,
        what: &'static str,
        more: &str,
        events: &mut Events,
    ) {
        let item = self.at(index);
        if more.is_empty() || *item.thoughts.get_or_insert(what) != what {
            return;
        }
        let begins = item.piece(number).told.is_empty();
        if begins && item.pieces.iter().any(|piece| piece.number != number) {
            events.reasoning("\n\n");
        }
        item.piece(number).told.push_str(more);
        events.reasoning(more);
    }

    /// An item as a whole.
    pub(super) fn done(
        &mut self,
        index: u64,
        item: &Json<'_>,
        events: &mut Events,
    ) -> Result<(), Error> {
        if std::mem::replace(&mut self.at(index).done, true) {
            return Ok(());
        }
        match item.text("type").unwrap_or_default() {
            "message" => self.at(index).message(item, events),
            "reasoning" => self.at(index).reasoning(item, events),
            "function_call" | "custom_tool_call" => {
                self.call(index, item, events)?;
                if let Some(call) = &mut self.at(index).call {
                    let said = item.text("arguments").or(item.text("input"));
                    let said = said.unwrap_or_default();
                    call.more(said.get(call.came..).unwrap_or_default(), events);
                    call.end(events);
                }
            }
            kind if kind.ends_with("_call") => ran::tell(kind, item, events),
            kind if !kind.is_empty() => events.opaque(Opaque {
                kind: kind.to_owned(),
                data: item.to_string(),
            }),
            _ => {}
        }
        Ok(())
    }

    /// The answer is over: what is in it and was not told.
    pub(super) fn rest(&mut self, output: &[Json<'_>], events: &mut Events) -> Result<(), Error> {
        for (index, item) in (0..).zip(output) {
            self.done(index, item, events)?;
        }
        for item in self.open.iter_mut().filter(|item| !item.done) {
            if let Some(call) = &mut item.call {
                call.end(events);
            }
        }
        Ok(())
    }
}

impl Item {
    fn piece(&mut self, number: u64) -> &mut Piece {
        let known = self.pieces.iter().position(|piece| piece.number == number);
        let at = known.unwrap_or_else(|| {
            self.pieces.push(Piece {
                number,
                ..Piece::default()
            });
            self.pieces.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "it was just found or pushed")]
        &mut self.pieces[at]
    }

    /// Text of this piece follows: those before are over.
    fn turn_to(&mut self, number: u64, events: &mut Events) {
        let around = self.around.clone();
        for piece in self
            .pieces
            .iter_mut()
            .filter(|piece| piece.number != number)
        {
            piece.close(&around, events);
        }
    }

    /// Tells what of a piece was not told yet.
    fn reconcile(&mut self, number: u64, said: &Json<'_>, events: &mut Events) {
        let is_refusal = said.text("type") == Some("refusal");
        let text = match is_refusal {
            true => said.text("refusal"),
            false => said.text("text"),
        };
        let known = ["type", "text", "refusal", "annotations"];
        let mut tail: Vec<Member<'static>> = beside(said, &known)
            .into_iter()
            .filter(|(_, value)| *value != Json::List(Vec::new()))
            .collect();
        if is_refusal {
            tail.insert(0, ("type".into(), "refusal".into()));
        }
        let text = text.unwrap_or_default();
        let told = self.piece(number).told.len();
        if told == 0 && !text.is_empty() {
            self.turn_to(number, events);
        }
        let piece = self.piece(number);
        if piece.closed {
            return;
        }
        let more = text.strip_prefix(piece.told.as_str()).unwrap_or_default();
        piece.told.push_str(more);
        events.text(more);
        let annotations = said.get("annotations").map_or(&[][..], Json::list);
        for annotation in annotations.iter().skip(piece.citations) {
            piece.citations += 1;
            events.citation(citation::read(annotation));
        }
        piece.tail = tail;
    }

    fn message(&mut self, item: &Json<'_>, events: &mut Events) {
        let pieces = item.get("content").map_or(&[][..], Json::list);
        self.around = around(item, &["id", "phase"]);
        for (number, said) in (0..).zip(pieces) {
            self.reconcile(number, said, events);
        }
        let last = around(item, &["id", "status", "phase"]);
        if self.pieces.iter().all(Piece::is_empty) {
            events.opaque(Opaque {
                kind: "message".to_owned(),
                data: item.to_string(),
            });
            return;
        }
        let open = |piece: &&mut Piece| !piece.closed && !piece.is_empty();
        if let Some(piece) = self.pieces.iter_mut().rfind(open) {
            piece.close(&last, events);
        }
    }

    fn reasoning(&mut self, item: &Json<'_>, events: &mut Events) {
        let list = |name: &str| item.get(name).map_or(&[][..], Json::list);
        let (summary, content) = (list("summary"), list("content"));
        let told = self.thoughts;
        let words = match told {
            Some("content") => content,
            Some(_) => summary,
            None if summary.is_empty() => content,
            None => summary,
        };
        let texts = words.iter().filter_map(|part| part.text("text"));
        let text = texts.collect::<Vec<_>>().join("\n\n");
        let came: Vec<&str> = self.pieces.iter().map(|piece| &*piece.told).collect();
        let came = came.join("\n\n");
        events.reasoning(text.strip_prefix(came.as_str()).unwrap_or_default());
        let encrypted = item.text("encrypted_content");
        let known = ["type", "summary", "content", "encrypted_content"];
        let mut tail = beside(item, &known);
        if summary.len() > 1 || (!summary.is_empty() && !content.is_empty()) {
            tail.extend(
                item.get("summary")
                    .map(|all| ("summary".into(), owned(all))),
            );
        }
        if !content.is_empty() {
            tail.extend(
                item.get("content")
                    .map(|all| ("content".into(), owned(all))),
            );
        }
        match (came.is_empty() && text.is_empty(), encrypted) {
            (true, None) => {
                // Nothing to read, and yet an item that others depend on.
                events.opaque(Opaque {
                    kind: "reasoning".to_owned(),
                    data: item.to_string(),
                });
                return;
            }
            (true, Some(encrypted)) => events.redacted_reasoning(encrypted),
            (false, Some(encrypted)) => events.reasoning_signature(encrypted),
            (false, None) => {}
        }
        if let Some(tail) = object(tail) {
            events.part_extra(tail);
        }
    }
}

impl Piece {
    fn is_empty(&self) -> bool {
        self.told.is_empty() && self.citations == 0
    }

    /// Ends the text, with what the vendor said of it.
    fn close(&mut self, around: &[Member<'static>], events: &mut Events) {
        if self.is_empty() || std::mem::replace(&mut self.closed, true) {
            return;
        }
        let tail = around.iter().cloned().chain(self.tail.drain(..)).collect();
        match object(tail) {
            Some(tail) => events.part_extra(tail),
            None => events.text_end(),
        }
    }
}

impl Call {
    fn more(&mut self, more: &str, events: &mut Events) {
        self.came += more.len();
        self.held.push_str(more);
        if self.told || self.custom || !may_be_none(&self.held) {
            self.told |= !self.held.is_empty();
            events.tool_call_delta(self.index, std::mem::take(&mut self.held));
        }
    }

    fn end(&mut self, events: &mut Events) {
        let held = std::mem::take(&mut self.held);
        if self.told || self.custom {
            events.tool_call_delta(self.index, held);
        } else {
            events.tool_call_delta(self.index, tool_arguments(&held));
        }
        self.told = true;
    }
}

/// These members of an item, as far as it has them.
fn around(item: &Json<'_>, names: &[&'static str]) -> Vec<Member<'static>> {
    let member = |name: &&'static str| Some(((*name).into(), owned(item.get(name)?)));
    names.iter().filter_map(member).collect()
}
