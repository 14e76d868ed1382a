//! See `multillm_fuzzing`: the target `openai`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("openai"), |input: &[u8]| check("openai", input));
