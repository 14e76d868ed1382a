//! System text: one string, or a list of blocks where a text bears more than its words.

use multillm_plugin_sdk::body::tail;
use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{Cache, Error, Message, Part};

use super::{Block, is_blank};
use crate::cache::Marks;
use crate::tree::Tree;

/// The texts of all system messages, each with its open tails.
#[derive(Debug, Default)]
pub(crate) struct System<'a>(Vec<Said<'a>>);

/// A text, and what it bears beside its words.
#[derive(Debug)]
struct Said<'a> {
    text: &'a str,
    cache: Option<&'a Cache>,
    tails: Vec<Json<'a>>,
}

impl Said<'_> {
    fn is_plain(&self) -> bool {
        self.cache.is_none() && self.tails.is_empty()
    }
}

impl<'a> System<'a> {
    /// Adds a message. What it says of itself goes to the last of its texts: there is nothing
    /// else that it becomes.
    pub(super) fn add(&mut self, message: &'a Message, marks: &Marks<'a>) -> Result<(), Error> {
        let before = self.0.len();
        for part in &message.content {
            match part {
                Part::Text(text) if is_blank(&text.text) => {}
                Part::Text(text) => {
                    let tail = tail("a text", text.extra.as_deref())?;
                    self.0.push(Said {
                        text: &text.text,
                        cache: marks.kept(text.cache.as_ref()),
                        tails: tail.into_iter().collect(),
                    });
                }
                _ => return Err(Error::unsupported("a system message can only hold text")),
            }
        }
        let own = tail("a message", message.extra.as_deref())?;
        let added = self.0.get_mut(before..).and_then(<[_]>::last_mut);
        if let Some(said) = added {
            said.tails.extend(own);
        }
        Ok(())
    }

    /// Marks the end of what the caller says.
    pub(super) fn mark(&mut self, mark: &'static Cache) {
        if let Some(said) = self.0.last_mut() {
            said.cache = Some(mark);
        }
    }

    /// What the request says, with an instruction of the adapter's own at the end.
    pub(crate) fn tree(self, instruction: Option<&'static str>) -> Option<Tree<'a>> {
        let mut texts = self.0;
        texts.extend(instruction.map(|text| Said {
            text,
            cache: None,
            tails: Vec::new(),
        }));
        if texts.is_empty() {
            return None;
        }
        if texts.iter().all(Said::is_plain) {
            let texts: Vec<&str> = texts.iter().map(|said| said.text).collect();
            return Some(texts.join("\n\n").into());
        }
        let blocks = texts.into_iter().map(|said| {
            let block = Block::Text {
                text: said.text,
                citations: None,
                cache: said.cache,
                tail: None,
            };
            Tree::from(block).with_tails(said.tails)
        });
        Some(Tree::List(blocks.collect()))
    }
}
