//! The contract as Rust types, generated from `wit/`. Only this folder names it.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "provider",
    exports: { default: async },
    require_store_data_send: true,
});

/// The optional listing, over the same types.
pub mod listing {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "models-only",
        exports: { default: async },
        require_store_data_send: true,
        with: {
            "multillm:provider/types@0.1.0": super::multillm::provider::types,
            "multillm:provider/http@0.1.0": super::multillm::provider::http,
        },
    });
}
