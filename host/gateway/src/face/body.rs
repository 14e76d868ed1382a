//! Bodies of callers, taken apart member by member.
//!
//! Values stay the texts they are until somebody knows what they mean: schemas, arguments and blocks keep the order
//! of their keys and every digit. What nobody asked for by name remains, to be passed on or refused.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Display};

use multillm::chat::{Json, JsonObject, Part, Role};
use multillm::{Error, ErrorKind};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What of a body cannot be read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    at: String,
    what: String,
}

pub(super) type Read<T> = Result<T, Fault>;

impl Fault {
    /// Something about a member.
    pub(super) fn at(at: impl Into<String>, what: impl Into<String>) -> Self {
        Fault {
            at: at.into(),
            what: what.into(),
        }
    }

    /// The same fault, seen from the thing around it.
    pub(super) fn within(mut self, place: impl Display) -> Self {
        self.at = match self.at.as_str() {
            "" => place.to_string(),
            inner if inner.starts_with('[') => format!("{place}{inner}"),
            inner => format!("{place}.{inner}"),
        };
        self
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let message = match fault.at.as_str() {
            "" => fault.what,
            at => format!("{at}: {}", fault.what),
        };
        Error::new(ErrorKind::InvalidRequest, message)
    }
}

/// Says of a JSON fault what is wrong, without the place in a text that the caller never saw as such.
fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => text,
    }
}

/// The members of an object. Of a name that stands twice the last counts; `null` is nothing.
#[derive(Debug, Default)]
pub(super) struct Object<'a>(Vec<Member<'a>>);

#[derive(Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    value: &'a RawValue,
    seen: Cell<bool>,
}

impl<'a> Object<'a> {
    /// Reads a text.
    pub(super) fn parse(text: &'a str) -> Read<Self> {
        serde_json::from_str(text).map_err(|error| Fault::at("", said(&error)))
    }

    /// The same members by names in lower case.
    pub(super) fn lower(self) -> Self {
        let named = self.0.into_iter().map(|member| Member {
            name: Cow::Owned(member.name.to_ascii_lowercase()),
            ..member
        });
        Object(named.collect())
    }

    /// Takes a member for read, whatever the case of its letters.
    pub(super) fn forget(&self, name: &str) {
        for member in &self.0 {
            if member.name.eq_ignore_ascii_case(name) {
                member.seen.set(true);
            }
        }
    }

    /// The same members by names in camel case, where they are in snake case.
    pub(super) fn camel(self) -> Self {
        let named = self.0.into_iter().map(|member| {
            let name = match member.name.contains('_') {
                true => Cow::Owned(camel(&member.name)),
                false => member.name,
            };
            Member { name, ..member }
        });
        Object(named.collect())
    }

    /// Reads a value that must be an object.
    pub(super) fn of(value: &'a RawValue) -> Read<Self> {
        match value.get().starts_with('{') {
            true => Self::parse(value.get()),
            false => Err(Fault::at("", "expected an object")),
        }
    }

    /// The value of this name as it was written.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let mut found = None;
        for member in self.0.iter().filter(|member| member.name == name) {
            member.seen.set(true);
            found = Some(member.value);
        }
        found.filter(|value| value.get() != "null")
    }

    /// The value of this name, which stays unread.
    pub(super) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        let mut members = self.0.iter().rev();
        let member = members.find(|member| member.name == name)?;
        Some(member.value).filter(|value| value.get() != "null")
    }

    /// Whether a member of this name stands in it, `null` or not. It stays unread.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|member| member.name == name)
    }

    /// The value of this name as a value of some type.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &str) -> Read<Option<T>> {
        self.raw(name)
            .map(|value| {
                serde_json::from_str(value.get()).map_err(|error| Fault::at(name, said(&error)))
            })
            .transpose()
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Read<Option<String>> {
        self.get(name)
    }

    /// A text that must stand there.
    pub(super) fn required(&self, name: &str) -> Read<String> {
        self.text(name)?
            .ok_or_else(|| Fault::at(name, "is required"))
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Read<Option<Object<'a>>> {
        self.raw(name)
            .map(|value| Object::of(value).map_err(|fault| fault.within(name)))
            .transpose()
    }

    /// The elements of a list.
    pub(super) fn list(&self, name: &str) -> Read<Option<Vec<&'a RawValue>>> {
        self.raw(name)
            .map(|value| elements(value).map_err(|fault| fault.within(name)))
            .transpose()
    }

    /// JSON that is kept as it is.
    pub(super) fn json(&self, name: &str) -> Read<Option<Json>> {
        self.raw(name)
            .map(|value| json(value).map_err(|fault| fault.within(name)))
            .transpose()
    }

    /// A whole number that is not negative; `5.0` is one.
    pub(super) fn count(&self, name: &str) -> Read<Option<u32>> {
        let Some(number) = self.get::<f64>(name)? else {
            return Ok(None);
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bounded and whole"
        )]
        match number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0 {
            true => Ok(Some(number as u32)),
            false => Err(Fault::at(
                name,
                "expected a whole number that is not negative",
            )),
        }
    }

    /// The names that nobody asked for.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|member| !member.seen.get() && member.value.get() != "null")
            .map(|member| member.name.as_ref())
    }

    /// What nobody asked for, `null` left out.
    pub(super) fn rest(&self) -> Read<JsonObject> {
        let mut rest = JsonObject::new();
        for member in &self.0 {
            if !member.seen.get() && member.value.get() != "null" {
                let value = json(member.value).map_err(|fault| fault.within(&member.name))?;
                rest.insert(member.name.as_ref(), value);
            }
        }
        Ok(rest)
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut made = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        made.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        made.push_str(letters.as_str());
    }
    made
}

/// The elements of a list.
pub(super) fn elements(value: &RawValue) -> Read<Vec<&RawValue>> {
    match value.get().starts_with('[') {
        true => serde_json::from_str(value.get()).map_err(|error| Fault::at("", said(&error))),
        false => Err(Fault::at("", "expected a list")),
    }
}

/// Refuses what only a model says where somebody else speaks.
pub(super) fn spoken_by(role: Role, parts: &[Part]) -> Read<()> {
    let of_models = |part: &Part| matches!(part, Part::ToolCall(_) | Part::Reasoning(_));
    match role != Role::Assistant && parts.iter().any(of_models) {
        true => Err(Fault::at(
            "",
            "thoughts and calls of tools stand in messages of the model alone",
        )),
        false => Ok(()),
    }
}

/// A text.
pub(super) fn string(value: &RawValue) -> Read<String> {
    serde_json::from_str(value.get()).map_err(|error| Fault::at("", said(&error)))
}

/// Whether a value is a text.
pub(super) fn is_text(value: &RawValue) -> bool {
    value.get().starts_with('"')
}

/// JSON that is kept as it is.
pub(super) fn json(value: &RawValue) -> Read<Json> {
    Json::parse(value.get()).map_err(|error| Fault::at("", said(&error)))
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// Reads an object's members as they stand.
struct Members;

/// A name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push(Member {
                name,
                value,
                seen: Cell::new(false),
            });
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_once_and_the_rest_remains_as_it_was_written() {
        let text = r#"{"z":1.50,"a":null,"b":"x","\u0062":"y","n":{"k":[1]},"f":3.0}"#;
        let object = Object::parse(text).unwrap();
        assert_eq!(object.text("b").unwrap().as_deref(), Some("y"));
        assert_eq!(object.text("a").unwrap(), None);
        assert_eq!(object.count("f").unwrap(), Some(3));
        assert_eq!(
            object.rest().unwrap().to_string(),
            r#"{"z":1.50,"n":{"k":[1]}}"#
        );
        assert_eq!(object.unread().collect::<Vec<_>>(), ["z", "n"]);
        assert!(object.has("a") && !object.has("c"));
    }

    #[test]
    fn a_fault_says_where_it_is() {
        let object = Object::parse(r#"{"a":{"b":3},"c":-1,"l":[1]}"#).unwrap();
        let inner = object.object("a").unwrap().unwrap();
        let fault = inner
            .text("b")
            .unwrap_err()
            .within("a")
            .within("[2]")
            .within("messages");
        assert_eq!(
            Error::from(fault).message,
            "messages[2].a.b: invalid type: integer `3`, expected a string"
        );
        assert!(object.count("c").is_err());
        assert!(object.object("l").is_err());
        assert!(object.list("a").is_err());
        assert_eq!(
            inner.required("x").unwrap_err(),
            Fault::at("x", "is required")
        );
        assert!(Object::parse("[]").is_err());
        assert!(Object::parse(r#"{"a":1"#).is_err());
    }
}
