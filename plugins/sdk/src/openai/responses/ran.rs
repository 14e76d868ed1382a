//! What tools did that the vendor runs: one item is the call and its result.

use super::super::wire::owned;
use super::server::name_of;
use crate::events::Events;
use crate::json::Json;
use crate::{Media, MediaSource, Opaque, ResultPart, ServerToolCall, ServerToolResult};

/// The block of a result whose item went with its call: there is nothing to send back for it.
const SAID: &str = "{}";

/// Tells an item that is a call of such a tool, and what of its result can be shown.
pub(super) fn tell(kind: &str, item: &Json<'_>, events: &mut Events) {
    let id = item.text("id").or(item.text("call_id")).map(str::to_owned);
    let name = name_of(kind);
    let drawn = match kind {
        "image_generation_call" => item.text("result"),
        _ => None,
    };
    let picture = drawn.and_then(|data| picture(item, data, id.clone()));
    events.server_tool_call(ServerToolCall {
        id: id.clone(),
        name: name.clone(),
        input: input(kind, item),
        data: match picture {
            // The picture is a part of the answer, and goes back from there.
            Some(_) => without(item, "result"),
            None => item.to_string(),
        },
    });
    if let Some(picture) = picture {
        events.media(picture);
        return;
    }
    let (content, is_error) = returned(kind, item);
    if !content.is_empty() || is_error {
        events.server_tool_result(ServerToolResult {
            call_id: id,
            name,
            is_error,
            content,
            data: SAID.to_owned(),
        });
    }
}

/// What the tool was asked.
fn input(kind: &str, item: &Json<'_>) -> Option<String> {
    let one = |name: &str| {
        let value = owned(item.get(name)?);
        Some(Json::Object(vec![(name.to_owned().into(), value)]))
    };
    let asked = match kind {
        "code_interpreter_call" => one("code"),
        "file_search_call" => one("queries"),
        "image_generation_call" => one("revised_prompt"),
        _ => {
            let said = ["action", "arguments", "operation", "input"];
            let said = said.iter().find_map(|name| item.get(name));
            match said {
                // JSON as text.
                Some(Json::Text(text)) => {
                    return Json::parse(text).is_ok().then(|| text.to_string());
                }
                said => said.map(owned),
            }
        }
    };
    asked.map(|asked| asked.to_string())
}

/// What of a result can be shown, and whether the tool failed.
fn returned(kind: &str, item: &Json<'_>) -> (Vec<ResultPart>, bool) {
    let failed = item.text("status") == Some("failed");
    let list = |name: &str| item.get(name).map_or(&[][..], Json::list);
    let content = match kind {
        "code_interpreter_call" => list("outputs").iter().filter_map(output).collect(),
        "file_search_call" => list("results")
            .iter()
            .map(|one| opaque("file_search_result", one))
            .collect(),
        "mcp_call" => {
            let error = item.get("error").map(|error| match error {
                Json::Text(text) => text.to_string(),
                other => other.to_string(),
            });
            let failed = failed || error.is_some();
            let said = error.or_else(|| item.text("output").map(str::to_owned));
            return (said.map(ResultPart::Text).into_iter().collect(), failed);
        }
        _ => Vec::new(),
    };
    (content, failed)
}

/// What a program printed or drew.
fn output(output: &Json<'_>) -> Option<ResultPart> {
    Some(
        match (output.text("type"), output.text("logs"), output.text("url")) {
            (_, Some(logs), _) => ResultPart::Text(logs.to_owned()),
            (_, None, Some(url)) => ResultPart::Media(Media::told(url).readable()?),
            (Some(kind), None, None) if kind != "logs" => opaque(kind, output),
            _ => return None,
        },
    )
}

fn opaque(kind: &str, data: &Json<'_>) -> ResultPart {
    ResultPart::Opaque(Opaque {
        kind: kind.to_owned(),
        data: data.to_string(),
    })
}

fn picture(item: &Json<'_>, data: &str, id: Option<String>) -> Option<Media> {
    let format = item.text("output_format").unwrap_or("png");
    let media_type = Some(format!("image/{format}"));
    let mut media = Media::from_source(MediaSource::Base64(data.to_owned()), media_type);
    media.extra = id.map(|id| Json::object([("id", id.into())]).to_string());
    media.readable()
}

/// An item without one of its members.
fn without(item: &Json<'_>, name: &str) -> String {
    match item {
        Json::Object(members) => {
            let rest = members.iter().filter(|(known, _)| known != name);
            Json::Object(rest.cloned().collect()).to_string()
        }
        other => other.to_string(),
    }
}
