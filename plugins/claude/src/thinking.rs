//! How much a model is to think, and how many tokens it may write.
//!
//! Models from Claude 3.7 to 4.5 take a budget in tokens, which counts towards `max_tokens` and
//! must be smaller; from 4.6 on they take an effort and decide themselves.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::{ChatRequest, Effort, Error};

use crate::model::{Model, Style};
use crate::settings::{Display, Settings, tokens};

/// The smallest budget that the vendor takes, in tokens.
const MIN_BUDGET: u32 = 1024;

/// The request's `thinking`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// Think for at most so many tokens.
    Enabled { budget_tokens: u32 },
    /// Think when it helps.
    Adaptive { display: Display },
    /// Do not think.
    Disabled,
}

impl From<Thinking> for Json<'_> {
    fn from(thinking: Thinking) -> Self {
        match thinking {
            Thinking::Enabled { budget_tokens } => Json::object([
                ("type", "enabled".into()),
                ("budget_tokens", budget_tokens.into()),
            ]),
            Thinking::Adaptive { display } => Json::object([
                ("type", "adaptive".into()),
                ("display", display.word().into()),
            ]),
            Thinking::Disabled => Json::object([("type", "disabled".into())]),
        }
    }
}

/// What follows for the request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan<'a> {
    pub(crate) thinking: Option<Thinking>,
    /// For `output_config.effort`.
    pub(crate) effort: Option<&'a str>,
    pub(crate) max_tokens: u32,
    /// The model will think, by our word or by the caller's `extra`.
    pub(crate) thinks: bool,
}

/// Facts of the request that bear on thinking.
#[derive(Clone, Copy, Default)]
pub(crate) struct Circumstances<'a> {
    /// `thinking` as the caller's `extra` has it: it then stands instead of ours.
    pub(crate) own: Option<&'a Json<'a>>,
    /// A tool must be called.
    pub(crate) forced_tool: bool,
    /// The model is in the middle of calling tools, and did not think before it called.
    pub(crate) thoughtless_loop: bool,
}

impl Plan<'_> {
    /// No thoughts, and this limit.
    pub(crate) fn plain(model: Model, limit: Option<u32>) -> Self {
        Plan {
            thinking: None,
            effort: None,
            max_tokens: limit.unwrap_or_else(|| model.default_answer()),
            thinks: false,
        }
    }
}

/// Decides on thinking and the limit of tokens.
///
/// # Errors
///
/// `unsupported` where the model cannot think as asked, `invalid-request` where the limit leaves
/// no room for thoughts.
pub(crate) fn plan<'a>(
    model: Model,
    settings: &Settings,
    request: &'a ChatRequest,
    facts: Circumstances<'_>,
) -> Result<Plan<'a>, Error> {
    let limit = request.sampling.max_tokens.or(settings.max_tokens);
    let plain = Plan::plain(model, limit);
    let effort = request.effort();
    if let Some(own) = facts.own {
        let room = own.get("budget_tokens").and_then(tokens).unwrap_or(0);
        return Ok(Plan {
            effort: effort
                .filter(|_| model.style() == Style::Adaptive)
                .and_then(level),
            max_tokens: limit.unwrap_or_else(|| model.default_answer().saturating_add(room)),
            thinks: own.text("type") != Some("disabled"),
            ..plain
        });
    }
    match (model.style(), effort) {
        (Style::Never | Style::Budget, Some(Effort::None)) => Ok(plain),
        (Style::Never, Some(_)) => Err(Error::unsupported(
            "this model cannot think: leave the reasoning effort out, or use Claude 3.7 or later",
        )),
        (Style::Never, None) => Ok(plain),
        (Style::Budget, None) if settings.thinking_budget.is_none() => Ok(plain),
        (Style::Budget, Some(Effort::Other(word))) => Err(Error::unsupported(format!(
            "claude takes no reasoning effort {word:?} for this model, which thinks by a number of tokens: say none, minimal, low, medium, high or max"
        ))),
        (Style::Budget, effort) => {
            if facts.forced_tool {
                return Err(Error::unsupported(
                    "this model cannot be forced to call a tool while it thinks: set the tool choice to auto or the reasoning effort to none",
                ));
            }
            if facts.thoughtless_loop {
                // The vendor wants the calls of the running tool loop to begin with a thought.
                // There is none (they were made without thinking, or by another vendor's model).
                return Ok(plain);
            }
            budget(model, settings, effort, limit).map(|(budget_tokens, max_tokens)| Plan {
                thinking: Some(Thinking::Enabled { budget_tokens }),
                effort: None,
                max_tokens,
                thinks: true,
            })
        }
        (Style::Adaptive, None) => Ok(plain),
        (Style::Adaptive, Some(Effort::None)) => Ok(Plan {
            thinking: model.can_stop_thinking().then_some(Thinking::Disabled),
            ..plain
        }),
        (Style::Adaptive, Some(effort)) => Ok(Plan {
            // With a forced tool the effort alone is sent: thoughts and force exclude each other.
            thinking: (!facts.forced_tool).then_some(Thinking::Adaptive {
                display: settings.thinking_display,
            }),
            effort: level(effort),
            max_tokens: limit.unwrap_or_else(|| {
                let room = model.default_answer() + allowance(model, effort);
                room.min(model.output_limit())
            }),
            thinks: !facts.forced_tool,
        }),
    }
}

/// The budget and the limit that holds it.
fn budget(
    model: Model,
    settings: &Settings,
    effort: Option<Effort<'_>>,
    limit: Option<u32>,
) -> Result<(u32, u32), Error> {
    let wanted = settings
        .thinking_budget
        .unwrap_or_else(|| allowance(model, effort.unwrap_or(Effort::Medium)))
        .max(MIN_BUDGET);
    match limit {
        Some(limit) if limit <= MIN_BUDGET => Err(Error::invalid_request(format!(
            "thinking needs max_tokens above {MIN_BUDGET}, not {limit}: raise it, or set the reasoning effort to none"
        ))),
        // A fifth at least remains for the answer.
        Some(limit) => Ok((wanted.min((limit - limit / 5).max(MIN_BUDGET)), limit)),
        None => {
            let room = wanted.saturating_add(model.default_answer());
            let capped = room.min(model.output_limit());
            Ok((wanted, if capped > wanted { capped } else { room }))
        }
    }
}

/// Tokens to think by effort.
fn allowance(model: Model, effort: Effort<'_>) -> u32 {
    match effort {
        Effort::None => 0,
        Effort::Minimal => MIN_BUDGET,
        Effort::Low => 2048,
        Effort::Medium => 8192,
        Effort::High => 16_384,
        // A word of the vendor's own is one for much: it has words for little already.
        Effort::Max | Effort::Other(_) => {
            model.output_limit().saturating_sub(model.default_answer())
        }
    }
}

/// The vendor's word for an effort. It has none for the least.
fn level(effort: Effort<'_>) -> Option<&str> {
    match effort {
        Effort::None => None,
        Effort::Minimal | Effort::Low => Some("low"),
        Effort::Medium => Some("medium"),
        Effort::High => Some("high"),
        Effort::Max => Some("max"),
        Effort::Other(word) => Some(word),
    }
}

#[cfg(test)]
mod tests;
