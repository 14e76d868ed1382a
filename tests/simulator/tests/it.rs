//! The simulator seen from outside: every wire and every kind of fault, through a raw socket.

#![allow(missing_docs)]

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
