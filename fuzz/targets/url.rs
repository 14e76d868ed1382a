//! See `multillm_fuzzing`: the target `url`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("url"), |input: &[u8]| check("url", input));
