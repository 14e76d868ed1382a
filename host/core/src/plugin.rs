//! Plugins: loading, proving harmless, running.
//!
//! This module alone knows wasmtime, and it knows no HTTP client and no configuration file. A
//! [`Plugin`] is a loaded component; a [`Session`] is one fresh instance of it, for one exchange; a [`Filter`] is a
//! component that stands between a caller and a model.
//! What crosses the boundary is plain data: [`chat`](crate::chat) types and the [`wire`] types here.

mod bindings;
mod cache;
mod calls;
mod compiler;
mod convert;
mod decoder;
mod engine;
mod file;
mod filter;
mod inspect;
mod last_words;
mod limits;
mod load;
mod matrix;
mod names;
mod precompiled;
mod prepare;
mod session;
mod survey;
pub mod wire;

pub use cache::{code_directory, sha256 as digest};
pub use compiler::{COMMAND as COMPILE_COMMAND, compile_with, precompile, work as compile_work};
pub use decoder::Decoder;
pub use engine::{EngineOptions, PluginEngine};
pub use filter::{Answering, Filter, Inquiry, Places, Verdict};
pub use inspect::{Contract, Import, Inspection};
pub use limits::{ExchangeLimits, Limits};
pub use load::{LoadOptions, Plugin};
pub use matrix::capability_matrix;
pub use precompiled::{EmbeddedCode, about, bring_code, brings_code};
pub use session::Session;

pub use crate::packed::pack;

use thiserror::Error;

/// What an exchange took too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Excess {
    /// Milliseconds of computing.
    Computing(u64),
    /// Events.
    Events(u64),
    /// Mebibytes handed to the host.
    Output(u64),
}

impl Excess {
    fn fix(self) -> &'static str {
        match self {
            Excess::Computing(_) => "raise limits.exchange_cpu_ms if it is a good one",
            Excess::Events(_) => "raise limits.exchange_events if it is a good one",
            Excess::Output(_) => "raise limits.exchange_output_mb if it is a good one",
        }
    }
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Excess::Computing(ms) => write!(f, "takes more than {ms} ms of computing"),
            Excess::Events(events) => write!(f, "has more than {events} events"),
            Excess::Output(mb) => write!(f, "has more than {mb} MB"),
        }
    }
}

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
        "plugin {plugin:?}: {path} has sha256 {found}, but what was pinned in the configuration or agreed to when it \
         was installed has {pinned}: replace the file, or the pin if you trust it"
    )]
    PinMismatch {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: String,
        /// Digest of the file.
        found: String,
        /// Digest in the configuration, or of what was installed.
        pinned: String,
    },
    /// More is in the file than a plugin may have, or compiling it takes more.
    #[error("plugin {plugin:?}: {path} is too much to compile: {reason}")]
    TooMuch {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: String,
        /// What was met, how much there is and how much is allowed.
        reason: String,
    },
    /// The compiler fails at it.
    #[error(
        "plugin {plugin:?}: {path} cannot be compiled, which is a defect of the component or of \
         the compiler: {reason}"
    )]
    Uncompilable {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: String,
        /// How it failed.
        reason: String,
    },
    /// No machine code may be made.
    #[error(
        "this system forbids to make memory executable, and plugins run as machine code: allow it \
         for this program (MemoryDenyWriteExecute=no in a systemd unit, no PR_SET_MDWE, SELinux's \
         execmem)"
    )]
    Forbidden,
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
    /// What it returned cannot be used.
    #[error("plugin {plugin:?} returned what cannot be used in {call}: {reason}")]
    Malformed {
        /// The plugin's name.
        plugin: String,
        /// Which of its functions was running.
        call: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// All calls of one exchange took more than they may together.
    #[error("plugin {plugin:?}: the answer {what}: {}", what.fix())]
    Exchange {
        /// The plugin's name.
        plugin: String,
        /// What was too much.
        what: Excess,
    },
    /// The sandbox itself cannot be set up.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
}
