//! Every text of a request that a person, a program, a tool or a model wrote, in the order of the conversation.
//!
//! Thoughts are among them: what was put back into them when they were shown has to come out again before they are
//! sent back, and then they are what the vendor signed. Not among them, because vendors refuse them changed:
//! signatures, encrypted thoughts, blocks of vendors' own, ids and names of calls, schemas.
#![allow(
    clippy::indexing_slicing,
    reason = "places were found in the same text just before"
)]

use crate::{ChatRequest, Message, Part, ResultPart};

/// Sees every text, and may change it. The texts in arguments of calls and in `extra` are seen one by one, without
/// JSON's escapes; a number in them that is changed becomes a text.
pub fn each(request: &mut ChatRequest, mut change: impl FnMut(&mut String)) {
    for message in &mut request.messages {
        each_of(message, &mut change);
    }
    for tool in &mut request.tools {
        tool.description.iter_mut().for_each(&mut change);
    }
    request.user.iter_mut().for_each(&mut change);
    if let Some(extra) = &mut request.extra {
        each_in_json(extra, &mut change);
    }
}

/// The same for one message.
pub fn each_of(message: &mut Message, change: &mut impl FnMut(&mut String)) {
    for part in &mut message.content {
        match part {
            Part::Text(text) => {
                change(&mut text.text);
                for citation in &mut text.citations {
                    citation.title.iter_mut().for_each(&mut *change);
                    citation.cited_text.iter_mut().for_each(&mut *change);
                }
            }
            Part::ToolCall(call) => each_in_json(&mut call.arguments, change),
            Part::ToolResult(result) => {
                for part in &mut result.content {
                    if let ResultPart::Text(text) = part {
                        change(text);
                    }
                }
            }
            Part::Reasoning(thought) => change(&mut thought.text),
            Part::Media(media) => media.name.iter_mut().for_each(&mut *change),
            Part::ServerToolCall(_) | Part::ServerToolResult(_) | Part::Opaque(_) => {}
        }
    }
    if let Some(extra) = &mut message.extra {
        each_in_json(extra, change);
    }
}

/// The texts and numbers of a JSON text, also of one that was cut off. What is no object or list is a text itself.
pub fn each_in_json(json: &mut String, change: &mut impl FnMut(&mut String)) {
    if !json.trim_start().starts_with(['{', '[']) {
        return change(json);
    }
    let mut new = String::new();
    // What stands before here is in `new`.
    let mut taken = 0;
    let mut rest = 0;
    while let Some((start, end)) = next_scalar(json, rest) {
        rest = end;
        let Some(written) = json.get(start..end) else {
            break;
        };
        let is_text = written.starts_with('"');
        let read = match is_text {
            true => unescaped(written),
            false => written.to_owned(),
        };
        let mut text = read.clone();
        change(&mut text);
        if text != read {
            new += &json[taken..start];
            let quoted = serde_json::to_string(&text).unwrap_or_default();
            let open = is_text && !ends(written);
            new += match open {
                // It was cut off, and stays so.
                true => &quoted[..quoted.len() - 1],
                false => &quoted,
            };
            taken = end;
        }
    }
    if taken > 0 {
        new += &json[taken..];
        *json = new;
    }
}

/// A text in quotes, the last of which may be missing.
fn unescaped(written: &str) -> String {
    let whole = serde_json::from_str(written);
    let cut = whole.or_else(|_| serde_json::from_str(&format!("{written}\"")));
    cut.unwrap_or_else(|_| written[1..].to_owned())
}

/// Whether a text in quotes has its last one.
fn ends(written: &str) -> bool {
    let slashes = written.len() - 1 - written[..written.len() - 1].trim_end_matches('\\').len();
    written.len() > 1 && written.ends_with('"') && slashes.is_multiple_of(2)
}

/// Where the next text, with its quotes, or number begins and ends.
fn next_scalar(json: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = json.as_bytes();
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => {
                let mut end = at + 1;
                loop {
                    match bytes.get(end) {
                        None => return Some((at, bytes.len())),
                        Some(b'\\') => end += 2,
                        Some(b'"') => return Some((at, end + 1)),
                        Some(_) => end += 1,
                    }
                }
            }
            b'-' | b'0'..=b'9' => {
                let number =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let length = bytes[at..].iter().take_while(|byte| number(byte)).count();
                return Some((at, at + length));
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(json: &str) -> String {
        let mut json = json.to_owned();
        each_in_json(&mut json, &mut |text| {
            *text = text.replace("a@b.c", "\"X\"").replace("4111", "Y");
        });
        json
    }

    #[test]
    fn texts_in_json_are_seen_without_escapes_and_everything_else_stays() {
        for (json, expected) in [
            (r#"{"a": "x"}"#, r#"{"a": "x"}"#),
            (
                r#"{"b":"line\na@b.c",  "n": 1.50}"#,
                r#"{"b":"line\n\"X\"",  "n": 1.50}"#,
            ),
            (r#"{"n":4111,"m":[4111, -2]}"#, r#"{"n":"Y","m":["Y", -2]}"#),
            (r#"{"a":"a\u0040b.c"}"#, r#"{"a":"\"X\""}"#),
            (r#"{"a":"cut a@b.c"#, r#"{"a":"cut \"X\""#),
            (r#"{"a":"cut \"#, r#"{"a":"cut \"#),
            ("mail a@b.c", "mail \"X\""),
            ("", ""),
            (r#"{"ü":"ä a@b.c ö"}"#, r#"{"ü":"ä \"X\" ö"}"#),
        ] {
            assert_eq!(changed(json), expected, "{json}");
        }
    }
}
