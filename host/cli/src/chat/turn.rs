//! One turn: the question goes out, the answer is shown as it comes, Ctrl-C stops it.

use futures_util::StreamExt as _;

use super::super::made::{self, Beside};
use super::super::show::Show;
use super::super::sources::{self, Citing, Sources};
use super::super::{Failure, answer, figures, progress, server_tools};
use super::{Chat, line};
use multillm::chat::{ChatEvent, ChatResponse};

impl Chat<'_> {
    /// Asks the dialogue's question.
    pub(super) async fn turn(&mut self) -> Result<(), Failure> {
        let mut show = self.manner.show(self.context, &self.service);
        let model = &self.dialogue.model;
        let streams = self.manner.streams(self.context, &self.service, model);
        let asked = async {
            match streams {
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
                self.dialogue.stopped(show.said());
                Err(error.into())
            }
            Ok(Err(failure)) => {
                // What was shown before the failure stays readable, but is no answer.
                ended?;
                Err(failure)
            }
            Err(Some(signal)) => {
                self.dialogue.stopped(show.said());
                Err(Failure::Stopped(signal))
            }
            Err(None) => {
                self.dialogue.stopped(show.said());
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
        let mut citing = Citing::default();
        let cites = self.manner.shows_sources(self.context);
        while let Some(event) = events.next().await {
            let event = event?;
            if cites {
                show.mark(&citing.before(&event))?;
            }
            if self.context.json {
                answer::event_json(self.context, &event, None)?;
                if let ChatEvent::Text { text } = &event {
                    show.note(text);
                }
            }
            match event {
                ChatEvent::Done(answer) => {
                    if cites {
                        show.end()?;
                        citing.sources.print(self.context)?;
                    }
                    return Ok(*answer);
                }
                ChatEvent::ServerToolCall(call) if !self.context.json => {
                    self.context.printer.dim_note(&server_tools::call(&call));
                }
                ChatEvent::ServerToolResult(result) if !self.context.json => {
                    let told = server_tools::result(&result);
                    self.context.printer.dim_note(&told);
                }
                ChatEvent::Text { text } if !self.context.json => show.text(&text)?,
                ChatEvent::Reasoning { text } if !self.context.json => show.thought(&text)?,
                _ => {}
            }
        }
        Err(multillm::Error::new(
            multillm::ErrorKind::Truncated,
            "the stream ended without an answer",
        )
        .into())
    }

    async fn whole(&self, show: &mut Show<'_>) -> Result<ChatResponse, Failure> {
        let asking = self
            .service
            .chat(self.dialogue.request(), &self.dialogue.model);
        let answer = progress::waiting(self.context, "waiting", asking).await?;
        if self.context.json {
            self.context.printer.json(&answer)?;
            return Ok(answer);
        }
        for part in &answer.parts {
            server_tools::tell(part, self.context);
        }
        match self.manner.shows_sources(self.context) {
            true => {
                let mut sources = Sources::default();
                show.text(&sources::marked(&answer.parts, &mut sources))?;
                show.end()?;
                sources.print(self.context)?;
            }
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
        if self.context.json {
            return Ok(());
        }
        let shown = (self.context, self.service.config().terminal.pictures);
        made::save(&made::all(answer), 1, &Beside::Here, shown)
    }
}
