//! What has to be known of a body before it is known what becomes of it: the model and where its name stands, whether
//! a stream is wanted, and which wire it is in.
//!
//! A conversation may have megabytes, and a relay needs none of it: so the body is passed over once, string by
//! string, and taken apart no further than its outermost members.

use std::ops::Range;

use memchr::{memchr, memmem};
use multillm::{Error, ErrorKind, Result};

use super::mark::{MARK, PACKED};
use super::{Entry, Face};

/// The beginning of a body's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The model, as the caller names it; absent where the caller leaves it to us.
    pub model: Option<String>,
    /// Where the values of `model` stand, quotes included, whatever the case of its letters. A body may hold several;
    /// who reads the first and who reads the last must read the same name.
    pub names: Vec<Range<usize>>,
    /// Whether a stream is wanted.
    pub stream: bool,
    /// The wire that the body is in.
    pub shape: Face,
    /// The body is in the entry's wire, and all of it is the caller's own: it may be relayed.
    pub relayable: bool,
    /// The body, or the path, has a place for the name.
    named: bool,
    /// Behind the brace that opens the body.
    start: usize,
    /// The body has no members.
    empty: bool,
}

impl Head {
    /// The body with another model's name, and nothing else changed. A body that named none names one afterwards,
    /// unless the wire has no place for it.
    #[must_use]
    pub fn splice(&self, body: &[u8], model: &str) -> Vec<u8> {
        let name = serde_json::Value::from(model).to_string();
        let mut spliced = Vec::with_capacity(body.len() + name.len() + 16);
        let mut end = 0;
        if !self.named {
            spliced.extend_from_slice(body.get(..self.start).unwrap_or_default());
            let comma = if self.empty { "" } else { "," };
            spliced.extend_from_slice(format!(r#""model":{name}{comma}"#).as_bytes());
            end = self.start;
        }
        for range in &self.names {
            spliced.extend_from_slice(body.get(end..range.start).unwrap_or_default());
            spliced.extend_from_slice(name.as_bytes());
            end = range.end;
        }
        spliced.extend_from_slice(body.get(end..).unwrap_or_default());
        spliced
    }
}

/// Passes a body over.
pub(super) fn read(entry: &Entry, body: &[u8]) -> Result<Head> {
    let broken = || {
        Error::new(
            ErrorKind::InvalidRequest,
            "the body is no JSON object: send one",
        )
    };
    let mut outline = Outline::new(entry.face);
    let (start, empty) = outline.pass(body).ok_or_else(broken)?;
    let shape = outline.shape(body);
    let model = match (&entry.model, &outline.model) {
        (Some(model), _) => Some(model.clone()),
        (None, Some(range)) => {
            let value = body.get(range.clone()).unwrap_or_default();
            let name: Option<String> = serde_json::from_slice(value).map_err(|_| {
                Error::new(
                    ErrorKind::InvalidRequest,
                    "model: expected the name of a model",
                )
            })?;
            name
        }
        (None, None) => None,
    };
    let foreign = entry.face == Face::OpenAiChat && outline.is_mixed(body);
    Ok(Head {
        model: model.filter(|name| !name.is_empty()),
        stream: entry.stream.unwrap_or(outline.stream),
        shape,
        relayable: shape == entry.face
            && shape != Face::OllamaGenerate
            && !foreign
            && memmem::find(body, MARK.as_bytes()).is_none()
            && (shape != Face::Gemini || memmem::find(body, PACKED.as_bytes()).is_none()),
        named: entry.model.is_some() || outline.model.is_some(),
        names: match entry.model {
            Some(_) => vec![],
            None => outline.names,
        },
        start,
        empty,
    })
}

/// The outermost members, as far as they matter.
struct Outline {
    face: Face,
    names: Vec<Range<usize>>,
    /// The last of them that the wire reads.
    model: Option<Range<usize>>,
    stream: bool,
    messages: bool,
    input: bool,
    anthropic: bool,
    tools: Option<Range<usize>>,
}

impl Outline {
    fn new(face: Face) -> Self {
        Outline {
            face,
            names: vec![],
            model: None,
            stream: matches!(face, Face::OllamaChat | Face::OllamaGenerate),
            messages: false,
            input: false,
            anthropic: false,
            tools: None,
        }
    }

    /// Says where the members begin, and whether there are none; nothing if this is no object.
    fn pass(&mut self, body: &[u8]) -> Option<(usize, bool)> {
        let mut at = blank(body, 0);
        if *body.get(at)? != b'{' {
            return None;
        }
        at += 1;
        let start = at;
        at = blank(body, at);
        let empty = *body.get(at)? == b'}';
        if empty {
            return (blank(body, at + 1) == body.len()).then_some((start, empty));
        }
        loop {
            let name = at..string(body, at)?;
            at = blank(body, name.end);
            if *body.get(at)? != b':' {
                return None;
            }
            at = blank(body, at + 1);
            let value = at..passed(body, at)?;
            self.member(body, name, value.clone());
            at = blank(body, value.end);
            match *body.get(at)? {
                b',' => at = blank(body, at + 1),
                b'}' => {
                    at += 1;
                    break;
                }
                _ => return None,
            }
        }
        (blank(body, at) == body.len()).then_some((start, empty))
    }

    fn member(&mut self, body: &[u8], name: Range<usize>, value: Range<usize>) {
        let quoted = body.get(name).unwrap_or_default();
        let written = quoted
            .get(1..quoted.len().saturating_sub(1))
            .unwrap_or_default();
        let plain: String;
        let mut name = match written.contains(&b'\\') {
            false => std::str::from_utf8(written).unwrap_or_default(),
            true => {
                plain = serde_json::from_slice(quoted).unwrap_or_default();
                &plain
            }
        };
        // Ollama reads names whatever their case, and so do servers that speak other wires: none of them may find
        // another model than that which was chosen.
        if name.eq_ignore_ascii_case("model") {
            self.names.push(value.clone());
        }
        let lower: String;
        if matches!(self.face, Face::OllamaChat | Face::OllamaGenerate) {
            lower = name.to_ascii_lowercase();
            name = &lower;
        }
        let is = |word: &[u8]| body.get(value.clone()) == Some(word);
        match name {
            "model" => self.model = Some(value),
            "stream" if is(b"true") => self.stream = true,
            "stream" if is(b"false") => self.stream = false,
            "messages" => self.messages = true,
            "input" => self.input = true,
            "tools" => self.tools = Some(value),
            "system" | "stop_sequences" | "anthropic_version" | "thinking" => {
                self.anthropic = true;
            }
            _ => {}
        }
    }

    /// The wire: bodies of others come to the entry of OpenAI's chat.
    fn shape(&self, body: &[u8]) -> Face {
        match self.face {
            Face::OpenAiChat if self.input && !self.messages => Face::OpenAiResponses,
            Face::OpenAiChat if self.anthropic && self.speaks_anthropic(body) => {
                Face::AnthropicMessages
            }
            face => face,
        }
    }

    /// Members of Anthropic's are known to compatible servers of OpenAI's wire too: a body is the one or the other
    /// by what stands deeper in it.
    fn speaks_anthropic(&self, body: &[u8]) -> bool {
        let of_openai = typed(body, &["image_url", "function", "input_audio"])
            || memmem::find(body, br#""tool_calls""#).is_some()
            || memmem::find(body, br#""tool_call_id""#).is_some();
        let roles = valued(body, "role", &["system", "developer", "tool"]);
        !of_openai && !roles
    }

    /// Tools or blocks of another wire's in a body of OpenAI's chat.
    fn is_mixed(&self, body: &[u8]) -> bool {
        let flat = self.tools.clone().is_some_and(|tools| {
            let tools = body.get(tools).unwrap_or_default();
            tools.starts_with(b"[")
                && tools.len() > 2
                && !keyed(tools, "function")
                && !keyed(tools, "custom")
        });
        flat || typed(body, &["tool_use", "tool_result"])
    }
}

/// Whether something says that its type is one of these.
fn typed(body: &[u8], types: &[&str]) -> bool {
    valued(body, "type", types)
}

/// Whether a member of this name has one of these texts. What stands within a text is not found: its quotes are
/// escaped there.
fn valued(body: &[u8], name: &str, values: &[&str]) -> bool {
    values.iter().any(|value| {
        let quoted = format!("\"{value}\"");
        memmem::find_iter(body, quoted.as_bytes()).any(|at| {
            let before = body.get(..at).unwrap_or_default().trim_ascii_end();
            let before = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end);
            before.is_some_and(|before| before.ends_with(format!("\"{name}\"").as_bytes()))
        })
    })
}

/// Whether there is a member of this name.
fn keyed(text: &[u8], name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    memmem::find_iter(text, quoted.as_bytes()).any(|at| {
        let after = text.get(at + quoted.len()..).unwrap_or_default();
        after.trim_ascii_start().starts_with(b":")
    })
}

fn blank(body: &[u8], mut at: usize) -> usize {
    while matches!(body.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Behind the string that begins here.
fn string(body: &[u8], at: usize) -> Option<usize> {
    if *body.get(at)? != b'"' {
        return None;
    }
    let start = at + 1;
    let mut at = start;
    loop {
        // Texts have more escapes than quotes: so those are counted only before a quote.
        at += memchr(b'"', body.get(at..)?)?;
        let before = body.get(start..at)?;
        let escapes = before.iter().rev().take_while(|byte| **byte == b'\\');
        if escapes.count() % 2 == 0 {
            return Some(at + 1);
        }
        at += 1;
    }
}

/// Behind the value that begins here.
fn passed(body: &[u8], at: usize) -> Option<usize> {
    match *body.get(at)? {
        b'"' => string(body, at),
        b'{' | b'[' => nested(body, at),
        _ => {
            let rest = body.get(at..)?;
            let ends =
                |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            let length = rest.iter().position(ends)?;
            (length > 0).then_some(at + length)
        }
    }
}

fn nested(body: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match *body.get(at)? {
            b'"' => {
                at = string(body, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests;
