//! OpenAI's chat completions.

use serde_json::Value;

use crate::frames::Event;
use crate::value::{arguments, count, list, maybe_list, maybe_text, member, says, text, word};
use crate::{Call, Fault, Heard};

const ENDS: [&str; 6] = [
    "stop",
    "length",
    "tool_calls",
    "content_filter",
    "function_call",
    // No word of OpenAI's, and the only way to say that an answer is none.
    "error",
];

fn end(choice: &Value) -> Result<String, Fault> {
    let word = text(choice, "finish_reason")?;
    match ENDS.contains(&word) {
        true => Ok(word.to_owned()),
        false => Err(format!("finish_reason {word:?}")),
    }
}

fn usage(of: &Value, heard: &mut Heard) -> Result<(), Fault> {
    let (prompt, completion) = (count(of, "prompt_tokens")?, count(of, "completion_tokens")?);
    count(of, "total_tokens")?;
    heard.usage = Some((prompt, completion));
    heard.cached = of
        .pointer("/prompt_tokens_details/cached_tokens")
        .and_then(Value::as_u64);
    Ok(())
}

fn cited(of: &Value, heard: &mut Heard) -> Result<(), Fault> {
    for annotation in maybe_list(of, "annotations")? {
        says(annotation, "type", "url_citation")?;
        let inner = member(annotation, "url_citation")?;
        count(inner, "start_index")?;
        count(inner, "end_index")?;
        text(inner, "title")?;
        heard.cited.push(word(inner, "url")?.to_owned());
    }
    Ok(())
}

/// The kind of a call, and the name of the member that holds what it says.
fn kind(call: &Value) -> Result<(&str, &'static str), Fault> {
    match text(call, "type")? {
        "function" => Ok(("function", "arguments")),
        "custom" => Ok(("custom", "input")),
        other => Err(format!("a call of type {other}")),
    }
}

pub(crate) fn whole(body: &Value) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    word(body, "id")?;
    says(body, "object", "chat.completion")?;
    count(body, "created")?;
    word(body, "model")?;
    let [choice] = list(body, "choices")? else {
        return Err("not one choice".to_owned());
    };
    if count(choice, "index")? != 0 {
        return Err("the first choice is not the first".to_owned());
    }
    heard.end = Some(end(choice)?);
    let message = member(choice, "message")?;
    says(message, "role", "assistant")?;
    heard.text = match member(message, "content")? {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => return Err(format!("content {other}")),
    };
    heard.thoughts = maybe_text(message, "reasoning_content")?
        .unwrap_or_default()
        .to_owned();
    cited(message, &mut heard)?;
    for call in maybe_list(message, "tool_calls")? {
        let (kind, said) = kind(call)?;
        let inner = member(call, kind)?;
        let said = text(inner, said)?;
        if kind == "function" && heard.end.as_deref() == Some("tool_calls") {
            arguments(said)?;
        }
        heard.calls.push(Call {
            id: word(call, "id")?.to_owned(),
            name: word(inner, "name")?.to_owned(),
            arguments: said.to_owned(),
        });
    }
    if let Some(of) = body.get("usage").filter(|of| !of.is_null()) {
        usage(of, &mut heard)?;
    }
    Ok(heard)
}

pub(crate) fn stream(events: &[Event]) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    let mut shell: Option<(String, String)> = None;
    let mut begun = false;
    for (at, event) in events.iter().enumerate() {
        if !event.name.is_empty() {
            return Err(format!("an event with the name {}", event.name));
        }
        if event.data == "[DONE]" {
            return match at + 1 == events.len() && heard.end.is_some() {
                true => Ok(heard),
                false => Err("[DONE] without an end, or before the end".to_owned()),
            };
        }
        let chunk = event.json()?;
        if let Some(error) = chunk.get("error") {
            heard.error = Some(word(error, "message")?.to_owned());
            if heard.end.is_some() || at + 1 != events.len() {
                return Err("an error that is not the end".to_owned());
            }
            return Ok(heard);
        }
        says(&chunk, "object", "chat.completion.chunk")?;
        count(&chunk, "created")?;
        let this = (
            word(&chunk, "id")?.to_owned(),
            word(&chunk, "model")?.to_owned(),
        );
        if shell.get_or_insert_with(|| this.clone()) != &this {
            return Err("a chunk of another answer".to_owned());
        }
        match list(&chunk, "choices")? {
            [] => usage(member(&chunk, "usage")?, &mut heard)?,
            [choice] if heard.end.is_none() => {
                let delta = member(choice, "delta")?;
                if !begun {
                    says(delta, "role", "assistant")?;
                } else if delta.get("role").is_some() {
                    return Err("a second role".to_owned());
                }
                begun = true;
                piece(delta, &mut heard)?;
                if !member(choice, "finish_reason")?.is_null() {
                    heard.end = Some(end(choice)?);
                }
            }
            _ => return Err("more choices, or something behind the end".to_owned()),
        }
    }
    match heard.end {
        // Nothing said that this was all.
        Some(_) => Err("an end without [DONE]".to_owned()),
        None => Ok(heard),
    }
}

fn piece(delta: &Value, heard: &mut Heard) -> Result<(), Fault> {
    heard
        .text
        .push_str(maybe_text(delta, "content")?.unwrap_or_default());
    heard
        .thoughts
        .push_str(maybe_text(delta, "reasoning_content")?.unwrap_or_default());
    for name in ["annotations", "citations", "images", "reasoning_details"] {
        for element in maybe_list(delta, name)? {
            // By it OpenAI's own client puts lists together, and breaks off without.
            count(element, "index")?;
        }
    }
    cited(delta, heard)?;
    for call in maybe_list(delta, "tool_calls")? {
        let index = usize::try_from(count(call, "index")?).unwrap_or(usize::MAX);
        let known = heard.calls.len();
        if index == known {
            let (kind, said) = kind(call)?;
            let inner = member(call, kind)?;
            heard.calls.push(Call {
                id: word(call, "id")?.to_owned(),
                name: word(inner, "name")?.to_owned(),
                arguments: text(inner, said)?.to_owned(),
            });
            continue;
        }
        let Some(open) = heard.calls.get_mut(index) else {
            return Err(format!("call {index} of {known}"));
        };
        // What stands there again, a reader takes for new.
        if call.get("id").is_some() || call.get("type").is_some() {
            return Err(format!("a further piece with an id or a type: {call}"));
        }
        let inner = call.get("function").or(call.get("custom"));
        let inner = inner.ok_or_else(|| format!("a piece of nothing: {call}"))?;
        if inner.get("name").is_some() {
            return Err(format!("a further piece with a name: {call}"));
        }
        let more = maybe_text(inner, "arguments")?.or(maybe_text(inner, "input")?);
        open.arguments.push_str(more.unwrap_or_default());
    }
    Ok(())
}
