//! The simulator seen from outside: every wire and every kind of fault, through a raw socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "it/anthropic.rs"]
mod anthropic;
#[path = "it/client.rs"]
mod client;
#[path = "it/cohere.rs"]
mod cohere;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/gemini.rs"]
mod gemini;
#[path = "it/ollama.rs"]
mod ollama;
#[path = "it/openai_family.rs"]
mod openai_family;
#[path = "it/responses.rs"]
mod responses;
#[path = "it/servers.rs"]
mod servers;
#[path = "it/turns.rs"]
mod turns;
