//! The bounds, each with its reason or with what honest components come to.

use super::{Checked, Excess, Refusal};
use crate::plugin::limits::INSTANCES as INSTANCES_AT_RUN_TIME;

/// A bound, and what it bounds as a person reads it.
pub(super) struct Bound(&'static str, u64);

impl Bound {
    pub(super) fn check(&self, needed: u64) -> Checked {
        match needed > self.1 {
            true => Err(Refusal::Excess(Excess {
                what: self.0,
                needed,
                allowed: self.1,
            })),
            false => Ok(()),
        }
    }
}

// One file.
pub(super) const MODULES: Bound = Bound("core modules", 128);
pub(super) const COMPONENTS: Bound = Bound("components within it", 256);
pub(super) const DEPTH: Bound = Bound("levels of components in components", 16);
/// Types of components and instances written in each other are read by recursion.
pub(super) const TYPES_IN_TYPES: Bound = Bound("component types within component types", 512);
/// Each entry of a component's own sections: types, aliases, canonical functions, imports, exports.
pub(super) const ENTRIES: Bound = Bound("entries in component sections", 100_000);
/// Each pair of a lifted and a lowered function may become an adapter.
pub(super) const ADAPTERS: Bound = Bound("canonical functions", 10_000);
/// Counted as they are made when it is instantiated: a component that is made twice and makes
/// another twice stands for four. Python has 38 and fewer.
pub(super) const CORE_INSTANCES: Bound = Bound("core instances", INSTANCES_AT_RUN_TIME as u64);
pub(super) const INSTANCES: Bound = Bound("component instances", 1000);
pub(super) const PASSED: Bound = Bound("components handed over as values", 0);

// All modules together. The JavaScript engine has 20,000 functions of 11 MB with 113,000 locals.
pub(super) const FUNCTIONS: Bound = Bound("functions", 60_000);
pub(super) const BODIES: Bound = Bound("bytes of function bodies", 32 << 20);
pub(super) const TYPES: Bound = Bound("function types", 20_000);
pub(super) const IMPORTS: Bound = Bound("core imports", 20_000);
pub(super) const EXPORTS: Bound = Bound("core exports", 100_000);
pub(super) const GLOBALS: Bound = Bound("globals", 100_000);
pub(super) const TABLES: Bound = Bound("tables", 256);
pub(super) const MEMORIES: Bound = Bound("memories", 256);
pub(super) const SEGMENTS: Bound = Bound("data and element segments", 100_000);
pub(super) const ELEMENTS: Bound = Bound("table elements in segments", 1_000_000);
pub(super) const LOCALS: Bound = Bound("locals in all functions", 2_000_000);
pub(super) const MEMORY64: Bound = Bound("64-bit memories or tables", 0);

// One function. Python has one of 427 KB, with 15,805 targets and 781 blocks in blocks, the
// JavaScript engine one of 483 locals, and both come to half a million locals times branches.
pub(super) const BODY: Bound = Bound("bytes in one function", 1 << 20);
pub(super) const OWN_LOCALS: Bound = Bound("locals in one function", 5_000);
pub(super) const PARAMS: Bound = Bound("parameters of one function", 128);
pub(super) const RESULTS: Bound = Bound("results of one function or block", 16);
pub(super) const NESTED: Bound = Bound("blocks within blocks in one function", 4_000);
pub(super) const TARGETS: Bound = Bound("branch table targets in one function", 50_000);
/// Where ways through a function meet, the compiler joins each local that is alive.
pub(super) const JOINS: Bound = Bound("locals times branches in one function", 5_000_000);
