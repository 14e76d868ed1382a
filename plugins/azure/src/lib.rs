//! The azure adapter.
