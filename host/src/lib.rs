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
//! - [`plugin`]: loading and running components
//! - [`transport`]: HTTP as far as plugins may describe it
//! - [`stats`]: records, history, prices
//! - [`template`]: prompts kept in files, with variables; [`dialogue`]: a conversation that goes on
//! - `files`: what is written and read as this user's alone
//! - `bounded`: reading what may have no end
//! - [`cli`]: the command line, a thin user of the rest
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod bounded;
pub mod chat;
pub mod cli;
pub mod config;
pub mod dialogue;
pub mod error;
mod files;
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
