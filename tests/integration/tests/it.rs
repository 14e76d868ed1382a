//! The product seen from outside: the built program and the library, with the real components,
//! against the simulated vendors over real HTTP.
//!
//! What must be built first: `cargo build` (the program) and `cargo xtask plugins` (the
//! components). A test that misses one of them fails with that command.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

#[path = "it/asking.rs"]
mod asking;
#[path = "it/leaks.rs"]
mod leaks;
#[path = "it/parley.rs"]
mod parley;
#[path = "it/patience.rs"]
mod patience;
#[path = "it/raw_server.rs"]
mod raw_server;
#[path = "it/stage.rs"]
mod stage;
#[path = "it/vendors.rs"]
mod vendors;
#[path = "it/window.rs"]
mod window;

#[path = "it/answers.rs"]
mod answers;
#[path = "it/authors.rs"]
mod authors;
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
#[path = "it/continuing.rs"]
mod continuing;
#[path = "it/conversations.rs"]
mod conversations;
#[path = "it/documents.rs"]
mod documents;
#[path = "it/dropping.rs"]
mod dropping;
#[path = "it/dropping_in.rs"]
mod dropping_in;
#[path = "it/endings.rs"]
mod endings;
#[path = "it/endless.rs"]
mod endless;
#[path = "it/exfiltration.rs"]
mod exfiltration;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/filters.rs"]
mod filters;
#[path = "it/foreign_answers.rs"]
mod foreign_answers;
#[path = "it/gateway.rs"]
mod gateway;
#[path = "it/giving.rs"]
mod giving;
#[path = "it/help.rs"]
mod help;
#[path = "it/history.rs"]
mod history;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/hostile_checkout.rs"]
mod hostile_checkout;
#[path = "it/impostors.rs"]
mod impostors;
#[path = "it/installing.rs"]
mod installing;
#[path = "it/keys.rs"]
mod keys;
#[path = "it/languages.rs"]
mod languages;
#[path = "it/looking.rs"]
mod looking;
#[path = "it/lying_plugins.rs"]
mod lying_plugins;
#[path = "it/matrix.rs"]
mod matrix;
#[path = "it/media.rs"]
mod media;
#[path = "it/multi_turn.rs"]
mod multi_turn;
#[path = "it/museum.rs"]
mod museum;
#[path = "it/one_file.rs"]
mod one_file;
#[path = "it/order.rs"]
mod order;
#[path = "it/person.rs"]
mod person;
#[path = "it/plugin_files.rs"]
mod plugin_files;
#[path = "it/prepared.rs"]
mod prepared;
#[path = "it/prices.rs"]
mod prices;
#[path = "it/private_files.rs"]
mod private_files;
#[path = "it/query.rs"]
mod query;
#[path = "it/reachable.rs"]
mod reachable;
#[path = "it/real_registry.rs"]
mod real_registry;
#[path = "it/recorded.rs"]
mod recorded;
#[path = "it/redaction.rs"]
mod redaction;
#[path = "it/registries.rs"]
mod registries;
#[path = "it/registry.rs"]
mod registry;
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
#[path = "it/scripts.rs"]
mod scripts;
#[path = "it/secrets.rs"]
mod secrets;
#[path = "it/server_tools.rs"]
mod server_tools;
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
#[path = "it/tool_turns.rs"]
mod tool_turns;
#[path = "it/tutorial.rs"]
mod tutorial;
#[path = "it/typing.rs"]
mod typing;
#[path = "it/unanswered.rs"]
mod unanswered;
#[path = "it/vectors.rs"]
mod vectors;
