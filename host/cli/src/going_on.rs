//! Which conversation a question belongs to: a new one, the last one, or one by its id.

use super::{Context, Failure, model};
use multillm::dialogue::Dialogue;
use multillm::service::MultiLlmService;

/// Arguments that choose a conversation.
#[derive(Debug, clap::Args)]
pub(super) struct Going {
    /// Go on with the last conversation
    #[arg(long = "continue", short = 'c', conflicts_with = "conversation")]
    resume: bool,
    /// Go on with the conversation whose id begins so ("history conversations" lists them)
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
}

impl Going {
    /// Whether it is one that was begun before.
    pub(super) fn goes_on(&self) -> bool {
        self.resume || self.conversation.is_some()
    }

    /// The conversation, to go on with this model: else with its own, if that can still be asked, else
    /// with the default one.
    pub(super) async fn dialogue(
        &self,
        model: Option<String>,
        service: &MultiLlmService,
        context: &Context,
    ) -> Result<Dialogue, Failure> {
        let resumes = self.goes_on();
        let mut dialogue = match resumes {
            true => Dialogue::resume(service, self.conversation.as_deref()).await?,
            false => Dialogue::new(""),
        };
        if let Some(model) = model {
            dialogue.model = model;
        } else if service.knows(&dialogue.model).is_err() {
            dialogue.model = model::or_usual(None, service).await?;
        }
        service.knows(&dialogue.model)?;
        if resumes {
            say(context, &dialogue);
        }
        Ok(dialogue)
    }
}

/// Says which conversation goes on.
pub(super) fn say(context: &Context, dialogue: &Dialogue) {
    let (title, turns) = (dialogue.title(), dialogue.turns());
    let count = if turns == 1 { "turn" } else { "turns" };
    context
        .printer
        .note(&format!("going on with \"{title}\" ({turns} {count})"));
}
