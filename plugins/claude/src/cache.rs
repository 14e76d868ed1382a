//! Breakpoints of the prompt cache: the caller's marks, or those that a setting asks for.
//!
//! The vendor keeps a beginning of the prompt (tools, system text, turns) up to each mark for five
//! minutes or an hour, takes four marks at most, and looks for what it has from the last one
//! backwards. <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>

use multillm_plugin_sdk::{Cache, ChatRequest, Part, Role};

use crate::tree::Tree;

/// The member that marks what is worth keeping.
pub(crate) const CACHE: &str = "cache_control";

/// The most marks that the vendor takes.
const MOST: usize = 4;

/// For five minutes.
static SHORT: Cache = Cache { seconds: None };
/// For an hour.
static LONG: Cache = Cache {
    seconds: Some(3600),
};

/// What the setting `prompt_cache` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Nothing but what the caller marks.
    #[default]
    Off,
    /// Tools, system text and the last two turns of the user, for five minutes.
    Auto,
    /// The same for an hour.
    Hour,
}

/// A mark as the vendor wants it: five minutes unless a longer time is asked for, then the
/// vendor's only other, an hour.
pub(crate) fn control(cache: &Cache) -> Tree<'static> {
    let is_long = cache.seconds.is_some_and(|seconds| seconds > 300);
    Tree::object([("type", "ephemeral".into())]).with("ttl", is_long.then_some("1h"))
}

/// Which marks are sent.
pub(crate) struct Marks<'a> {
    kept: Vec<&'a Cache>,
    own: Option<&'static Cache>,
}

impl<'a> Marks<'a> {
    /// The marks of a request. Those of the caller's exclude those of the setting: nobody knows
    /// better what is said again. Of more than four the first stays, which is shared most, and the
    /// last three.
    pub(crate) fn of(request: &'a ChatRequest, keeping: Keeping) -> Self {
        let mut kept = marks(request);
        if kept.len() > MOST {
            let last = kept.split_off(kept.len() - (MOST - 1));
            kept.truncate(1);
            kept.extend(last);
        }
        let own = match keeping {
            Keeping::Off => None,
            _ if !kept.is_empty() || is_marked_by_hand(request) => None,
            Keeping::Auto => Some(&SHORT),
            Keeping::Hour => Some(&LONG),
        };
        Marks { kept, own }
    }

    /// The mark of a thing, if it is sent.
    pub(crate) fn kept(&self, mark: Option<&'a Cache>) -> Option<&'a Cache> {
        mark.filter(|mark| self.kept.iter().any(|kept| std::ptr::eq(*kept, *mark)))
    }

    /// The mark that the setting asks for.
    pub(crate) fn own(&self) -> Option<&'static Cache> {
        self.own
    }
}

/// The caller's marks in the vendor's order.
fn marks(request: &ChatRequest) -> Vec<&Cache> {
    let tools = request.tools.iter().filter_map(|tool| tool.cache.as_ref());
    let of = |system: bool| {
        let messages = request.messages.iter();
        messages
            .filter(move |message| (message.role == Role::System) == system)
            .flat_map(|message| &message.content)
            .filter_map(|part| match part {
                Part::Text(text) if text.text.trim().is_empty() => None,
                Part::Text(text) => text.cache.as_ref(),
                Part::Media(media) => media.cache.as_ref(),
                Part::ToolResult(result) => result.cache.as_ref(),
                _ => None,
            })
    };
    tools.chain(of(true)).chain(of(false)).collect()
}

/// Whether an open tail holds a mark.
fn is_marked_by_hand(request: &ChatRequest) -> bool {
    let holds = |extra: &Option<String>| {
        let extra = extra.as_deref();
        extra.is_some_and(|extra| extra.contains(CACHE))
    };
    let parts = request.messages.iter().flat_map(|message| &message.content);
    holds(&request.extra)
        || request.tools.iter().any(|tool| holds(&tool.extra))
        || request.server_tools.iter().any(|tool| holds(&tool.options))
        || request.messages.iter().any(|message| holds(&message.extra))
        || parts.into_iter().any(|part| match part {
            Part::Text(text) => holds(&text.extra),
            Part::Media(media) => holds(&media.extra),
            Part::ToolCall(call) => holds(&call.extra),
            Part::ToolResult(result) => holds(&result.extra),
            Part::Opaque(block) => block.data.contains(CACHE),
            Part::Reasoning(_) | Part::ServerToolCall(_) | Part::ServerToolResult(_) => false,
        })
}

#[cfg(test)]
mod tests;
