//! The contract as Rust types, generated from `wit/`. Everything of use is
//! re-exported from the crate root; nobody else names this module.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::unwrap_used,
    clippy::indexing_slicing
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "provider",
    pub_export_macro: true,
    export_macro_name: "export_world_provider",
    default_bindings_module: "multillm_plugin_sdk::bindings",
    additional_derives: [PartialEq, Clone],
});

/// The optional listing, over the same types.
pub mod listing {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "models-only",
        pub_export_macro: true,
        export_macro_name: "export_world_models",
        default_bindings_module: "multillm_plugin_sdk::bindings::listing",
        additional_derives: [PartialEq, Clone],
        with: {
            "multillm:provider/types@0.1.0": crate::bindings::multillm::provider::types,
            "multillm:provider/http@0.1.0": crate::bindings::multillm::provider::http,
        },
    });
}
