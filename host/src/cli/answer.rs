//! How answers are shown, whichever command asked.

use super::{Context, Failure, foreign};
use crate::chat::{ChatEvent, ChatResponse, FinishReason, media_summary};

#[derive(serde::Serialize)]
struct Done<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    answer: &'a ChatResponse,
}

/// An event of a stream as a line of JSON.
pub(super) fn event_json(context: &Context, event: &ChatEvent) -> Result<(), Failure> {
    match event {
        ChatEvent::Done(answer) => context.printer.json(&Done {
            r#type: "done",
            answer,
        })?,
        ChatEvent::ToolCallDelta { .. } => {}
        _ => context.printer.json(event)?,
    }
    Ok(())
}

/// The tools that an answer asks for, as lines of data.
pub(super) fn print_calls(context: &Context, answer: &ChatResponse) -> Result<(), Failure> {
    for call in answer.tool_calls() {
        context.printer.line(&foreign::line(&format!(
            "{}({})",
            call.name, call.arguments
        )))?;
    }
    Ok(())
}

/// Says what of an answer is not shown, and why it may not be what was expected.
pub(super) fn note_end(context: &Context, answer: &ChatResponse) {
    if let (Some(media), false) = (media_summary(&answer.media()), context.json) {
        context.printer.note(&format!(
            "note: the answer also holds {}, which is not shown here: --json prints it",
            foreign::line(&media)
        ));
    }
    let raw = foreign::line(answer.raw_finish_reason.as_deref().unwrap_or("-"));
    match answer.finish_reason {
        FinishReason::Length => context
            .printer
            .note("note: the answer was cut at the output limit (--max-tokens raises it)"),
        FinishReason::ContentFilter => context
            .printer
            .note(&format!("note: the answer was withheld or refused ({raw})")),
        FinishReason::Error | FinishReason::Other => context.printer.note(&format!(
            "note: the model stopped for another reason ({raw})"
        )),
        FinishReason::Stop | FinishReason::ToolCalls => {}
    }
    if let (None, Some(reasons)) = (answer.cost, answer.billing.reasons()) {
        context.printer.note(&format!(
            "note: the cost is not known: the price of a token does not cover {reasons}"
        ));
    }
}
