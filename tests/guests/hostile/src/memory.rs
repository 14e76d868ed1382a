//! How a guest runs away, and how it looks at everything that it can see.

/// Computes for ever.
pub(crate) fn spin() -> ! {
    loop {
        std::hint::black_box(());
    }
}

/// Calls itself until the stack ends.
#[allow(unconditional_recursion, reason = "that is the attack")]
#[inline(never)]
pub(crate) fn descend(depth: u32) {
    let frame = [depth; 64];
    descend(
        std::hint::black_box(frame)
            .iter()
            .sum::<u32>()
            .wrapping_add(1),
    );
    std::hint::black_box(frame);
}

/// Takes memory until there is none.
pub(crate) fn hoard() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(vec![1; 1 << 20]);
        std::hint::black_box(&hoard);
    }
}

/// The whole linear memory in hexadecimal: whatever the host ever put there is in it.
#[cfg(target_family = "wasm")]
pub(crate) fn dump() -> String {
    const PAGE: usize = 64 << 10;
    let length = core::arch::wasm32::memory_size(0) * PAGE;
    let mut text = String::with_capacity(2 * length + 16);
    for at in 1..length {
        // Every address below the memory's size can be read. The allocation above may have
        // grown the memory; what it added held nothing before.
        let byte = unsafe { std::ptr::with_exposed_provenance::<u8>(at).read_volatile() };
        push_hex(&mut text, byte);
    }
    text
}

/// Outside WebAssembly there is no such memory.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn dump() -> String {
    let mut text = String::new();
    push_hex(&mut text, 0);
    text
}

fn push_hex(text: &mut String, byte: u8) {
    for half in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(u32::from(half), 16));
    }
}
