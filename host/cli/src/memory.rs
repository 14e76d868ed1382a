//! Memory that the system gives only while there is some, and memory that is free and that the C library keeps.

/// What the first thread may need, with room. Without optimisation functions take several times the room.
const STACK: usize = if cfg!(debug_assertions) {
    3 << 19
} else {
    1 << 18
};

/// Takes the first thread's stack before anything else takes memory: it grows when it is used, and where the system limits what the
/// program may have (`ulimit -v`), a stack that cannot grow ends the program without a word.
#[inline(never)]
pub(super) fn take_stack() {
    std::hint::black_box([0u8; STACK]);
}

/// Gives it back to the system. GNU's C library gives back only what lies above all that is used: after a crowd of
/// requests it keeps nearly all that they held.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub(super) fn give_back() {
    // SAFETY: it may be called at any time from any thread, and touches nothing that is in use.
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries do so by themselves, or cannot be told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back() {}
