//! One interface to every LLM, where each vendor is a sandboxed WebAssembly component.
//!
//! ```no_run
//! use multillm::{ChatMessage, MultiLlmService};
//!
//! # async fn example() -> multillm::Result<()> {
//! let service = MultiLlmService::from_file("configs/multi_llm_config.json").await?;
//! let messages = [ChatMessage::system("Be brief."), ChatMessage::user("Hello!")];
//! let reply = service.chat_completion(&messages, "gpt-4").await?;
//! println!("{} (${:?}, {:?})", reply.content(), reply.cost, reply.latency);
//! service.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Layout
//!
//! - [`service`]: [`MultiLlmService`], which everything goes through
//! - [`chat`]: what is asked and answered; [`error`]: what can go wrong
//! - [`config`]: the configuration file, validated
//! - [`described`]: HTTP as data, between plugin and transport
//! - [`plugin`]: loading and running components
//! - [`transport`]: HTTP as far as plugins may describe it
//! - [`stats`]: records, history, prices
//! - [`template`]: prompts kept in files, with variables; [`dialogue`]: a conversation that goes on
//! - [`files`]: what is written and read as this user's alone
//! - [`bounded`]: reading what may have no end
//!
//! # Features
//!
//! The first two are on unless `default-features = false`.
//!
//! - `history`: what was asked and answered in an SQLite file: [`stats`]' history, sums and export, [`Dialogue`]s that
//!   are kept, budgets that hold across processes. Without it nothing is recorded, whatever the configuration says, and
//!   `limits.cost_per_day` holds for what this process asks.
//! - `watch`: `MultiLlmService::watch`, which reloads when a file changes. Without it [`MultiLlmService::reload`]
//!   reloads when it is called.
//! - `keyring`: [`config::KeyStore`] may keep keys in the system's keyring too.
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod bounded;
pub mod chat;
pub mod config;
pub mod described;
pub mod dialogue;
pub mod error;
pub mod files;
mod packed;
pub mod plugin;
pub mod service;
pub mod stats;
pub mod template;
pub mod transport;

pub use chat::{ChatEvent, ChatMessage, ChatRequest, ChatResponse};
pub use dialogue::Dialogue;
pub use error::{Error, ErrorKind, Result};
pub use service::{ChatStream, MultiLlmService};
pub use template::Template;
