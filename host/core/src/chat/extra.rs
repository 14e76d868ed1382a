//! Open tails: what a vendor's wire says or takes beyond the unified form, kept by wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::JsonObject;

/// What stands beside the unified form of a thing, by wire: `{"anthropic-messages": {…}}`.
///
/// On the way to a vendor the object of its wire is merged last into what the adapter makes of the
/// thing; on the way back it is what the vendor said beyond the unified form. No vendor ever sees
/// the object of another wire.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Extra(BTreeMap<String, JsonObject>);

impl Extra {
    /// A tail for one wire, such as `openai-chat`.
    #[must_use]
    pub fn of(wire: impl Into<String>, members: impl Into<JsonObject>) -> Self {
        let mut extra = Extra::default();
        extra.merge(wire, members);
        extra
    }

    /// Whether no wire has anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(JsonObject::is_empty)
    }

    /// What belongs to a wire.
    #[must_use]
    pub fn get(&self, wire: &str) -> Option<&JsonObject> {
        self.0.get(wire).filter(|members| !members.is_empty())
    }

    /// All wires that have something, and what.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &JsonObject)> {
        self.0
            .iter()
            .filter(|(_, members)| !members.is_empty())
            .map(|(wire, members)| (wire.as_str(), members))
    }

    /// Takes members over, key by key.
    pub fn merge(&mut self, wire: impl Into<String>, members: impl Into<JsonObject>) {
        let members = members.into();
        if members.is_empty() {
            return;
        }
        let own = self.0.entry(wire.into()).or_default();
        for (name, value) in &members {
            own.insert(name.clone(), value.clone());
        }
    }

    /// Takes another tail over, wire by wire and key by key.
    pub fn update(&mut self, newer: Extra) {
        for (wire, members) in newer.0 {
            self.merge(wire, members);
        }
    }

    /// The JSON texts in it, to be changed in place. What is no object afterwards is left out.
    pub(crate) fn for_each_text(&mut self, change: &mut impl FnMut(&mut String)) {
        for members in self.0.values_mut() {
            let mut text = members.to_string();
            let before = text.clone();
            change(&mut text);
            if text != before {
                *members = JsonObject::parse(&text).unwrap_or_default();
            }
        }
    }

    /// About how many bytes it has.
    pub(crate) fn size(&self) -> usize {
        let texts = self.iter().flat_map(|(_, members)| members);
        texts
            .map(|(name, value)| name.len() + value.as_str().len())
            .sum()
    }
}
