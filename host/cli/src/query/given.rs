//! What of a whole answer is given, and where: all of it or a code block, on standard output or in a file.

use std::io::Write as _;
use std::path::Path;

use super::super::made::{self, Beside};
use super::super::sources::{self, Sources};
use super::super::{Context, Failure, answer, extract, server_tools};
use super::Args;
use multillm::chat::ChatResponse;
use multillm::files::{Output, Readers};
use multillm::service::MultiLlmService;

/// Which code block is wanted.
#[derive(Debug, Clone, Copy)]
enum Block {
    First,
    Last,
}

/// Where the answer goes, and what of it.
pub(super) struct Given {
    block: Option<Block>,
    out: Option<Output>,
}

impl Given {
    /// Makes sure that the file can be written, before anything is asked.
    pub(super) fn open(args: &Args, context: &Context) -> Result<Self, Failure> {
        let block = match (args.extract, args.extract_last) {
            (true, _) => Some(Block::First),
            (_, true) => Some(Block::Last),
            _ => None,
        };
        if block.is_some() && context.json {
            return Err(Failure::Usage(
                "--json prints the whole answer: leave it or --extract out".to_owned(),
            ));
        }
        let out = args.out.as_ref().map(|path| {
            Output::open(path, Readers::Usual).map_err(|error| {
                Failure::Usage(format!("cannot write {}: {error}", path.display()))
            })
        });
        Ok(Given {
            block,
            out: out.transpose()?,
        })
    }

    /// Whether it is something else than the answer on standard output.
    pub(super) fn is_special(&self) -> bool {
        self.block.is_some() || self.out.is_some()
    }

    /// Gives a whole answer; `kept` is the conversation that has it.
    pub(super) fn whole(
        self,
        whole: &ChatResponse,
        kept: Option<&str>,
        args: &Args,
        context: &Context,
        service: &MultiLlmService,
    ) -> Result<(), Failure> {
        let printer = &context.printer;
        let json = context.json.then(|| answer::Whole::new(whole, kept));
        let content = whole.content();
        let media = made::all(whole);
        let shown = (context, service.config().terminal.pictures);
        let path = args.out.as_deref().unwrap_or_else(|| "-".as_ref());
        if json.is_none() {
            for part in &whole.parts {
                server_tools::tell(part, context);
            }
        }
        match (self.out, json) {
            (None, Some(json)) => printer.json(&json)?,
            (None, None) if self.block.is_none() => {
                let mut sources = Sources::default();
                match args.manner.shows_sources(context) {
                    true => {
                        let marked = sources::marked(&whole.parts, &mut sources);
                        print(&marked, args, context, service)?;
                    }
                    false => print(&content, args, context, service)?,
                }
                sources.print(context)?;
                answer::print_calls(context, whole)?;
                made::save(&media, 1, &Beside::Here, shown)?;
            }
            (None, None) => {
                printer.data(&part(self.block, &content, whole)?)?;
                made::save(&media, 1, &Beside::Here, shown)?;
            }
            (Some(out), Some(json)) => {
                let text = serde_json::to_string(&json).unwrap_or_default() + "\n";
                written(out, path, text.as_bytes(), context)?;
            }
            (Some(out), None) => match media.split_first() {
                // What was made is what the file is for.
                Some((first, rest)) if content.is_empty() || made::is_medium(path) => {
                    print(&content, args, context, service)?;
                    write(out, path, first.data())?;
                    made::told(path, first, shown);
                    made::save(rest, 2, &Beside::File(path), shown)?;
                }
                _ => {
                    let text = match args.manner.lists_sources() && self.block.is_none() {
                        true => {
                            let mut sources = Sources::default();
                            let marked = sources::marked(&whole.parts, &mut sources);
                            let below = sources.below();
                            part(None, &marked, whole)? + &below
                        }
                        false => part(self.block, &content, whole)?,
                    };
                    written(out, path, text.as_bytes(), context)?;
                    made::save(&media, 1, &Beside::File(path), shown)?;
                }
            },
        }
        if !context.json {
            answer::note_end(context, whole);
        }
        Ok(())
    }
}

fn write(mut out: Output, path: &Path, data: &[u8]) -> Result<(), Failure> {
    let done = out.write_all(data).and_then(|()| out.finish());
    done.map_err(|error| Failure::Usage(format!("cannot write {}: {error}", path.display())))
}

fn written(out: Output, path: &Path, data: &[u8], context: &Context) -> Result<(), Failure> {
    write(out, path, data)?;
    let path = path.display();
    context.printer.note(&format!("written to {path}"));
    Ok(())
}

/// The answer on standard output: drawn where a person looks, else as it is.
fn print(
    content: &str,
    args: &Args,
    context: &Context,
    service: &MultiLlmService,
) -> Result<(), Failure> {
    let mut show = args.manner.show(context, service);
    if content.is_empty() {
        return Ok(());
    }
    if !show.is_drawn() {
        return Ok(context.printer.data(&format!("{content}\n"))?);
    }
    show.text(content)?;
    show.end()
}

/// What of the answer is wanted.
fn part(block: Option<Block>, content: &str, whole: &ChatResponse) -> Result<String, Failure> {
    let Some(block) = block else {
        let content = (!content.is_empty()).then(|| content.to_owned());
        let lines = content.into_iter().chain(answer::calls(whole));
        return Ok(lines.map(|line| line + "\n").collect());
    };
    let mut blocks = extract::blocks(content);
    let found = match block {
        Block::First => (!blocks.is_empty()).then(|| blocks.swap_remove(0)),
        Block::Last => blocks.pop(),
    };
    found.ok_or_else(|| {
        let mut error = multillm::Error::new(
            multillm::ErrorKind::MalformedResponse,
            "the answer has no code block: \"multillm history show last\" shows it",
        );
        error.model = Some(whole.model.clone());
        error.provider = Some(whole.provider.clone());
        error.into()
    })
}
