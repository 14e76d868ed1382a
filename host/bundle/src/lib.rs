//! What makes the program one file: the components of the seven vendors, and their machine code for
//! this kind of machine, as they lay in `configs/plugins` when it was built.
//!
//! Prices, templates and the configuration's schema are the library's own, and not here.
#![deny(unsafe_code)]
#![warn(missing_docs)]

use multillm::config::EmbeddedPlugin;
use multillm::plugin::EmbeddedCode;

include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// The components that the program brings along. None where it was built without them.
#[must_use]
pub fn plugins() -> &'static [EmbeddedPlugin] {
    PLUGINS
}

/// Lets the library use the machine code that the program brings along. None where it was built
/// without: then a component is compiled when it is first needed.
#[allow(unsafe_code)]
pub fn bring_code() {
    // SAFETY: the build put there what `multillm-precompile` wrote, which is `precompile` of this very
    // library, compressed; it is named by the digest of its component. What stands in the folder of
    // another version is refused by wasmtime, which compares its version and configuration.
    unsafe { multillm::plugin::bring_code(CODE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_components_and_each_is_there_once() {
        let mut names: Vec<&str> = plugins().iter().map(|plugin| plugin.name).collect();
        for plugin in plugins() {
            assert!(plugin.bytes().starts_with(b"\0asm"), "{plugin:?}");
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
