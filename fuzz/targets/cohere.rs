//! See `multillm_fuzzing`: the target `cohere`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("cohere"), |input: &[u8]| check("cohere", input));
