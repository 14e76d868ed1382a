//! See `multillm_fuzzing`: the target `face_responses`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("face_responses"), |input: &[u8]| check("face_responses", input));
