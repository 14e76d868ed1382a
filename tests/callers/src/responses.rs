//! OpenAI's Responses.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::frames::Event;
use crate::value::{arguments, count, list, maybe_list, maybe_text, member, says, text, word};
use crate::{Call, Fault, Heard};

fn usage(response: &Value, heard: &mut Heard) -> Result<(), Fault> {
    let Some(of) = response.get("usage").filter(|of| !of.is_null()) else {
        return Ok(());
    };
    heard.usage = Some((count(of, "input_tokens")?, count(of, "output_tokens")?));
    count(of, "total_tokens")?;
    count(member(of, "input_tokens_details")?, "cached_tokens")?;
    count(member(of, "output_tokens_details")?, "reasoning_tokens")?;
    heard.cached = of
        .pointer("/input_tokens_details/cached_tokens")
        .and_then(Value::as_u64);
    Ok(())
}

/// An item as it is when it is complete.
fn item(item: &Value, heard: &mut Heard) -> Result<(), Fault> {
    match word(item, "type")? {
        "message" => {
            word(item, "id")?;
            says(item, "role", "assistant")?;
            says(item, "status", "completed")?;
            for piece in list(item, "content")? {
                match word(piece, "type")? {
                    "output_text" => {
                        heard.text.push_str(text(piece, "text")?);
                        for annotation in list(piece, "annotations")? {
                            word(annotation, "type")?;
                            heard
                                .cited
                                .extend(maybe_text(annotation, "url")?.map(str::to_owned));
                        }
                    }
                    "refusal" => heard.text.push_str(text(piece, "refusal")?),
                    other => return Err(format!("a piece of type {other}")),
                }
            }
        }
        "reasoning" => {
            word(item, "id")?;
            for piece in list(item, "summary")? {
                says(piece, "type", "summary_text")?;
                heard.thoughts.push_str(text(piece, "text")?);
            }
            for piece in maybe_list(item, "content")? {
                says(piece, "type", "reasoning_text")?;
            }
            maybe_text(item, "encrypted_content")?;
        }
        kind @ ("function_call" | "custom_tool_call") => {
            let said = match kind {
                "function_call" => text(item, "arguments")?,
                _ => text(item, "input")?,
            };
            heard.calls.push(Call {
                id: word(item, "call_id")?.to_owned(),
                name: word(item, "name")?.to_owned(),
                arguments: said.to_owned(),
            });
        }
        // Tools of the vendor's, and what is new.
        _ => {}
    }
    Ok(())
}

fn shell(response: &Value) -> Result<(), Fault> {
    word(response, "id")?;
    says(response, "object", "response")?;
    count(response, "created_at")?;
    word(response, "model")?;
    for name in ["tools", "output"] {
        list(response, name)?;
    }
    for name in [
        "error",
        "incomplete_details",
        "parallel_tool_calls",
        "tool_choice",
        "text",
    ] {
        member(response, name)?;
    }
    Ok(())
}

pub(crate) fn whole(body: &Value) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    shell(body)?;
    for one in list(body, "output")? {
        item(one, &mut heard)?;
    }
    usage(body, &mut heard)?;
    let end = match text(body, "status")? {
        "completed" => {
            for call in &heard.calls {
                if let Some(one) = list(body, "output")?.iter().find(|one| {
                    one.get("type").and_then(Value::as_str) == Some("function_call")
                        && one.get("call_id").and_then(Value::as_str) == Some(&call.id)
                }) {
                    arguments(text(one, "arguments")?)?;
                }
            }
            "completed"
        }
        "incomplete" => word(member(body, "incomplete_details")?, "reason")?,
        "failed" => {
            heard.error = Some(word(member(body, "error")?, "message")?.to_owned());
            "failed"
        }
        other => return Err(format!("status {other}")),
    };
    heard.end = Some(end.to_owned());
    Ok(heard)
}

/// An item under way.
struct Open {
    item: Value,
    /// What deltas said.
    said: String,
    done: Option<Value>,
}

pub(crate) fn stream(events: &[Event]) -> Result<Heard, Fault> {
    let mut heard = Heard::default();
    let mut items: BTreeMap<u64, Open> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let said = event.json()?;
        says(&said, "type", &event.name)?;
        if count(&said, "sequence_number")? != at as u64 {
            return Err(format!("event {at} has another number: {said}"));
        }
        let last = at + 1 == events.len();
        match (at, event.name.as_str()) {
            (0, "response.created") | (1, "response.in_progress") => {
                let response = member(&said, "response")?;
                shell(response)?;
                says(response, "status", "in_progress")?;
            }
            (0 | 1, other) => return Err(format!("{other} before the beginning")),
            (_, "response.output_item.added") => {
                let place = count(&said, "output_index")?;
                if place != items.len() as u64 {
                    return Err(format!("an item out of turn: {said}"));
                }
                items.insert(
                    place,
                    Open {
                        item: member(&said, "item")?.clone(),
                        said: String::new(),
                        done: None,
                    },
                );
            }
            (_, "response.completed" | "response.incomplete" | "response.failed") if last => {
                let response = member(&said, "response")?;
                if event.name == "response.failed" && heard.error.is_some() {
                    shell(response)?;
                    says(response, "status", "failed")?;
                    return Ok(heard);
                }
                let whole = whole(response)?;
                let done: Option<Vec<&Value>> =
                    items.values().map(|open| open.done.as_ref()).collect();
                let output: Vec<&Value> = list(response, "output")?.iter().collect();
                return match done == Some(output) {
                    true => Ok(whole),
                    false => Err("the items of the end are not those of the stream".to_owned()),
                };
            }
            (_, "error") => {
                heard.error = Some(word(&said, "message")?.to_owned());
            }
            (_, name) => within(&mut items, name, &said, &mut heard)?,
        }
    }
    Ok(heard)
}

fn within(
    items: &mut BTreeMap<u64, Open>,
    name: &str,
    said: &Value,
    heard: &mut Heard,
) -> Result<(), Fault> {
    let open = items.get_mut(&count(said, "output_index")?);
    let open = open.filter(|open| open.done.is_none());
    let open = open.ok_or_else(|| format!("of an item that is not open: {said}"))?;
    if name == "response.output_item.done" {
        let item = member(said, "item")?;
        for name in ["id", "type"] {
            if open.item.get(name) != item.get(name) {
                return Err(format!("an item that changed its {name}: {said}"));
            }
        }
        let mut whole = Heard::default();
        self::item(item, &mut whole)?;
        let words = match word(item, "type")? {
            "message" => whole.text,
            "reasoning" => whole.thoughts,
            "function_call" | "custom_tool_call" => whole
                .calls
                .pop()
                .map(|call| call.arguments)
                .unwrap_or_default(),
            _ => String::new(),
        };
        // A call without arguments is told none, and has `{}`.
        if words != open.said && !(open.said.is_empty() && words == "{}") {
            return Err(format!(
                "{:?} was said, and {words:?} is the whole",
                open.said
            ));
        }
        open.done = Some(item.clone());
        return Ok(());
    }
    if said.get("item_id") != open.item.get("id") {
        return Err(format!("of another item: {said}"));
    }
    let kind = word(&open.item, "type")?;
    let fits = match name.rsplit_once('.').map_or(name, |(name, _)| name) {
        "response.output_text" | "response.content_part" | "response.output_text.annotation" => {
            count(said, "content_index")?;
            kind == "message"
        }
        "response.reasoning_summary_text" | "response.reasoning_summary_part" => {
            count(said, "summary_index")?;
            kind == "reasoning"
        }
        "response.function_call_arguments" => kind == "function_call",
        "response.custom_tool_call_input" => kind == "custom_tool_call",
        other => return Err(format!("{other} is unknown")),
    };
    if !fits {
        return Err(format!("{name} in an item of type {kind}"));
    }
    if name.ends_with(".delta") {
        let more = text(said, "delta")?;
        open.said.push_str(more);
        match kind {
            "message" => heard.text.push_str(more),
            "reasoning" => heard.thoughts.push_str(more),
            _ => {}
        }
    }
    if name.ends_with("text.done") && text(said, "text")? != open.said {
        return Err(format!("not what was said: {said}"));
    }
    Ok(())
}
