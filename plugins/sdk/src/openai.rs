//! The OpenAI wire, driven by data.
