//! Plugins: loading, proving harmless, running.
//!
//! This module alone knows wasmtime, and it knows no HTTP client and no configuration file. A
//! [`Plugin`] is a loaded component; a [`Session`] is one fresh instance of it, for one exchange.
//! What crosses the boundary is plain data: [`chat`](crate::chat) types and the [`wire`] types here.

mod bindings;
mod cache;
mod convert;
mod engine;
mod inspect;
mod limits;
mod load;
mod matrix;
mod precompiled;
mod session;
pub mod wire;

pub use engine::{EngineOptions, PluginEngine};
pub use inspect::{Contract, Import, Inspection};
pub use limits::Limits;
pub use load::{LoadOptions, Plugin};
pub use matrix::capability_matrix;
pub use session::{Decoder, Session};

use thiserror::Error;

/// Why a plugin cannot be used, or stopped being used.
#[derive(Debug, Clone, Error, PartialEq)]
#[non_exhaustive]
pub enum PluginError {
    /// The file cannot be read.
    #[error("plugin {plugin:?}: cannot read {path}: {reason}")]
    Unreadable {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: String,
        /// What the system said, and what to do.
        reason: String,
    },
    /// The file is no component.
    #[error("plugin {plugin:?}: {path} is no WebAssembly component: {reason}")]
    NotAComponent {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: String,
        /// What it is instead.
        reason: String,
    },
    /// The file is not the pinned one.
    #[error(
        "plugin {plugin:?}: {path} has sha256 {found}, but the configuration pins {pinned}: \
         replace the file, or the pin if you trust it"
    )]
    PinMismatch {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: String,
        /// Digest of the file.
        found: String,
        /// Digest in the configuration.
        pinned: String,
    },
    /// The component wants something of the host.
    #[error(
        "plugin {plugin:?} imports {}: a plugin may import types only{hint}",
        imports.join(", ")
    )]
    Imports {
        /// The plugin's name.
        plugin: String,
        /// The functions and other things it imports.
        imports: Vec<String>,
        /// What to do about it.
        hint: String,
    },
    /// The component implements another version of the contract.
    #[error(
        "plugin {plugin:?} is built for {found}, this multillm needs {needed}: \
         rebuild the plugin with a matching SDK, or use another multillm"
    )]
    ForeignContract {
        /// The plugin's name.
        plugin: String,
        /// What it exports.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// The component is no provider at all.
    #[error("plugin {plugin:?} is no provider: it exports {found}, needed are {needed}")]
    WrongWorld {
        /// The plugin's name.
        plugin: String,
        /// What it exports.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// What it says of itself is not usable.
    #[error("plugin {plugin:?} describes itself wrongly: {reason}")]
    BadDescription {
        /// The plugin's name.
        plugin: String,
        /// What is wrong.
        reason: String,
    },
    /// It trapped.
    #[error("plugin {plugin:?} crashed in {call}: {reason}")]
    Trap {
        /// The plugin's name.
        plugin: String,
        /// Which of its functions was running.
        call: &'static str,
        /// How.
        reason: String,
    },
    /// It wanted more memory than it may have.
    #[error(
        "plugin {plugin:?} wanted more than its {limit_mb} MB of memory in {call}: \
         send less, or raise limits.plugin_memory_mb"
    )]
    Memory {
        /// The plugin's name.
        plugin: String,
        /// Which of its functions was running.
        call: &'static str,
        /// What it may have.
        limit_mb: u64,
    },
    /// It computed for longer than it may.
    #[error(
        "plugin {plugin:?} computed for more than {limit_ms} ms in {call}: \
         it loops, or limits.plugin_cpu_ms is too low"
    )]
    Cpu {
        /// The plugin's name.
        plugin: String,
        /// Which of its functions was running.
        call: &'static str,
        /// What it may take.
        limit_ms: u64,
    },
    /// It returned more than it may.
    #[error("plugin {plugin:?} returned too much in {call}: {reason}")]
    Output {
        /// The plugin's name.
        plugin: String,
        /// Which of its functions was running.
        call: &'static str,
        /// What was too much.
        reason: String,
    },
    /// The sandbox itself cannot be set up.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
}
