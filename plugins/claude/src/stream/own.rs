//! A block of the vendor's own in a stream: most come whole, some in pieces. Whatever it is, it is
//! put together to be sent back.

use std::borrow::Cow;

use multillm_plugin_sdk::json::Json;

/// An open block.
pub(super) struct Own {
    kind: String,
    /// The block as it was opened.
    data: String,
    /// Pieces of its `input`, as JSON text.
    input: String,
    /// Deltas of other kinds, each as JSON text.
    deltas: Vec<String>,
}

impl Own {
    /// A block that was opened as `data`.
    pub(super) fn new(kind: &str, data: &str) -> Self {
        Own {
            kind: kind.to_owned(),
            data: data.to_owned(),
            input: String::new(),
            deltas: Vec::new(),
        }
    }

    /// Adds a piece of the input's JSON text.
    pub(super) fn add_input(&mut self, piece: &str) {
        self.input.push_str(piece);
    }

    /// Adds a delta of any other kind.
    pub(super) fn add(&mut self, delta: &Json<'_>) {
        self.deltas.push(delta.to_string());
    }

    /// Its kind, and the whole block. It stays byte for byte as it came where nothing was added.
    pub(super) fn close(self) -> (String, String) {
        let input = Json::parse(&self.input).ok();
        let is_whole = input.is_none() && self.deltas.is_empty();
        let data = match Json::parse(&self.data) {
            Ok(Json::Object(mut block)) if !is_whole => {
                if let Some(input) = input {
                    extend(&mut block, Cow::Borrowed("input"), input);
                }
                for delta in &self.deltas {
                    if let Ok(Json::Object(fields)) = Json::parse(delta) {
                        for (key, value) in fields {
                            extend(&mut block, key, value);
                        }
                    }
                }
                Json::Object(block).to_string()
            }
            _ => self.data,
        };
        (self.kind, data)
    }
}

/// Adds a field: text goes behind the text that is there, anything else replaces.
fn extend<'a>(block: &mut Vec<(Cow<'a, str>, Json<'a>)>, key: Cow<'a, str>, value: Json<'a>) {
    if key == "type" || value == Json::Null {
        return;
    }
    let field = block.iter_mut().find(|(name, _)| *name == key);
    match (field, value) {
        (Some((_, Json::Text(text))), Json::Text(more)) => text.to_mut().push_str(&more),
        (Some((_, field)), value) => *field = value,
        (None, value) => block.push((key, value)),
    }
}
