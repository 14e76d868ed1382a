//! The claude adapter.
