//! One interface to every LLM, where each vendor is a sandboxed WebAssembly component.
pub mod chat;
pub mod error;
pub mod plugin;
