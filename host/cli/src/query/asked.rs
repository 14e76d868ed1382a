//! What is asked, by the arguments.

use super::super::attachment::Attachments;
use super::super::messages::{STDIN, Script};
use super::super::{Context, Failure, foreign, input, picture};
use super::Args;
use multillm::chat::{ChatMessage, ChatRequest, ResponseFormat, Role, Sampling, ToolChoice};
use multillm::dialogue::Dialogue;
use multillm::service::MultiLlmService;
use multillm::template::Template;

/// A question, and how it is to be asked.
pub(super) struct Asked {
    /// Instructions for the model.
    pub(super) system: Option<String>,
    /// Nothing where a file holds it.
    question: Option<ChatMessage>,
    /// Everything else, and the messages of a file.
    manner: ChatRequest,
    /// A conversation from a file.
    script: Option<Script>,
}

impl Asked {
    /// The model to ask: what was chosen, else what the file names, if that can be asked.
    pub(super) fn model(
        &self,
        chosen: Option<String>,
        service: &MultiLlmService,
        context: &Context,
    ) -> Option<String> {
        let named = || self.script.as_ref()?.model.clone();
        chosen.or_else(|| {
            let named = named()?;
            if service.knows(&named).is_ok() {
                return Some(named);
            }
            let named = foreign::line(&named);
            context.printer.note(&format!(
                "note: the messages name the model \"{named}\", which is not configured: --model chooses one"
            ));
            None
        })
    }

    /// Asks it next. Gives what the model's wire has no form for, a line each.
    pub(super) async fn put_to(
        mut self,
        dialogue: &mut Dialogue,
        args: &Args,
        service: &MultiLlmService,
    ) -> Result<Vec<String>, Failure> {
        let mut left_out = vec![];
        if let Some(script) = self.script {
            left_out = script
                .fit(&mut self.manner, &dialogue.model, service)
                .await?;
            let mut messages = std::mem::take(&mut self.manner.messages);
            if self.system.is_some() {
                let said = messages.iter().take_while(|one| one.role == Role::System);
                messages.drain(..said.count());
            }
            messages.extend(self.question.take());
            dialogue.take_over(messages);
        }
        dialogue.system = self.system.or(dialogue.system.take());
        args.server_tools.add_to(&mut self.manner)?;
        dialogue.manner = self.manner;
        if let Some(question) = self.question {
            dialogue.ask(question);
        }
        Ok(left_out)
    }
}

impl Args {
    /// Everything that is asked, with this template.
    pub(super) fn asked(
        &self,
        template: Option<&Template>,
        context: &Context,
    ) -> Result<Asked, Failure> {
        let scripted = self.messages.as_deref() == Some(STDIN);
        if scripted && picture::takes_stdin(&self.image) {
            return Err(Failure::Usage(
                "--messages - and --image - cannot both be what is piped in: name a file"
                    .to_owned(),
            ));
        }
        let mut system = self.system.clone();
        let mut attached = Attachments::of(&self.file)?;
        for image in picture::all(&self.image, context)? {
            attached.add_media(image);
        }
        self.server_tools.check()?;
        let script = self.messages.as_deref().map(Script::read).transpose()?;
        let piped = !scripted && !picture::takes_stdin(&self.image);
        let prompt = match (template, &script) {
            (None, Some(_)) if !piped => self.prompt.clone().filter(|text| !text.trim().is_empty()),
            (None, Some(_)) => input::optional_prompt(self.prompt.as_deref(), self.no_stdin)?,
            (None, None) if !piped => Some(input::alone(self.prompt.as_deref())?),
            (None, None) => Some(input::prompt(self.prompt.as_deref(), self.no_stdin)?),
            (Some(template), _) => {
                let free = match !piped || self.var.iter().any(|word| word.starts_with("input=")) {
                    true => self.prompt.clone(),
                    false => input::optional_prompt(self.prompt.as_deref(), self.no_stdin)?,
                };
                let filled = input::fill(template, &self.var, free)?;
                system = system.or(filled.system);
                Some(filled.prompt)
            }
        };
        let question = match (prompt, &script) {
            (Some(prompt), _) => Some(attached.question(prompt)),
            (None, _) if !attached.is_empty() => {
                return Err(Failure::Usage(
                    "--file and --image go with a prompt: give one beside --messages".to_owned(),
                ));
            }
            (None, Some(script)) if script.request().messages.is_empty() => {
                return Err(Failure::Usage(
                    "the messages are none: give some, or a prompt".to_owned(),
                ));
            }
            (None, _) => None,
        };
        let mut request = match &script {
            Some(script) => script.request().clone(),
            None => ChatRequest::default(),
        };
        let sampling = Sampling {
            max_tokens: self.max_tokens,
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            seed: self.seed,
            stop: self.stop.clone(),
            ..Sampling::default()
        };
        request.sampling = sampling.or(&request.sampling);
        let effort = self.reasoning_effort.map(Into::into);
        request.reasoning_effort = effort.or(request.reasoning_effort);
        request.extra.extend(input::parameters(&self.param)?);
        if let Some(path) = &self.schema {
            request.response_format = input::schema(path)?;
        } else if self.json_mode {
            request.response_format = ResponseFormat::Json;
        }
        if let Some(path) = &self.tools {
            request.tools = input::tools(path)?;
        }
        if let Some(template) = template {
            template.complete(&mut request);
        }
        let given = !request.tools.is_empty() || !request.server_tools.is_empty();
        if self.tool_choice.is_some() && !given && self.server_tools.is_empty() {
            return Err(Failure::Usage(
                "--tool-choice needs tools to choose from: give --tools".to_owned(),
            ));
        }
        request.tool_choice = match self.tool_choice.as_deref() {
            None => request.tool_choice,
            Some("auto") => ToolChoice::Auto,
            Some("none") => ToolChoice::None,
            Some("required") => ToolChoice::Required,
            Some(name)
                if request.tools.iter().any(|tool| tool.name == name)
                    || request.server_tools.iter().any(|tool| tool.name == name)
                    || self.server_tools.has(name) =>
            {
                ToolChoice::Named(name.to_owned())
            }
            Some(name) => {
                return Err(Failure::Usage(format!(
                    "--tool-choice {name}: there is no tool of that name"
                )));
            }
        };
        Ok(Asked {
            system,
            question,
            manner: request,
            script,
        })
    }
}
