//! See `multillm_fuzzing`: the target `azure`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("azure"), |input: &[u8]| check("azure", input));
