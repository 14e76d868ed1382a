//! See `multillm_fuzzing`: the target `gemini`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("gemini"), |input: &[u8]| check("gemini", input));
