//! JSON that goes out: built here, with the caller's own and the vendor's own bytes inside.

use multillm_plugin_sdk::json::Json;
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value.
#[derive(Debug)]
pub(crate) enum Tree<'a> {
    /// A value of ours.
    Json(Json<'a>),
    /// A value of somebody else's, byte for byte.
    Raw(&'a RawValue),
    List(Vec<Tree<'a>>),
    Object(Vec<(&'static str, Tree<'a>)>),
}

impl<'a> Tree<'a> {
    /// An object of these members.
    pub(crate) fn object<const N: usize>(members: [(&'static str, Tree<'a>); N]) -> Self {
        Tree::Object(members.into())
    }

    /// The same object with one member more, if there is a value.
    #[must_use]
    pub(crate) fn with<T: Into<Tree<'a>>>(mut self, key: &'static str, value: Option<T>) -> Self {
        if let (Tree::Object(members), Some(value)) = (&mut self, value) {
            members.push((key, value.into()));
        }
        self
    }
}

impl<'a, T: Into<Json<'a>>> From<T> for Tree<'a> {
    fn from(value: T) -> Self {
        Tree::Json(value.into())
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Tree::Json(json) => json.serialize(serializer),
            Tree::Raw(raw) => raw.serialize(serializer),
            Tree::List(list) => serializer.collect_seq(list),
            Tree::Object(members) => {
                serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}
