//! JSON that goes out: built here, with the caller's own and the vendor's own bytes inside.

use multillm_plugin_sdk::Error;
use multillm_plugin_sdk::body::{Open, tail};
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
    /// A value with the open tail of what it was made of.
    Open(Box<Open<'a, Tree<'a>>>),
    /// An object with one member more at its end.
    Marked(Box<Tree<'a>>, &'static str, Box<Tree<'a>>),
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

    /// The same with one member more, also where a tail was added already.
    #[must_use]
    pub(crate) fn marked(self, key: &'static str, value: Tree<'a>) -> Self {
        match self {
            Tree::Object(_) => self.with(key, Some(value)),
            other => Tree::Marked(Box::new(other), key, Box::new(value)),
        }
    }

    /// The same value with the open tail of `what` it was made of.
    ///
    /// # Errors
    ///
    /// `invalid-request` if the tail is no JSON object.
    pub(crate) fn open(self, what: &str, extra: Option<&'a str>) -> Result<Self, Error> {
        Ok(match tail(what, extra)? {
            None => self,
            Some(tail) => self.with_tails([tail]),
        })
    }

    /// The same value with these open tails, if there are any.
    pub(crate) fn with_tails(self, tails: impl IntoIterator<Item = Json<'a>>) -> Self {
        let open = Open::with(self, tails);
        match open.has_tail() {
            true => Tree::Open(Box::new(open)),
            false => open.thing,
        }
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
            Tree::Open(open) => open.serialize(serializer),
            Tree::Marked(tree, key, value) => {
                let no_json = serde::ser::Error::custom;
                let tree = serde_json::to_string(tree).map_err(no_json)?;
                let value = serde_json::to_string(value).map_err(no_json)?;
                let mut tree = Json::parse(&tree).map_err(no_json)?;
                let value = Json::parse(&value).map_err(no_json)?;
                tree.merge(Json::object([(*key, value)]));
                tree.serialize(serializer)
            }
            Tree::List(list) => serializer.collect_seq(list),
            Tree::Object(members) => {
                serializer.collect_map(members.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}
