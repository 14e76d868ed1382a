//! What the commands of a chat do.

use super::super::attachment::Attachments;
use super::super::{Failure, editor, going_on, input, picture, place, server_tools, template};
use super::command::{self, Command};
use super::{Chat, figures};
use multillm::bounded;
use multillm::chat::{ChatMessage, MediaPart};
use multillm::dialogue::Dialogue;
use multillm::files::{self, Existing, Readers};
use multillm::template::Template;

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

impl Chat<'_> {
    /// Does what a command asks for.
    pub(super) async fn act(&mut self, command: Command) -> Result<(), Failure> {
        let printer = &self.context.printer;
        match command {
            Command::Model(None) => {
                for name in self.names() {
                    let mark = if name == self.dialogue.model {
                        "*"
                    } else {
                        " "
                    };
                    printer.note(&format!("{mark} {name}"));
                }
            }
            Command::Model(Some(name)) => {
                self.service.knows(&name)?;
                printer.note(&format!("asking {name} from now on"));
                self.dialogue.model = name;
            }
            Command::System(None) => match &self.dialogue.system {
                Some(text) => printer.note(text),
                None => printer.note("there are no instructions"),
            },
            Command::System(Some(text)) => {
                self.dialogue.system = (text != "none").then_some(text);
            }
            Command::Image(place) => {
                self.attached.add_media(self.picture(&place)?);
                printer.note("the picture goes with the next question");
            }
            Command::ServerTool(None) => match self.dialogue.manner.server_tools.as_slice() {
                [] => printer.note("the vendor runs no tools"),
                tools => {
                    for tool in tools {
                        let options = tool.options.as_ref().map(ToString::to_string);
                        printer.note(&format!("{} {}", tool.name, options.unwrap_or_default()));
                    }
                }
            },
            Command::ServerTool(Some(text)) if text == "none" => {
                self.dialogue.manner.server_tools.clear();
                printer.note("the vendor runs no tools from now on");
            }
            Command::ServerTool(Some(text)) => {
                let tool = server_tools::one(&text)
                    .map_err(|fault| usage(format!("/server-tool {fault}")))?;
                printer.note(&format!("the vendor may run {} from now on", tool.name));
                server_tools::put(&mut self.dialogue.manner.server_tools, tool);
            }
            Command::File { path, question } => {
                self.attached.add(&path)?;
                match question.is_empty() {
                    true => self
                        .context
                        .printer
                        .note("the file goes with the next question"),
                    false => self.question(question).await?,
                }
            }
            Command::Retry => match self.dialogue.retry() {
                true => self.answer().await?,
                false => return Err(usage("there is no question to ask again")),
            },
            Command::Undo => match self.dialogue.undo() {
                Some(question) => {
                    printer.note(&format!("taken back: {}", first_line(&question)));
                    self.keep().await?;
                }
                None => return Err(usage("there is nothing to take back")),
            },
            Command::Clear => {
                self.dialogue.clear();
                self.attached = Attachments::default();
                printer.note("a new conversation begins");
            }
            Command::Save(None) => {
                self.keep().await?;
                match self.service.history_path() {
                    Some(_) => printer.note(&format!("kept as {}", self.dialogue.id())),
                    None => return Err(usage("/save needs a file: no history is kept")),
                }
            }
            Command::Save(Some(path)) => {
                let people = path.ends_with(".md");
                let text = match people {
                    true => self.dialogue.to_markdown(),
                    false => self.dialogue.to_json(),
                };
                self.save(&path, &text)?;
                printer.note(&format!("saved as {path}"));
            }
            Command::Load(place) => self.load(&place).await?,
            Command::Stats => self.print_stats(),
            Command::Template(words) => self.by_template(&words).await?,
            Command::Edit(begun) => match editor::text(&begun, self.context).await? {
                Some(question) => {
                    let first = question.lines().next().unwrap_or_default();
                    self.context.printer.dim_note(&format!("asked: {first}"));
                    self.question(question).await?;
                }
                None => printer.note("nothing is asked"),
            },
            Command::Help => printer.note(&command::help()),
            Command::Leave => {}
        }
        Ok(())
    }

    /// Writes a file. One that was there before this chat is only replaced if the user says so.
    fn save(&mut self, path: &str, text: &str) -> Result<(), Failure> {
        let place = &place::file(path).map_err(usage)?;
        let there = std::fs::symlink_metadata(place).is_ok_and(|there| there.is_file());
        if there && !self.saved.contains(path) {
            let question = format!("{path} is there already: overwrite it? [y/N] ");
            let said = input::answer(&question, self.context)?;
            if !said.is_some_and(|said| matches!(said.to_lowercase().as_str(), "y" | "yes")) {
                return Err(usage(format!(
                    "{path} is there already and stays as it is: name another file"
                )));
            }
        }
        files::write(place, text.as_bytes(), Existing::Replace, Readers::Owner)
            .map_err(|error| usage(format!("cannot write {path}: {error}")))?;
        self.saved.insert(path.to_owned());
        Ok(())
    }

    async fn keep(&self) -> Result<(), Failure> {
        Ok(self.dialogue.store(&self.service).await?)
    }

    /// A picture for the next question. Standard input is the conversation itself.
    fn picture(&self, place: &str) -> Result<MediaPart, Failure> {
        match place {
            "-" => Err(usage(
                "/image needs a file or a URL: the conversation is on standard input",
            )),
            place => picture::one(place, self.context),
        }
    }

    async fn load(&mut self, place: &str) -> Result<(), Failure> {
        let file = place::file(place).map_err(usage)?;
        match bounded::text(&file, input::MAX_TEXT) {
            Ok(text) => {
                let model = self.dialogue.load_json(&text)?;
                if let Some(model) = model.filter(|model| self.service.knows(model).is_ok()) {
                    self.dialogue.model = model;
                }
            }
            Err(error) if file.exists() || place.contains(['/', '\\', '.']) => {
                return Err(usage(format!("cannot read {place}: {error}")));
            }
            Err(_) => {
                let found = Dialogue::resume(&self.service, Some(place)).await?;
                let old = std::mem::replace(&mut self.dialogue, found);
                self.dialogue.manner = old.manner;
                self.dialogue.spent = old.spent;
                if self.service.knows(&self.dialogue.model).is_err() {
                    self.dialogue.model = old.model;
                }
            }
        }
        going_on::say(self.context, &self.dialogue);
        Ok(())
    }

    fn print_stats(&self) {
        let spent = &self.dialogue.spent;
        let cost = match spent.priced {
            0 => "unknown".to_owned(),
            priced => format!(
                "{} for {priced} of {} answers",
                figures::money(Some(spent.cost)),
                spent.answers
            ),
        };
        self.context.printer.note(&format!(
            "conversation  {}\nmodel         {}\nturns         {}\nanswers       {}\n\
             tokens        {} in, {} out\ncost          {cost}",
            self.dialogue.id(),
            self.dialogue.model,
            self.dialogue.turns(),
            spent.answers,
            spent.prompt_tokens,
            spent.completion_tokens,
        ));
    }

    async fn by_template(&mut self, words: &[String]) -> Result<(), Failure> {
        let config = self.service.config();
        let Some((name, rest)) = words.split_first() else {
            for name in Template::names(&config.templates_dir) {
                self.context.printer.note(&name);
            }
            return Ok(());
        };
        let template = template::load(&config, name)?;
        let (given, free): (Vec<String>, Vec<String>) = rest
            .iter()
            .cloned()
            .partition(|word| input::is_assignment(word));
        let free = free.join(" ");
        let filled = input::fill(&template, &given, (!free.is_empty()).then_some(free))?;
        if filled.system.is_some() {
            self.dialogue.system = filled.system;
        }
        template.complete(&mut self.dialogue.manner);
        self.question(filled.prompt).await
    }
}

fn first_line(question: &ChatMessage) -> String {
    let text = question.text();
    text.lines().next().unwrap_or_default().to_owned()
}
