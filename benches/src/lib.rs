//! Holds the benches of the sandbox; the library itself is empty.
