//! Plugins that a program brings along: the bytes of their components, and nothing that runs them.

use std::borrow::Cow;
use std::fmt;

use crate::packed;

/// What zstd's frames begin with, and no component does.
const PACKED: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A component that is part of the program itself, such as the command line's.
///
/// A file of its name in the plugin directory, or a path under `plugins` in the configuration, goes
/// before it. See [`Env::with_plugins`](super::Env::with_plugins).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedPlugin {
    /// Its name, such as `openai`.
    pub name: &'static str,
    /// The component, as it is or as [`pack`](crate::plugin::pack) packed it.
    pub component: &'static [u8],
    /// Another component that it was packed against, packed by itself. Empty if there is none.
    pub like: &'static [u8],
    /// SHA-256 of the component as it is, in hexadecimal. Empty if that was not found out before.
    pub digest: &'static str,
}

impl EmbeddedPlugin {
    /// The component as it is. Nothing where it was packed and is damaged: then it is no component.
    #[must_use]
    pub fn bytes(&self) -> Cow<'static, [u8]> {
        match self.component.starts_with(&PACKED) {
            true => Cow::Owned(packed::unpack(self.component, self.like).unwrap_or_default()),
            false => Cow::Borrowed(self.component),
        }
    }
}

/// Its name and size: nobody reads the bytes.
impl fmt::Debug for EmbeddedPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedPlugin")
            .field("name", &self.name)
            .field("bytes", &self.component.len())
            .finish()
    }
}
