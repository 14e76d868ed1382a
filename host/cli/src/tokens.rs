//! `multillm tokens`: how many tokens a question has.

use std::path::PathBuf;

use super::{Context, Failure, dry_run, input, model, picture, place, progress};
use multillm::chat::{ChatMessage, ChatRequest};

/// Arguments of `tokens`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The question. What is piped in stands before it; `-` or nothing: standard input alone
    prompt: Option<String>,
    /// Do not read standard input
    #[arg(long)]
    no_stdin: bool,
    /// A model of the configuration [default: its default_model]
    #[arg(long, short)]
    model: Option<String>,
    /// Instructions for the model
    #[arg(long, short, allow_hyphen_values = true)]
    system: Option<String>,
    /// A picture, as with query. May be repeated
    #[arg(long, short, value_name = "FILE|URL")]
    image: Vec<String>,
    /// Tools that the question offers, as with query
    #[arg(long, value_name = "FILE", value_parser = place::path())]
    tools: Option<PathBuf>,
    /// Print the HTTP request that would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let request = input::reading(context, || args.request(context))?;
    let service = context.service().await?;
    let model = model::or_usual(args.model, &service).await?;
    if args.dry_run {
        return dry_run::print(&service.dry_run_count(&request, &model).await?, context);
    }
    let asked = service.count_tokens(&request, &model);
    let count = progress::waiting(context, "counting", asked).await?;
    if context.json {
        context.printer.json(&count)?;
        return Ok(());
    }
    context.printer.line(&count.tokens.to_string())?;
    if count.estimated {
        context.printer.note(&format!(
            "note: {} has no way to count, so this is an estimate: four bytes for a token",
            count.provider
        ));
    }
    Ok(())
}

impl Args {
    fn request(&self, context: &Context) -> Result<ChatRequest, Failure> {
        let images = picture::all(&self.image, context)?;
        let prompt = match picture::takes_stdin(&self.image) {
            true => input::alone(self.prompt.as_deref())?,
            false => input::prompt(self.prompt.as_deref(), self.no_stdin)?,
        };
        let question = images
            .into_iter()
            .fold(ChatMessage::user(prompt), ChatMessage::with_media);
        let system = self.system.as_ref().map(ChatMessage::system);
        let messages: Vec<_> = system.into_iter().chain([question]).collect();
        let mut request = ChatRequest::new(messages);
        if let Some(tools) = &self.tools {
            request.tools = input::tools(tools)?;
        }
        Ok(request)
    }
}
