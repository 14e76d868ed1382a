//! See `multillm_fuzzing`: the target `config`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("config"), |input: &[u8]| check("config", input));
