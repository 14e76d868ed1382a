//! One turn: the question goes out, the answer is shown as it comes, Ctrl-C stops it.

use futures_util::StreamExt as _;

use super::super::markdown::Markdown;
use super::super::{Context, Failure, answer, figures, progress};
use super::{Chat, line};
use crate::chat::{ChatEvent, ChatResponse};

/// Width where the terminal does not tell.
const WIDTH: u16 = 80;

/// Shows the pieces of an answer.
struct Show<'a> {
    context: &'a Context,
    /// Where stdout is a terminal that takes forms.
    markdown: Option<Markdown>,
    /// What was shown of the answer.
    text: String,
    thinking: bool,
}

impl Show<'_> {
    fn new(context: &Context) -> Show<'_> {
        let width = context.printer.width().unwrap_or(WIDTH);
        let drawn = context.printer.takes_forms() && !context.json;
        Show {
            context,
            markdown: drawn.then(|| Markdown::new(width)),
            text: String::new(),
            thinking: false,
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.end_thoughts()?;
        self.text += text;
        match &mut self.markdown {
            Some(markdown) => self.context.printer.drawn(&markdown.push(text))?,
            None => self.context.printer.data(text)?,
        }
        Ok(())
    }

    /// Thoughts are for people only.
    fn thought(&mut self, text: &str) -> Result<(), Failure> {
        if self.markdown.is_some() {
            self.thinking = true;
            self.context.printer.dim(text)?;
        }
        Ok(())
    }

    fn end_thoughts(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.thinking) {
            self.context.printer.data("\n\n")?;
        }
        Ok(())
    }

    /// The answer ends here, whether it is complete or not.
    fn end(&mut self) -> Result<(), Failure> {
        self.end_thoughts()?;
        match &mut self.markdown {
            Some(markdown) => self.context.printer.drawn(&markdown.finish())?,
            None if self.text.is_empty() || self.text.ends_with('\n') || self.context.json => {}
            None => self.context.printer.data("\n")?,
        }
        Ok(())
    }
}

impl Chat<'_> {
    /// Asks the dialogue's question.
    pub(super) async fn turn(&mut self) -> Result<(), Failure> {
        let mut show = Show::new(self.context);
        let asked = async {
            match self.stream {
                true => self.streamed(&mut show).await,
                false => self.whole(&mut show).await,
            }
        };
        let outcome = tokio::select! {
            biased;
            signal = self.context.ending.told() => Err(Some(signal)),
            () = line::interrupt(&self.context.ending) => Err(None),
            outcome = asked => Ok(outcome),
        };
        let ended = show.end();
        match outcome {
            Ok(Ok(answer)) => {
                ended?;
                self.accept(&answer)
            }
            Ok(Err(Failure::Output(error))) => {
                // Nobody sees the rest.
                self.dialogue.stopped(&show.text);
                Err(error.into())
            }
            Ok(Err(failure)) => {
                // What was shown before the failure stays readable, but is no answer.
                ended?;
                Err(failure)
            }
            Err(Some(signal)) => {
                self.dialogue.stopped(&show.text);
                Err(Failure::Stopped(signal))
            }
            Err(None) => {
                self.dialogue.stopped(&show.text);
                ended?;
                self.context.printer.note("(stopped)");
                Ok(())
            }
        }
    }

    async fn streamed(&self, show: &mut Show<'_>) -> Result<ChatResponse, Failure> {
        let opening = self
            .service
            .stream(self.dialogue.request(), &self.dialogue.model);
        let mut events = progress::waiting(self.context, "waiting", opening).await?;
        while let Some(event) = events.next().await {
            let event = event?;
            if self.context.json {
                answer::event_json(self.context, &event)?;
                if let ChatEvent::Text { text } = &event {
                    show.text += text;
                }
            }
            match event {
                ChatEvent::Done(answer) => return Ok(*answer),
                ChatEvent::Text { text } if !self.context.json => show.text(&text)?,
                ChatEvent::Reasoning { text } if !self.context.json => show.thought(&text)?,
                _ => {}
            }
        }
        Err(crate::Error::new(
            crate::ErrorKind::Truncated,
            "the stream ended without an answer",
        )
        .into())
    }

    async fn whole(&self, show: &mut Show<'_>) -> Result<ChatResponse, Failure> {
        let asking = self
            .service
            .chat(self.dialogue.request(), &self.dialogue.model);
        let answer = progress::waiting(self.context, "waiting", asking).await?;
        match self.context.json {
            true => self.context.printer.json(&answer)?,
            false => show.text(&answer.content())?,
        }
        Ok(answer)
    }

    fn accept(&mut self, answer: &ChatResponse) -> Result<(), Failure> {
        let printer = &self.context.printer;
        if !self.context.json {
            answer::print_calls(self.context, answer)?;
        }
        answer::note_end(self.context, answer);
        if !self.dialogue.answered(answer) {
            printer.note("note: the answer is empty, and the conversation goes on without it (/retry asks again)");
        }
        printer.dim_note(&format!(
            "{} · {}",
            figures::of_answer(answer),
            self.totals()
        ));
        Ok(())
    }
}
