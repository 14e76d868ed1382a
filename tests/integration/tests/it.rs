//! The product seen from outside: the built program and the library, with the real components,
//! against the simulated vendors over real HTTP.
//!
//! What must be built first: `cargo build` (the program) and `cargo xtask plugins` (the
//! components). A test that misses one of them fails with that command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "it/asking.rs"]
mod asking;
#[path = "it/leaks.rs"]
mod leaks;
#[path = "it/patience.rs"]
mod patience;
#[path = "it/raw_server.rs"]
mod raw_server;
#[path = "it/stage.rs"]
mod stage;
#[path = "it/vendors.rs"]
mod vendors;

#[path = "it/answers.rs"]
mod answers;
#[path = "it/bad_input.rs"]
mod bad_input;
#[path = "it/bad_plugins.rs"]
mod bad_plugins;
#[path = "it/budgets.rs"]
mod budgets;
#[path = "it/cancelled.rs"]
mod cancelled;
#[path = "it/chat.rs"]
mod chat;
#[path = "it/compiling.rs"]
mod compiling;
#[path = "it/completion.rs"]
mod completion;
#[path = "it/component.rs"]
mod component;
#[path = "it/config.rs"]
mod config;
#[path = "it/conversations.rs"]
mod conversations;
#[path = "it/endings.rs"]
mod endings;
#[path = "it/endless.rs"]
mod endless;
#[path = "it/exfiltration.rs"]
mod exfiltration;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/foreign_answers.rs"]
mod foreign_answers;
#[path = "it/history.rs"]
mod history;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/hostile_checkout.rs"]
mod hostile_checkout;
#[path = "it/impostors.rs"]
mod impostors;
#[path = "it/lying_plugins.rs"]
mod lying_plugins;
#[path = "it/media.rs"]
mod media;
#[path = "it/multi_turn.rs"]
mod multi_turn;
#[path = "it/plugin_files.rs"]
mod plugin_files;
#[path = "it/private_files.rs"]
mod private_files;
#[path = "it/query.rs"]
mod query;
#[path = "it/recorded.rs"]
mod recorded;
#[path = "it/redaction.rs"]
mod redaction;
#[path = "it/reload.rs"]
mod reload;
#[path = "it/retry.rs"]
mod retry;
#[path = "it/robustness.rs"]
mod robustness;
#[path = "it/round_trip.rs"]
mod round_trip;
#[path = "it/routes.rs"]
mod routes;
#[path = "it/scarcity.rs"]
mod scarcity;
#[path = "it/screens.rs"]
mod screens;
#[path = "it/secrets.rs"]
mod secrets;
#[path = "it/soak.rs"]
mod soak;
#[path = "it/storm.rs"]
mod storm;
#[path = "it/terminal.rs"]
mod terminal;
#[path = "it/thief.rs"]
mod thief;
#[path = "it/thrift.rs"]
mod thrift;
#[path = "it/typing.rs"]
mod typing;
#[path = "it/unanswered.rs"]
mod unanswered;
