//! The OpenAI adapter.
