//! See `multillm_fuzzing`: the target `ollama`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("ollama"), |input: &[u8]| check("ollama", input));
