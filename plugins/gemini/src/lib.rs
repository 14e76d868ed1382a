//! The gemini adapter.
