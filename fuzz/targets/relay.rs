//! See `multillm_fuzzing`: the target `relay`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("relay"), |input: &[u8]| check("relay", input));
