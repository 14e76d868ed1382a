//! The contract's versions as Rust types, generated from `wit/`. Only this folder, `convert` and `calls`
//! name them.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    elided_lifetimes_in_paths,
    dead_code,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

/// Contract 0.1.0, frozen.
pub(super) mod v0_1_0 {
    wasmtime::component::bindgen!({
        path: "../../wit/frozen/0.1.0",
        world: "provider",
        exports: { default: async },
        require_store_data_send: true,
    });

    /// The optional listing, over the same types.
    pub mod listing {
        wasmtime::component::bindgen!({
            path: "../../wit/frozen/0.1.0",
            world: "models-only",
            exports: { default: async },
            require_store_data_send: true,
            with: {
                "multillm:provider/types@0.1.0": super::multillm::provider::types,
                "multillm:provider/http@0.1.0": super::multillm::provider::http,
            },
        });
    }
}

/// Contract 0.2.0.
pub(super) mod v0_2_0 {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "complete",
        exports: { default: async },
        require_store_data_send: true,
    });
}
