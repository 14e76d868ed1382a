//! Conversations that are kept: which there are, and what was said.

use super::super::sheet::Sheet;
use super::super::show::Show;
use super::super::{Context, Failure, clock, foreign};
use super::{beginning, local_time};
use multillm::chat::{ChatMessage, Part, Role, transcript};
use multillm::service::MultiLlmService;
use multillm::stats::{Conversation, Talk};

/// The conversation that was last gone on with.
const LAST: &str = "last";
/// Characters of an id that are shown at least: its time, to the millisecond.
pub(super) const SHORT: usize = 13;

/// Lists conversations.
pub(super) async fn list(
    service: &MultiLlmService,
    limit: u32,
    context: &Context,
) -> Result<(), Failure> {
    let mut history = service.history().await?;
    let talks = history.talks(limit).await;
    history.close().await;
    let talks = talks?;
    if context.json {
        context.printer.json(&talks)?;
        return Ok(());
    }
    if talks.is_empty() {
        context.printer.note(
            "no conversation is kept yet: \"multillm query\" and \"multillm chat\" begin one",
        );
        return Ok(());
    }
    let mut table = Sheet::new(&["ID", "LAST TIME", "MODEL", "TURNS", "TITLE"]).texts(&[4]);
    let zone = clock::zone(context);
    let length = distinct(&talks);
    for talk in &talks {
        table.row([
            talk.id.get(..length).unwrap_or(&talk.id).to_owned(),
            local_time(talk.updated_ms, &zone),
            talk.model.clone(),
            talk.turns.to_string(),
            beginning(&talk.title),
        ]);
    }
    context.printer.table(&table)?;
    Ok(())
}

/// How many characters of their ids tell conversations apart.
fn distinct(talks: &[Talk]) -> usize {
    let alike = |length: usize| {
        let mut begins: Vec<_> = talks.iter().map(|talk| talk.id.get(..length)).collect();
        begins.sort_unstable();
        begins.windows(2).any(|pair| pair.first() == pair.last())
    };
    let longest = talks.iter().map(|talk| talk.id.len()).max().unwrap_or(0);
    (SHORT..longest)
        .find(|length| !alike(*length))
        .unwrap_or(longest)
}

/// Shows the conversation whose id begins so.
pub(super) async fn show(
    service: &MultiLlmService,
    id: &str,
    raw: bool,
    context: &Context,
) -> Result<(), Failure> {
    let mut history = service.history().await?;
    let found = history.conversation((id != LAST).then_some(id)).await;
    history.close().await;
    let found = found?.ok_or_else(|| {
        Failure::Usage(match id {
            LAST => "no conversation is kept yet: \"multillm query\" and \"multillm chat\" begin one".to_owned(),
            _ => format!(
                "no conversation whose id begins with {id:?}: \"multillm history conversations\" lists them"
            ),
        })
    })?;
    if context.json {
        context.printer.json(&found)?;
        return Ok(());
    }
    print(&found, !raw && service.config().terminal.markdown, context)
}

fn print(talk: &Conversation, drawn: bool, context: &Context) -> Result<(), Failure> {
    let printer = &context.printer;
    let zone = clock::zone(context);
    printer.line(&foreign::line(&format!(
        "{} · {} · {}",
        talk.id,
        local_time(talk.updated_ms, &zone),
        talk.model
    )))?;
    for message in &talk.messages {
        printer.line(&format!("\n--- {}", who(message)))?;
        let said = transcript(&message.content);
        let mut show = Show::new(context, drawn);
        show.text(said.trim_end())?;
        show.end()?;
        let calls = message.content.iter().filter_map(|part| match part {
            Part::ToolCall(call) => Some(call),
            _ => None,
        });
        for call in calls {
            let call = foreign::line(&format!("{}({})", call.name, call.arguments));
            printer.line(&call)?;
        }
    }
    Ok(())
}

fn who(message: &ChatMessage) -> &'static str {
    match message.role {
        Role::System => "instructions",
        Role::User => "you",
        Role::Assistant => "answer",
        Role::Tool => "tool",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_as_far_as_they_tell_apart() {
        let talk = |id: &str| Talk {
            id: id.to_owned(),
            title: String::new(),
            model: String::new(),
            created_ms: 0,
            updated_ms: 0,
            turns: 1,
        };
        let one = talk("019ab7c3-1a2b-7000-8000-000000000001");
        let other = talk("019ab7c3-1a2c-7000-8000-000000000001");
        let twin = talk("019ab7c3-1a2b-7000-8000-100000000001");
        assert_eq!(distinct(&[one.clone(), other.clone()]), SHORT);
        assert_eq!(distinct(&[one, other, twin]), 25);
        assert_eq!(distinct(&[]), 0);
    }
}
