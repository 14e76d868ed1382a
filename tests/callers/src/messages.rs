//! Anthropic's messages.

use serde_json::Value;

use crate::frames::Event;
use crate::value::{arguments, count, list, maybe_list, member, says, text, word};
use crate::{Call, Fault, Heard};

const ENDS: [&str; 8] = [
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
    // No word of Anthropic's: see the reader of OpenAI's chat.
    "error",
];

fn end(of: &Value) -> Result<String, Fault> {
    let word = text(of, "stop_reason")?;
    match ENDS.contains(&word) {
        true => Ok(word.to_owned()),
        false => Err(format!("stop_reason {word:?}")),
    }
}

fn usage(of: &Value, heard: &mut Heard) -> Result<(), Fault> {
    count(of, "input_tokens")?;
    count(of, "output_tokens")?;
    let count = |name: &str| of.get(name).and_then(Value::as_u64);
    let (read, written) = (
        count("cache_read_input_tokens"),
        count("cache_creation_input_tokens"),
    );
    let kept = read.unwrap_or(0) + written.unwrap_or(0);
    heard.usage = count("input_tokens").zip(count("output_tokens"));
    heard.usage = heard.usage.map(|(input, output)| (input + kept, output));
    heard.cached = read;
    Ok(())
}

fn cited(citation: &Value, heard: &mut Heard) -> Result<(), Fault> {
    word(citation, "type")?;
    text(citation, "cited_text")?;
    if let Some(url) = citation.get("url").and_then(Value::as_str) {
        heard.cited.push(url.to_owned());
    }
    Ok(())
}

/// A block as it is when it is complete.
fn block(block: &Value, heard: &mut Heard) -> Result<(), Fault> {
    match word(block, "type")? {
        "text" => {
            heard.text.push_str(text(block, "text")?);
            for citation in maybe_list(block, "citations")? {
                cited(citation, heard)?;
            }
        }
        "thinking" => {
            heard.thoughts.push_str(text(block, "thinking")?);
            text(block, "signature")?;
        }
        "redacted_thinking" => drop(word(block, "data")?),
        "tool_use" => {
            let input = member(block, "input")?;
            if !input.is_object() {
                return Err(format!("an input that is no object: {block}"));
            }
            heard.calls.push(Call {
                id: word(block, "id")?.to_owned(),
                name: word(block, "name")?.to_owned(),
                arguments: input.to_string(),
            });
        }
        // New types may come at any time.
        _ => {}
    }
    Ok(())
}

fn shell(message: &Value) -> Result<(), Fault> {
    word(message, "id")?;
    says(message, "type", "message")?;
    says(message, "role", "assistant")?;
    word(message, "model")?;
    Ok(())
}

pub(crate) fn whole(body: &Value) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    shell(body)?;
    for one in list(body, "content")? {
        block(one, &mut heard)?;
    }
    heard.end = Some(end(body)?);
    usage(member(body, "usage")?, &mut heard)?;
    Ok(heard)
}

/// A block under way: as it began, and the pieces of its input.
struct Open {
    block: Value,
    input: String,
    ended: bool,
}

pub(crate) fn stream(events: &[Event]) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    let mut blocks: Vec<Open> = vec![];
    let mut begun = false;
    for (at, event) in events.iter().enumerate() {
        let said = event.json()?;
        says(&said, "type", &event.name)?;
        let last = at + 1 == events.len();
        match event.name.as_str() {
            "ping" => {}
            "message_start" if !begun => {
                begun = true;
                let message = member(&said, "message")?;
                shell(message)?;
                count(member(message, "usage")?, "input_tokens")?;
                if !list(message, "content")?.is_empty() {
                    return Err("a message that begins with content".to_owned());
                }
            }
            "error" if last => {
                let error = member(&said, "error")?;
                word(error, "type")?;
                heard.error = Some(word(error, "message")?.to_owned());
                return so_far(heard, &blocks);
            }
            _ if !begun => return Err(format!("{} before the message", event.name)),
            _ if heard.end.is_some() && event.name != "message_stop" => {
                return Err(format!("{} behind the end", event.name));
            }
            "content_block_start" => {
                if count(&said, "index")? != blocks.len() as u64 {
                    return Err(format!("a block out of turn: {said}"));
                }
                blocks.push(Open {
                    block: member(&said, "content_block")?.clone(),
                    input: String::new(),
                    ended: false,
                });
            }
            "content_block_delta" => delta(open(&mut blocks, &said)?, member(&said, "delta")?)?,
            "content_block_stop" => open(&mut blocks, &said)?.ended = true,
            "message_delta" => {
                if blocks.iter().any(|open| !open.ended) {
                    return Err("the end before that of a block".to_owned());
                }
                heard.end = Some(end(member(&said, "delta")?)?);
                usage(member(&said, "usage")?, &mut heard)?;
            }
            "message_stop" if last && heard.end.is_some() => return complete(heard, blocks),
            other => return Err(format!("{other} out of place")),
        }
    }
    match heard.end {
        Some(_) => Err("an end without message_stop".to_owned()),
        None => so_far(heard, &blocks),
    }
}

fn open<'a>(blocks: &'a mut [Open], said: &Value) -> Result<&'a mut Open, Fault> {
    let index = usize::try_from(count(said, "index")?).unwrap_or(usize::MAX);
    match blocks.get_mut(index) {
        Some(open) if !open.ended => Ok(open),
        _ => Err(format!("of a block that is not open: {said}")),
    }
}

fn delta(open: &mut Open, delta: &Value) -> Result<(), Fault> {
    let kind = word(&open.block, "type")?.to_owned();
    let mut grow = |name: &str, more: &str| {
        let grown = format!(
            "{}{more}",
            open.block
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        );
        if let Some(members) = open.block.as_object_mut() {
            members.insert(name.to_owned(), grown.into());
        }
    };
    match (word(delta, "type")?, kind.as_str()) {
        ("text_delta", "text") => grow("text", text(delta, "text")?),
        ("thinking_delta", "thinking") => grow("thinking", text(delta, "thinking")?),
        ("signature_delta", "thinking") => grow("signature", text(delta, "signature")?),
        ("input_json_delta", "tool_use") => open.input.push_str(text(delta, "partial_json")?),
        ("citations_delta", "text") => {
            let citation = member(delta, "citation")?.clone();
            let members = open.block.as_object_mut();
            let list = members.map(|members| {
                members
                    .entry("citations")
                    .or_insert_with(|| Value::Array(vec![]))
            });
            if let Some(Value::Array(list)) = list {
                list.push(citation);
            }
        }
        (delta, kind) => return Err(format!("{delta} in a block of {kind}")),
    }
    Ok(())
}

fn complete(mut heard: Heard, blocks: Vec<Open>) -> Result<Heard, Fault> {
    for mut open in blocks {
        if !open.input.is_empty() {
            let cut = heard.end.as_deref() != Some("tool_use");
            match arguments(&open.input) {
                Ok(()) => {
                    let input =
                        serde_json::from_str(&open.input).map_err(|error| error.to_string())?;
                    if let Some(members) = open.block.as_object_mut() {
                        members.insert("input".to_owned(), input);
                    }
                }
                Err(_) if cut => {}
                Err(fault) => return Err(fault),
            }
        }
        block(&open.block, &mut heard)?;
    }
    Ok(heard)
}

fn so_far(mut heard: Heard, blocks: &[Open]) -> Result<Heard, Fault> {
    for open in blocks {
        match word(&open.block, "type")? {
            "text" => heard.text.push_str(text(&open.block, "text")?),
            "thinking" => heard.thoughts.push_str(text(&open.block, "thinking")?),
            _ => {}
        }
    }
    Ok(heard)
}
