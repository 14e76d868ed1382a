//! Who may come in: keys, hosts, origins. Policies without HTTP servers or clocks of their own.

pub(crate) mod credential;
pub mod key;
pub(crate) mod origin;
pub mod store;

use std::fmt;

/// Why somebody may not come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Closed {
    /// No key came.
    NoKey,
    /// No such key, or one that is not valid any more.
    BadKey,
    /// The key is known and its time is over.
    Expired,
    /// The key is known and was revoked.
    Revoked,
    /// The key may not ask this model.
    Model(String),
    /// A name that is not this gateway's.
    Host,
    /// A page of somebody else.
    Origin,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::NoKey => f.write_str(
                "a key of this gateway is needed: send it as \"authorization: Bearer KEY\" or \"x-api-key: KEY\"",
            ),
            Closed::BadKey => f.write_str("this is no key of this gateway: ask its operator for one"),
            Closed::Expired => f.write_str("this key has expired: ask the gateway's operator for another"),
            Closed::Revoked => f.write_str("this key was revoked: ask the gateway's operator for another"),
            Closed::Model(model) => write!(f, "this key may not ask the model {model:?}"),
            Closed::Host => f.write_str(
                "this gateway is not asked by that name: use localhost, or list the name under gateway.hosts",
            ),
            Closed::Origin => f.write_str(
                "pages of that origin may not ask this gateway: list it under gateway.origins if they should",
            ),
        }
    }
}

impl Closed {
    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Closed::NoKey | Closed::BadKey | Closed::Expired | Closed::Revoked => 401,
            Closed::Model(_) | Closed::Host | Closed::Origin => 403,
        }
    }
}
