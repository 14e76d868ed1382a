//! Saying what a plugin can.
//!
//! Words beyond those that the contract names, so that all plugins use the same:
//! - taken in: `document-file`, `document-url`, `audio-file`, `video-file`
//! - given out: `image-output`, `audio-output`, `citations`
//! - tools that the vendor runs, by their unified names: `web-search`, `web-fetch`,
//!   `code-execution`, `file-search`, `image-generation`, `mcp`
//! - `prompt-cache`: marks, or a setting, say what is kept of a prompt
//! - interfaces: `embeddings`, `count-tokens`

use crate::{Capability, Support};

impl Capability {
    /// A list of capabilities, grouped by how well each is supported.
    ///
    /// ```
    /// use multillm_plugin_sdk::{Capability, Support};
    ///
    /// let list = Capability::list(&[
    ///     (Support::Yes, &["streaming", "system"]),
    ///     (Support::SomeModels, &["tools"]),
    /// ]);
    /// assert_eq!(list.len(), 3);
    /// ```
    #[must_use]
    pub fn list(groups: &[(Support, &[&str])]) -> Vec<Capability> {
        let each = groups.iter().flat_map(|(support, names)| {
            names.iter().map(|name| Capability {
                name: (*name).to_owned(),
                support: *support,
            })
        });
        each.collect()
    }
}

/// Words as the contract wants them.
#[must_use]
pub fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
