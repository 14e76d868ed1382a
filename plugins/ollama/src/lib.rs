//! The ollama adapter.
