//! A starter.
