//! What a stream decoder records, in order.

use crate::{
    ChatEvent, Citation, Error, Finish, FinishReason, Media, Opaque, ServerToolCall,
    ServerToolResult, Started, ToolCallDelta, ToolCallStart, Usage,
};

/// The events of one batch of frames.
#[derive(Default)]
pub struct Events {
    list: Vec<ChatEvent>,
    over: bool,
}

impl Events {
    /// No events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The vendor named the answer. Nothing is recorded when both are absent or empty.
    pub fn started(&mut self, id: Option<&str>, model: Option<&str>) {
        let owned = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        let (id, model) = (owned(id), owned(model));
        if id.is_some() || model.is_some() {
            self.list.push(ChatEvent::Started(Started { id, model }));
        }
    }

    /// More of the answer; empty text is no event.
    pub fn text(&mut self, text: impl Into<String> + AsRef<str>) {
        if !text.as_ref().is_empty() {
            self.list.push(ChatEvent::Text(text.into()));
        }
    }

    /// Signs the text so far.
    pub fn text_signature(&mut self, signature: impl Into<String>) {
        self.list.push(ChatEvent::TextSignature(signature.into()));
    }

    /// The text so far ends here: what follows is another part.
    pub fn text_end(&mut self) {
        self.list.push(ChatEvent::TextEnd);
    }

    /// What the text so far rests on.
    pub fn citation(&mut self, citation: Citation) {
        self.list.push(ChatEvent::Citation(citation));
    }

    /// More thoughts; empty text is no event.
    pub fn reasoning(&mut self, text: impl Into<String> + AsRef<str>) {
        if !text.as_ref().is_empty() {
            self.list.push(ChatEvent::Reasoning(text.into()));
        }
    }

    /// Signs the thoughts so far.
    pub fn reasoning_signature(&mut self, signature: impl Into<String>) {
        self.list
            .push(ChatEvent::ReasoningSignature(signature.into()));
    }

    /// A whole encrypted thought.
    pub fn redacted_reasoning(&mut self, data: impl Into<String>) {
        self.list.push(ChatEvent::RedactedReasoning(data.into()));
    }

    /// A tool call begins.
    pub fn tool_call_start(&mut self, start: ToolCallStart) {
        self.list.push(ChatEvent::ToolCallStart(start));
    }

    /// More arguments of a tool call; empty text is no event.
    pub fn tool_call_delta(&mut self, index: u32, arguments: impl Into<String> + AsRef<str>) {
        if !arguments.as_ref().is_empty() {
            self.list.push(ChatEvent::ToolCallDelta(ToolCallDelta {
                index,
                arguments: arguments.into(),
            }));
        }
    }

    /// A whole block of the vendor's own.
    pub fn opaque(&mut self, block: Opaque) {
        self.list.push(ChatEvent::Opaque(block));
    }

    /// A whole picture, recording or film that the model made.
    pub fn media(&mut self, media: Media) {
        self.list.push(ChatEvent::Media(media));
    }

    /// A whole call of a tool that the vendor runs.
    pub fn server_tool_call(&mut self, call: ServerToolCall) {
        self.list.push(ChatEvent::ServerToolCall(call));
    }

    /// A whole result of a tool that the vendor runs.
    pub fn server_tool_result(&mut self, result: ServerToolResult) {
        self.list.push(ChatEvent::ServerToolResult(result));
    }

    /// The open tail of the part so far, a JSON object, which ends the part.
    pub fn part_extra(&mut self, extra: impl Into<String>) {
        self.list.push(ChatEvent::PartExtra(extra.into()));
    }

    /// What the vendor said of the answer beyond the contract, a JSON object.
    pub fn extra(&mut self, extra: impl Into<String>) {
        self.list.push(ChatEvent::Extra(extra.into()));
    }

    /// Usage so far: all of it, or what is new.
    pub fn usage(&mut self, usage: Usage) {
        self.list.push(ChatEvent::Usage(usage));
    }

    /// Why the model stopped.
    pub fn finished(&mut self, reason: FinishReason, raw: Option<String>) {
        self.list.push(ChatEvent::Finished(Finish { reason, raw }));
    }

    /// The vendor's end marker came. Nothing is read after it.
    pub fn done(&mut self) {
        self.list.push(ChatEvent::Done);
        self.over = true;
    }

    /// Whether the stream is done or has failed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Takes over who answers, usage and end of others, and whether they are over.
    pub(crate) fn essentials_of(&mut self, others: Events) {
        let essential = |event: &ChatEvent| {
            matches!(
                event,
                ChatEvent::Started(_)
                    | ChatEvent::Usage(_)
                    | ChatEvent::Finished(_)
                    | ChatEvent::Done
                    | ChatEvent::Failed(_)
            )
        };
        self.over |= others.over;
        self.list.extend(others.list.into_iter().filter(essential));
    }

    pub(crate) fn failed(&mut self, error: Error) {
        self.list.push(ChatEvent::Failed(error));
        self.over = true;
    }

    /// The events, in order.
    #[must_use]
    pub fn into_inner(self) -> Vec<ChatEvent> {
        self.list
    }
}
