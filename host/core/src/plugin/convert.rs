//! Between a contract's types and the host's: a folder for each version, and nothing else knows both.

pub(super) mod v0_1_0;
pub(super) mod v0_2_0;
