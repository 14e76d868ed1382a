//! The huggingface adapter.
