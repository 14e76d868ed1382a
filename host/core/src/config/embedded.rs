//! Plugins that a program brings along: the bytes of their components, and nothing that runs them.

use std::fmt;

/// A component that is part of the program itself, such as the command line's.
///
/// A file of its name in the plugin directory, or a path under `plugins` in the configuration, goes
/// before it. See [`Env::with_plugins`](super::Env::with_plugins).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedPlugin {
    /// Its name, such as `openai`.
    pub name: &'static str,
    /// The component.
    pub component: &'static [u8],
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
