//! Breakpoints of the prompt cache: how many, and in which order of lifetimes.
//! <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>

use serde_json::Value;

use crate::wire::{items_of, text_of};

use super::Trouble;

/// The most blocks with `cache_control`.
const MOST: usize = 4;

/// Checks all marks of a body in the order of the prompt.
pub(super) fn check(body: &Value) -> Result<(), Trouble> {
    let messages = items_of(body, "messages").iter();
    let blocks = messages.flat_map(|message| items_of(message, "content"));
    let all = items_of(body, "tools")
        .iter()
        .chain(items_of(body, "system"))
        .chain(blocks);
    let marks: Vec<&Value> = all.filter_map(|thing| thing.get("cache_control")).collect();
    if marks.len() > MOST {
        return Err(Trouble::invalid(format!(
            "A maximum of {MOST} blocks with cache_control may be provided. Found {}.",
            marks.len()
        )));
    }
    let mut short = false;
    for mark in marks {
        match text_of(mark, "ttl") {
            "1h" if short => {
                return Err(Trouble::invalid(
                    "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
                ));
            }
            "1h" => {}
            _ => short = true,
        }
    }
    Ok(())
}
