//! The allocator of a component.
//!
//! An instance lives for one exchange, and the host makes a fresh one for the next: what an exchange
//! costs is less what it computes than the pages it dirties, which the host has to clean, and each growth
//! of the memory, which costs the host two calls of the system. So small exchanges live in memory that the
//! component has from the start; only larger ones grow it, by an eighth of what there is or what they need.
#![allow(
    unsafe_code,
    reason = "an allocator's memory is claimed once, here, and by nobody else"
)]

use core::alloc::Layout;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

/// Bytes that are there from the start. A chat of a few kilobytes, asked and answered, takes less than half.
/// They are zero, so that they take no room in the file, and pages that nobody touches cost nothing.
const ARENA: usize = 256 << 10;
/// A page of WebAssembly, in bytes.
const PAGE: usize = 64 << 10;
/// Bytes that the allocator keeps for itself in a region.
const OVERHEAD: usize = 64;

static mut FIRST: [MaybeUninit<u8>; ARENA] = [MaybeUninit::uninit(); ARENA];

#[global_allocator]
static HEAP: TalcSyncCell<Memory, WasmBinning> = TalcSyncCell::new_wasm(Memory {
    begun: false,
    end: None,
});

/// Where memory comes from: first what is there, then what is grown.
#[derive(Debug)]
struct Memory {
    begun: bool,
    /// Where the region ends that was grown last.
    end: Option<NonNull<u8>>,
}

// SAFETY: it allocates nothing itself, and claims each byte once: those of `FIRST`, which nobody else
// names, and pages that growing has just added.
unsafe impl Source for Memory {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        if !talc.source.begun {
            talc.source.begun = true;
            // SAFETY: as above; the static lives for ever.
            let claimed = unsafe { talc.claim((&raw mut FIRST).cast(), ARENA) };
            return claimed.map(|_| ()).ok_or(());
        }
        let needed = layout.size() + layout.align() + OVERHEAD;
        let there = core::arch::wasm32::memory_size::<0>();
        let pages = needed.div_ceil(PAGE).max(there / 8);
        let before = core::arch::wasm32::memory_grow::<0>(pages);
        if before == usize::MAX {
            return Err(());
        }
        let base = (before * PAGE) as *mut u8;
        let end = base.wrapping_add(pages * PAGE);
        talc.source.end = match talc.source.end.take() {
            // SAFETY: the pages are new and follow what was grown before.
            Some(old) if old.as_ptr() == base => Some(unsafe { talc.extend(old, end) }),
            // SAFETY: the pages are new.
            _ => unsafe { talc.claim(base, pages * PAGE) },
        };
        talc.source.end.map(|_| ()).ok_or(())
    }
}
