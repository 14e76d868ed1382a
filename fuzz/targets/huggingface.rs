//! See `multillm_fuzzing`: the target `huggingface`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("huggingface"), |input: &[u8]| check("huggingface", input));
