//! An answer as it is shown while it comes: drawn on a terminal that takes forms, else as it is.

use super::markdown::Markdown;
use super::{Context, Failure};
use multillm::service::MultiLlmService;

/// Width where the terminal does not tell.
const WIDTH: u16 = 80;

/// Arguments that say how answers are shown.
#[derive(Debug, clap::Args)]
pub(super) struct Manner {
    /// Show the answer while it is produced [default: on a terminal]
    #[arg(long, overrides_with = "no_stream")]
    stream: bool,
    /// Show the answer when it is complete [default: where it is piped]
    #[arg(long, overrides_with = "stream")]
    no_stream: bool,
    /// On a terminal, show the answer as it was written instead of drawing its Markdown
    #[arg(long)]
    raw: bool,
    /// Number what the answer cites and list it below, also where it is piped [default: on a terminal]
    #[arg(long)]
    sources: bool,
}

impl Manner {
    /// Whether somebody wants to see the answer come: they say so, or look.
    pub(super) fn streams(
        &self,
        context: &Context,
        service: &MultiLlmService,
        model: &str,
    ) -> bool {
        let seen = context.printer.is_terminal() && !context.json;
        let unasked = seen && !self.no_stream && service.config().terminal.stream;
        self.stream || unasked && service.streams(model)
    }

    /// Whether the answer is to come while it is produced, wherever it goes.
    pub(super) fn wants_stream(&self) -> bool {
        self.stream
    }

    /// Whether what an answer cites is numbered and listed below it.
    pub(super) fn shows_sources(&self, context: &Context) -> bool {
        !context.json && (self.sources || context.printer.is_terminal())
    }

    /// Whether that is asked for wherever the answer goes.
    pub(super) fn lists_sources(&self) -> bool {
        self.sources
    }

    /// What shows the answer.
    pub(super) fn show<'a>(&self, context: &'a Context, service: &MultiLlmService) -> Show<'a> {
        Show::new(context, !self.raw && service.config().terminal.markdown)
    }
}

/// Shows the pieces of an answer. What was given to it is shown whole, also if it is dropped before its end.
pub(super) struct Show<'a> {
    context: &'a Context,
    /// Where stdout is a terminal that takes forms, and Markdown is to be drawn.
    markdown: Option<Markdown>,
    /// What was shown of the answer.
    text: String,
    thinking: bool,
    ended: bool,
}

impl Show<'_> {
    /// `drawn`: Markdown is to be drawn, where that can be.
    pub(super) fn new(context: &Context, drawn: bool) -> Show<'_> {
        let printer = &context.printer;
        let drawn = drawn && printer.takes_forms() && !context.json;
        let markdown = || Markdown::new(printer.width().unwrap_or(WIDTH), printer.links());
        Show {
            context,
            markdown: drawn.then(markdown),
            text: String::new(),
            thinking: false,
            ended: false,
        }
    }

    /// Whether it is drawn, and not shown as it is.
    pub(super) fn is_drawn(&self) -> bool {
        self.markdown.is_some()
    }

    /// What came of the answer.
    pub(super) fn said(&self) -> &str {
        &self.text
    }

    /// More of the answer, that is shown elsewhere.
    pub(super) fn note(&mut self, text: &str) {
        self.text += text;
    }

    /// More of the answer.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.end_thoughts()?;
        self.text += text;
        let printer = &self.context.printer;
        match &mut self.markdown {
            Some(markdown) => {
                // The window may have become another.
                markdown.resize(printer.width().unwrap_or(WIDTH));
                printer.drawn(&markdown.push(text))?;
            }
            None => printer.data(text)?,
        }
        Ok(())
    }

    /// A mark of ours within the answer, which is none of its text.
    pub(super) fn mark(&mut self, mark: &str) -> Result<(), Failure> {
        if mark.is_empty() {
            return Ok(());
        }
        let said = self.text.len();
        self.text(mark)?;
        self.text.truncate(said);
        Ok(())
    }

    /// Thoughts are for people only.
    pub(super) fn thought(&mut self, text: &str) -> Result<(), Failure> {
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
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        self.end_thoughts()?;
        match &mut self.markdown {
            Some(markdown) => self.context.printer.drawn(&markdown.finish())?,
            None if self.text.is_empty() || self.text.ends_with('\n') || self.context.json => {}
            None => self.context.printer.data("\n")?,
        }
        Ok(())
    }
}

impl Drop for Show<'_> {
    /// A signal takes the answer away in the middle: the word and the table that were held are shown.
    fn drop(&mut self) {
        let _ = self.end();
    }
}
