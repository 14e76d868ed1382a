//! See `multillm_fuzzing`: the target `face_chat`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use multillm_fuzzing::{check, prepare};

fuzz_target!(init: prepare("face_chat"), |input: &[u8]| check("face_chat", input));
