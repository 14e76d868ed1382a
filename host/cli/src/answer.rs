//! How answers are shown, whichever command asked.

use super::{Context, Failure, foreign, made};
use multillm::chat::{ChatEvent, ChatResponse, FinishReason};

#[derive(serde::Serialize)]
struct Done<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    whole: Whole<'a>,
}

/// A whole answer as one JSON object.
#[derive(serde::Serialize)]
pub(super) struct Whole<'a> {
    #[serde(flatten)]
    answer: &'a ChatResponse,
    /// Where it is kept, to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<&'a str>,
}

impl<'a> Whole<'a> {
    pub(super) fn new(answer: &'a ChatResponse, conversation_id: Option<&'a str>) -> Self {
        Whole {
            answer,
            conversation_id,
        }
    }
}

/// An event of a stream as a line of JSON. `conversation_id`: where the answer is kept.
pub(super) fn event_json(
    context: &Context,
    event: &ChatEvent,
    conversation_id: Option<&str>,
) -> Result<(), Failure> {
    match event {
        ChatEvent::Done(answer) => context.printer.json(&Done {
            r#type: "done",
            whole: Whole::new(answer, conversation_id),
        })?,
        ChatEvent::ToolCallDelta { .. } | ChatEvent::PartEnd { .. } => {}
        _ => context.printer.json(event)?,
    }
    Ok(())
}

/// The tools that an answer asks for, a line each.
pub(super) fn calls(answer: &ChatResponse) -> Vec<String> {
    let calls = answer.tool_calls();
    let calls = calls.into_iter();
    let lines = calls.map(|call| foreign::line(&format!("{}({})", call.name, call.arguments)));
    lines.collect()
}

/// The same as lines of data.
pub(super) fn print_calls(context: &Context, answer: &ChatResponse) -> Result<(), Failure> {
    for call in calls(answer) {
        context.printer.line(&call)?;
    }
    Ok(())
}

/// What was left out of the request, a line each.
pub(super) fn warnings(answer: &ChatResponse) -> impl Iterator<Item = String> {
    let warnings = answer.warnings.iter();
    warnings.map(|warning| format!("left out: {}", foreign::line(warning)))
}

/// Says what of an answer is not shown, and why it may not be what was expected.
pub(super) fn note_end(context: &Context, answer: &ChatResponse) {
    if !context.json {
        for media in made::elsewhere(answer) {
            let told = format!("note: the answer also holds {media}");
            context.printer.note(&told);
        }
    }
    for warning in warnings(answer) {
        context.printer.note(&format!("note: {warning}"));
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
