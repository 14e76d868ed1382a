//! Parts of contents.

use multillm::chat::{
    Extra, MediaPart, OpaquePart, Part, ReasoningPart, ResultPart, TextPart, ToolCall, ToolResult,
};
use serde_json::Value;

use super::super::asked::Notes;
use super::super::body::{Fault, Object, Read, json};
use super::super::{mark, media};
use super::WIRE;

/// A call that has no result yet.
pub(super) struct Open {
    id: String,
    name: String,
}

/// The parts of a content, in order.
pub(super) fn parts(
    content: &Object<'_>,
    place: &str,
    notes: &mut Notes,
    origin: &mut Option<String>,
    open: &mut Vec<Open>,
) -> Read<Vec<Part>> {
    let mut parts = vec![];
    for (at, value) in content
        .list("parts")?
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        let within = |fault: Fault| fault.within(format!("parts[{at}]"));
        let place = format!("{place}.parts[{at}]");
        let one = Object::of(value).map_err(within)?.camel();
        let read = part(&one, &place, notes, origin, open).map_err(within)?;
        parts.push(match read {
            Some(part) => part,
            None => {
                notes.own(&place);
                let kind = one.unread().next().unwrap_or_default().to_owned();
                Part::Opaque(OpaquePart {
                    kind,
                    data: json(value).map_err(within)?.to_string(),
                })
            }
        });
    }
    Ok(parts)
}

fn part(
    one: &Object<'_>,
    place: &str,
    notes: &mut Notes,
    origin: &mut Option<String>,
    open: &mut Vec<Open>,
) -> Read<Option<Part>> {
    let written = one.peek("thoughtSignature").is_some();
    let signature = |one: &Object<'_>, origin: &mut Option<String>| -> Read<Option<String>> {
        let Some(signature) = one.text("thoughtSignature")? else {
            return Ok(None);
        };
        let (plugin, own) = mark::unpacked(&signature);
        *origin = plugin.or(origin.take());
        Ok((!own.is_empty()).then_some(own))
    };
    let mut part = if let Some(text) = one.text("text")? {
        let signature = signature(one, origin)?;
        match one.get("thought")?.unwrap_or(false) {
            true => Part::Reasoning(ReasoningPart {
                text,
                signature,
                ..ReasoningPart::default()
            }),
            false => Part::Text(TextPart {
                text,
                signature,
                ..TextPart::default()
            }),
        }
    } else if let Some(call) = one.object("functionCall")? {
        let call = call.camel();
        let signature = signature(one, origin)?;
        Part::ToolCall(
            called(&call, signature, open).map_err(|fault| fault.within("functionCall"))?,
        )
    } else if let Some(response) = one.object("functionResponse")? {
        let response = response.camel();
        let read = returned(&response, open);
        Part::ToolResult(read.map_err(|fault| fault.within("functionResponse"))?)
    } else if let Some(inline) = one.object("inlineData")? {
        let inline = inline.camel();
        let within = |fault: Fault| fault.within("inlineData");
        let kind = inline.text("mimeType").map_err(within)?.unwrap_or_default();
        let data = inline.required("data").map_err(within)?;
        // Clients write base64 for URLs, too.
        let data = data.replace('-', "+").replace('_', "/");
        Part::Media(media::of_base64(&kind, &data).map_err(|fault| within(fault.within("data")))?)
    } else if let Some(file) = one.object("fileData")? {
        let file = file.camel();
        let within = |fault: Fault| fault.within("fileData");
        let mut media = MediaPart::url(file.required("fileUri").map_err(within)?);
        media.media_type = file.text("mimeType").map_err(within)?;
        Part::Media(media)
    } else {
        return Ok(None);
    };
    if written {
        one.raw("thoughtSignature");
    }
    notes.unread(one, &[], place);
    let tail = Extra::of(WIRE, one.rest()?);
    match &mut part {
        Part::Text(text) => text.extra = tail,
        Part::Reasoning(thought) => thought.extra = tail,
        Part::Media(media) => media.extra = tail,
        Part::ToolCall(call) => call.extra = tail,
        Part::ToolResult(result) => result.extra = tail,
        _ => {}
    }
    Ok(Some(part))
}

/// A call; most have no id.
fn called(call: &Object<'_>, signature: Option<String>, open: &mut Vec<Open>) -> Read<ToolCall> {
    let given = call.text("id")?.filter(|id| !id.is_empty());
    let local = given.is_none();
    let name = call.required("name")?;
    let id = given.unwrap_or_else(|| format!("call_{}", open.len()));
    open.push(Open {
        id: id.clone(),
        name: name.clone(),
    });
    let arguments = call.json("args")?;
    Ok(ToolCall {
        id,
        name,
        arguments: arguments.map_or_else(|| "{}".to_owned(), |args| args.to_string()),
        local,
        signature,
        ..ToolCall::default()
    })
}

/// A result belongs to the call of its id, else to the first of its tool that has none.
fn returned(response: &Object<'_>, open: &mut [Open]) -> Read<ToolResult> {
    let name = response.required("name")?;
    let given = response.text("id")?.filter(|id| !id.is_empty());
    let fits = |call: &Open| match &given {
        Some(id) => call.id == *id,
        None => call.name == name,
    };
    let call = open.iter().position(fits);
    let local = given.is_none();
    let id = match call {
        // The place stays, so that the ids of calls that follow are new.
        Some(at) => open.get_mut(at).map(|call| {
            call.name.clear();
            call.id.clone()
        }),
        None => given,
    };
    let said = response.json("response")?.unwrap_or_default();
    let members = said.to_value().unwrap_or_default();
    // A text is wrapped, for what was returned must be an object on this wire.
    let wrapped = ["result", "output", "content", "error"]
        .iter()
        .find_map(|name| match &members {
            Value::Object(all) if all.len() == 1 => all.get(*name)?.as_str().map(str::to_owned),
            _ => None,
        });
    let is_error =
        matches!(&members, Value::Object(all) if all.len() == 1 && all.contains_key("error"));
    let mut content = vec![ResultPart::Text {
        text: wrapped.unwrap_or_else(|| said.to_string()),
    }];
    for value in response.list("parts")?.unwrap_or_default() {
        let part = Object::of(value)?.camel();
        if let Some(inline) = part.object("inlineData")? {
            let inline = inline.camel();
            let kind = inline.text("mimeType")?.unwrap_or_default();
            content.push(ResultPart::Media(media::of_base64(
                &kind,
                &inline.required("data")?,
            )?));
        }
    }
    Ok(ToolResult {
        call_id: id.unwrap_or_default(),
        name,
        content,
        is_error,
        local,
        ..ToolResult::default()
    })
}
