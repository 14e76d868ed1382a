//! What a panic says, kept where the host finds it.
//!
//! A panic ends an instance with a trap, and a trap says nothing but `unreachable`. So the message and its place are
//! written into a static whose address the component's module exports as `multillm_last_words`; the host reads it
//! there after the trap, with the memory of an instance that is never entered again.
//!
//! Any language can do the same: a global of that name, the address of a length (32 bits, little endian) and of that many
//! bytes of UTF-8, 500 at most.
#![allow(
    unsafe_code,
    reason = "a static of a fixed name, written once by the only thread that a component has"
)]

use core::fmt::{self, Write as _};
use core::sync::atomic::{AtomicBool, Ordering};
use std::panic::PanicHookInfo;

/// Bytes of text.
const ROOM: usize = 500;

/// How many bytes there are, and they.
#[repr(C)]
struct LastWords {
    length: u32,
    text: [u8; ROOM],
}

#[unsafe(no_mangle)]
static mut multillm_last_words: LastWords = LastWords {
    length: 0,
    text: [0; ROOM],
};

/// From now on a panic leaves its words behind. Called first by everything that a component exports.
pub(crate) fn keep() {
    static KEPT: AtomicBool = AtomicBool::new(false);
    if !KEPT.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(write));
    }
}

fn write(panic: &PanicHookInfo<'_>) {
    let text = panic.payload().downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str));
    let mut paper = Paper { written: 0 };
    let _ = match panic.location() {
        Some(place) => write!(paper, "panicked at {place}: "),
        None => write!(paper, "panicked: "),
    };
    let _ = paper.write_str(text.unwrap_or("without a word"));
}

/// Writes into the static, as far as there is room.
struct Paper {
    written: usize,
}

impl fmt::Write for Paper {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = ROOM - self.written;
        let end = (0..=room.min(text.len()))
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        let words = &raw mut multillm_last_words;
        // SAFETY: a component has one thread, nobody else names the static, and `end` is no more than
        // what is left of it and of the text.
        unsafe {
            let place = (&raw mut (*words).text).cast::<u8>().add(self.written);
            place.copy_from_nonoverlapping(text.as_ptr(), end);
            self.written += end;
            (*words).length = u32::try_from(self.written).unwrap_or(0);
        }
        Ok(())
    }
}
