//! What a vendor says of an answer beyond the contract, gathered event by event.

use crate::json::Json;

/// What was said so far: an object, or nothing.
#[derive(Debug, Default)]
pub struct Beyond(Option<Json<'static>>);

impl Beyond {
    /// Takes over what is said, if anything is: objects key by key, anything else in the place of
    /// what was said before.
    pub fn add(&mut self, more: Option<Json<'_>>) {
        let Some(more) = more.map(Json::into_owned) else {
            return;
        };
        match &mut self.0 {
            Some(known) => known.merge(more),
            none => *none = Some(more),
        }
    }

    /// Puts one thing behind those of a list.
    pub fn push(&mut self, name: &'static str, one: &Json<'_>) {
        let known = self.0.get_or_insert_with(|| Json::object([]));
        let Json::Object(members) = known else { return };
        let one = one.clone().into_owned();
        match members.iter_mut().find(|(key, _)| key == name) {
            Some((_, Json::List(list))) => list.push(one),
            _ => members.push((name.into(), Json::List(vec![one]))),
        }
    }

    /// What was said so far.
    #[must_use]
    pub fn known(&self) -> Option<&Json<'static>> {
        self.0.as_ref()
    }

    /// All of it as JSON text, for the answer's `extra`.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.0.as_ref().map(Json::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_key_by_key_and_list_by_list() {
        let mut beyond = Beyond::default();
        beyond.add(None);
        assert_eq!(beyond.text(), None);
        for text in [r#"{"a":{"x":1}}"#, r#"{"a":{"y":1.50}}"#] {
            beyond.add(Some(Json::parse(text).unwrap()));
        }
        beyond.push("l", &Json::from(1_u32));
        beyond.push("l", &Json::from(2_u32));
        assert_eq!(
            beyond.text().unwrap(),
            r#"{"a":{"x":1,"y":1.50},"l":[1,2]}"#
        );
        assert!(beyond.known().is_some_and(|known| known.get("a").is_some()));
    }
}
