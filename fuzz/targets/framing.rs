//! See `multillm_fuzzing`: the target `framing`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("framing"), |input: &[u8]| check("framing", input));
