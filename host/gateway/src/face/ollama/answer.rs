//! Whole answers, and what they have in common with the lines of streamed ones.

use multillm::chat::{ChatResponse, FinishReason, Json, JsonObject, Part, ToolCall};
use serde_json::{Value, json};

use super::super::asked::Reply;
use super::super::{Face, calls, framing, media};
use super::WIRE;

/// The body of a whole answer.
pub(in super::super) fn whole(reply: &Reply, answer: &ChatResponse) -> Vec<u8> {
    let (mut text, mut thoughts) = (String::new(), String::new());
    let (mut tools, mut pictures) = (vec![], vec![]);
    for part in &answer.parts {
        match part {
            Part::Text(part) => text.push_str(&part.text),
            Part::Reasoning(thought) => thoughts.push_str(&thought.text),
            Part::ToolCall(call) => tools.push(called(reply, call, tools.len(), &answer.plugin)),
            Part::Media(media) => pictures.extend(media::base64(media).map(|(_, data)| data)),
            _ => {}
        }
    }
    let mut line = head(reply);
    let thoughts = (!thoughts.is_empty()).then_some(thoughts);
    say(
        reply,
        &mut line,
        &text,
        thoughts.as_deref(),
        tools,
        pictures,
    );
    end(&mut line, answer);
    framing::body(&line)
}

/// The answer to a request that asks nothing: the model is there.
pub(in super::super) fn loaded(reply: &Reply) -> Vec<u8> {
    let mut line = head(reply);
    say(reply, &mut line, "", None, vec![], vec![]);
    line.insert("done", true);
    line.insert("done_reason", "load");
    framing::body(&line)
}

/// What every line begins with.
pub(super) fn head(reply: &Reply) -> JsonObject {
    let mut line = JsonObject::new();
    line.insert("model", reply.model.as_str());
    line.insert("created_at", time(reply.stamp.created, reply.stamp.nanos));
    line
}

/// A time as RFC 3339 writes it, in UTC.
pub(in super::super) fn time(seconds: u64, nanos: u32) -> String {
    let days = seconds / 86_400;
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    // Howard Hinnant, "chrono-compatible low-level date algorithms": days since 1970 to a date, from the year 0 on.
    let day = days + 719_468;
    let era = day / 146_097;
    let of_era = day % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// What a line says, in a message or as it is.
pub(super) fn say(
    reply: &Reply,
    line: &mut JsonObject,
    text: &str,
    thoughts: Option<&str>,
    tools: Vec<Json>,
    pictures: Vec<String>,
) {
    let calls: Vec<&str> = tools.iter().map(Json::as_str).collect();
    let calls = Json::parse(&format!("[{}]", calls.join(","))).unwrap_or_default();
    let say = |name: &str, message: &mut JsonObject| {
        message.insert(name, text);
        if let Some(thoughts) = thoughts {
            message.insert("thinking", thoughts);
        }
        if !pictures.is_empty() {
            message.insert("images", json!(pictures));
        }
        if !tools.is_empty() {
            message.insert("tool_calls", calls.clone());
        }
    };
    if reply.form.face == Face::OllamaGenerate {
        return say("response", line);
    }
    let mut message = JsonObject::new();
    message.insert("role", "assistant");
    say("content", &mut message);
    line.insert("message", message);
}

/// A call. Its arguments are an object here.
pub(super) fn called(reply: &Reply, call: &ToolCall, place: usize, plugin: &str) -> Json {
    let given = (!call.local).then_some(call.id.as_str());
    let id = calls::id(
        given,
        place,
        &reply.stamp.id,
        plugin,
        call.signature.as_deref(),
    );
    let arguments = match Json::parse(calls::arguments(&call.arguments)) {
        Ok(object) if object.is_object() => object,
        _ => json!({ "_raw": call.arguments }).into(),
    };
    let mut function = JsonObject::new();
    function.insert("index", place);
    function.insert("name", call.name.as_str());
    function.insert("arguments", arguments);
    let mut told = JsonObject::new();
    told.insert("id", id);
    told.insert("function", function);
    told.into()
}

/// What the last line says besides.
pub(super) fn end(line: &mut JsonObject, answer: &ChatResponse) {
    line.insert("done", true);
    let reason = match answer.finish_reason {
        FinishReason::Length => "length",
        FinishReason::Error => "error",
        _ => "stop",
    };
    line.insert("done_reason", reason);
    let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let first = answer.time_to_first_token.unwrap_or_default();
    line.insert("total_duration", nanos(answer.latency));
    line.insert("load_duration", 0);
    let mut count = |name: &str, count: Option<u64>| {
        if let Some(count) = count {
            line.insert(name, Value::from(count));
        }
    };
    count("prompt_eval_count", answer.usage.prompt_tokens);
    count("prompt_eval_duration", Some(nanos(first)));
    count("eval_count", answer.usage.completion_tokens);
    count(
        "eval_duration",
        Some(nanos(answer.latency.saturating_sub(first))),
    );
    if let Some(own) = answer.extra.get(WIRE) {
        line.complete(own);
    }
}
