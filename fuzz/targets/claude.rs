//! See `multillm_fuzzing`: the target `claude`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("claude"), |input: &[u8]| check("claude", input));
