//! Two JSON texts side by side: do the keys that both have stand in one order, and have their numbers the same digits.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How much was compared.
#[derive(Default)]
pub(super) struct Compared {
    /// Objects with a key that both have.
    pub(super) objects: usize,
    /// Keys that both have.
    pub(super) keys: usize,
    pub(super) numbers: usize,
}

/// Every member of an object, in order.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = vec![];
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

impl Compared {
    /// Compares two texts; gives every difference.
    pub(super) fn add(&mut self, recorded: &str, sent: &str) -> Vec<String> {
        let mut differences = vec![];
        self.value(recorded, sent, "", &mut differences);
        differences
    }

    /// Adds what was compared elsewhere.
    pub(super) fn sum(&mut self, other: &Self) {
        self.objects += other.objects;
        self.keys += other.keys;
        self.numbers += other.numbers;
    }

    fn value(&mut self, recorded: &str, sent: &str, place: &str, found: &mut Vec<String>) {
        let both = |read: fn(&str) -> bool| read(recorded) && read(sent);
        if both(|text| text.starts_with('{')) {
            let read = serde_json::from_str;
            if let (Ok(Members(recorded)), Ok(Members(sent))) = (read(recorded), read(sent)) {
                self.members(&recorded, &sent, place, found);
            }
        } else if both(|text| text.starts_with('[')) {
            let list = |text| serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default();
            let (recorded, sent) = (list(recorded), list(sent));
            if recorded.len() == sent.len() {
                for (at, (recorded, sent)) in recorded.iter().zip(sent).enumerate() {
                    self.value(recorded.get(), sent.get(), &format!("{place}/{at}"), found);
                }
            }
        } else if both(|text| text.starts_with(|c: char| c == '-' || c.is_ascii_digit())) {
            self.numbers += 1;
            if recorded != sent {
                found.push(format!("{place}: {recorded} became {sent}"));
            }
        }
    }

    fn members(
        &mut self,
        recorded: &[(String, &RawValue)],
        sent: &[(String, &RawValue)],
        place: &str,
        found: &mut Vec<String>,
    ) {
        let common = |of: &[(String, &RawValue)], with: &[(String, &RawValue)]| -> Vec<String> {
            let names = of.iter().map(|(name, _)| name);
            let known = names.filter(|name| with.iter().any(|(other, _)| other == *name));
            known.cloned().collect()
        };
        let (before, after) = (common(recorded, sent), common(sent, recorded));
        self.objects += usize::from(!before.is_empty());
        self.keys += before.len();
        if before != after {
            found.push(format!("{place}: {before:?} became {after:?}"));
            return;
        }
        let kept = |of: &[(String, &RawValue)], name: &str, nth: usize| {
            let mut named = of.iter().filter(|(other, _)| other == name);
            named
                .nth(nth)
                .map_or(String::new(), |(_, value)| value.get().to_owned())
        };
        for (at, name) in before.iter().enumerate() {
            let earlier = before
                .iter()
                .take(at)
                .filter(|other| *other == name)
                .count();
            let (recorded, sent) = (kept(recorded, name, earlier), kept(sent, name, earlier));
            self.value(&recorded, &sent, &format!("{place}/{name}"), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_digits_are_compared_where_both_have_them() {
        for (recorded, sent, differences) in [
            (
                r#"{"a":1,"b":{"c":1,"d":2}}"#,
                r#"{ "a": 1, "b": {"c":1, "d":2} }"#,
                0,
            ),
            (r#"{"a":1,"x":0,"b":2}"#, r#"{"a":1,"b":2,"y":0}"#, 0),
            (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, 1),
            (
                r#"{"a":[{"b":1.10,"c":2}]}"#,
                r#"{"a":[{"b":1.1,"c":2}]}"#,
                1,
            ),
            (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"c":2,"b":1}}"#, 1),
            (r#"{"a":1,"a":2}"#, r#"{"a":1,"a":2}"#, 0),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, 1),
            (r#"{"a":"x"}"#, r#"{"a":"y"}"#, 0),
        ] {
            let mut compared = Compared::default();
            let found = compared.add(recorded, sent);
            assert_eq!(found.len(), differences, "{recorded} {sent}: {found:?}");
            assert!(compared.keys > 0);
        }
    }
}
