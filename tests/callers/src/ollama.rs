//! Ollama's chats.

use serde_json::Value;

use crate::value::{list, maybe_list, maybe_text, member, text, word};
use crate::{Call, Fault, Heard};

fn line(line: &Value, heard: &mut Heard) -> Result<bool, Fault> {
    word(line, "model")?;
    let time = word(line, "created_at")?;
    if !(time.ends_with('Z') && time.contains('T')) {
        return Err(format!("created_at {time}"));
    }
    match line.get("message") {
        Some(message) => {
            if text(message, "role")? != "assistant" {
                return Err(format!("of another role: {line}"));
            }
            said(message, "content", heard)?;
        }
        None => said(line, "response", heard)?,
    }
    let done = member(line, "done")?.as_bool();
    let done = done.ok_or_else(|| format!("done in {line}"))?;
    if done {
        heard.end = Some(word(line, "done_reason")?.to_owned());
        let count = |name: &str| line.get(name).and_then(Value::as_u64);
        heard.usage = count("prompt_eval_count").zip(count("eval_count"));
    }
    Ok(done)
}

fn said(of: &Value, name: &str, heard: &mut Heard) -> Result<(), Fault> {
    heard.text.push_str(text(of, name)?);
    heard
        .thoughts
        .push_str(maybe_text(of, "thinking")?.unwrap_or_default());
    for call in maybe_list(of, "tool_calls")? {
        let function = member(call, "function")?;
        let arguments = member(function, "arguments")?;
        if !arguments.is_object() {
            return Err(format!("arguments that are no object: {call}"));
        }
        heard.calls.push(Call {
            id: maybe_text(call, "id")?.unwrap_or_default().to_owned(),
            name: word(function, "name")?.to_owned(),
            arguments: arguments.to_string(),
        });
    }
    if of.get("images").is_some() {
        list(of, "images")?;
    }
    Ok(())
}

pub(crate) fn whole(body: &Value) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    match line(body, &mut heard)? {
        true => Ok(heard),
        false => Err("a whole answer that is not done".to_owned()),
    }
}

pub(crate) fn stream(lines: &[Value]) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    for (at, one) in lines.iter().enumerate() {
        let last = at + 1 == lines.len();
        if one.get("error").is_some() {
            heard.error = Some(word(one, "error")?.to_owned());
            return match last && heard.end.is_none() {
                true => Ok(heard),
                false => Err("an error that is not the end".to_owned()),
            };
        }
        if line(one, &mut heard)? && !last {
            return Err("something behind the end".to_owned());
        }
    }
    Ok(heard)
}
