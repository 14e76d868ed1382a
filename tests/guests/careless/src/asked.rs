//! Mistakes in what is taken of a request.

use multillm_plugin_sdk::{ChatRequest, Error, Message, Part, ResponseFormat, Role};

/// Leaves something of a request out, as the fault says, or refuses what was promised.
pub(crate) fn forget(request: &mut ChatRequest, fault: &str) -> Result<(), Error> {
    match fault {
        "drops-system" => request
            .messages
            .retain(|message| message.role != Role::System),
        "last-turn-only" => {
            let last = request.messages.len().saturating_sub(1);
            request.messages.drain(..last);
        }
        "first-part-only" => request.messages.iter_mut().for_each(|message| {
            message.content.truncate(1);
        }),
        "trims-texts" => texts(request, |text| text.trim().to_owned()),
        "plain-letters-only" => texts(request, |text| text.replace(|c: char| !c.is_ascii(), "?")),
        "swaps-turns" => {
            let turns = request.messages.len();
            if turns > 2 {
                request.messages.swap(1, turns - 1);
            }
        }
        "drops-tools" => request.tools.clear(),
        "drops-descriptions" => request
            .tools
            .iter_mut()
            .for_each(|tool| tool.description = None),
        "drops-results" => request
            .messages
            .retain(|message| message.role != Role::Tool),
        "refuses-seed" if request.sampling.seed.is_some() => {
            return Err(Error::unsupported("no seeds here"));
        }
        "drops-temperature" => request.sampling.temperature = None,
        "drops-stop" => request.sampling.stop.clear(),
        "drops-seed" => request.sampling.seed = None,
        "drops-limit" => request.sampling.max_tokens = None,
        "drops-effort" => request.reasoning_effort = None,
        "drops-format" => request.response_format = ResponseFormat::Text,
        "drops-pictures" => request
            .messages
            .iter_mut()
            .for_each(|message: &mut Message| {
                message
                    .content
                    .retain(|part| !matches!(part, Part::Media(_)));
            }),
        "drops-extra" => request.extra = None,
        _ => {}
    }
    Ok(())
}

fn texts(request: &mut ChatRequest, change: impl Fn(&str) -> String) {
    for part in request
        .messages
        .iter_mut()
        .flat_map(|message| &mut message.content)
    {
        if let Part::Text(text) = part {
            text.text = change(&text.text);
        }
    }
}
