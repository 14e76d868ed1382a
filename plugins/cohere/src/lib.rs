//! The cohere adapter.
