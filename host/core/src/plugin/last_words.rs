//! What a guest that trapped left behind: the words of its panic, which the SDK writes into its memory, and the names of
//! the functions it was in, where its author kept them (`multillm plugin pack --keep-names`).
//!
//! Nothing is called for it: the guest is dead. Its memory is looked at once, and what it says is a text of a
//! stranger's like any other.

use wasmtime::{Instance, Store, Val, WasmCoreDump};

use super::session::State;

/// The global of a guest that points to its words: 32 bits of length, then as many bytes of text.
const WORDS: &str = "multillm_last_words";
/// The most bytes of text that are read.
const MOST: usize = 500;
/// The most functions that are named, and characters of a name.
const FRAMES: usize = 6;
const NAME: usize = 80;

/// What is known of a trap beyond its kind; nothing if nothing is.
pub(super) fn of(store: &mut Store<State>, error: &wasmtime::Error) -> Option<String> {
    let dump = error.downcast_ref::<WasmCoreDump>()?;
    let said = dump
        .instances()
        .iter()
        .find_map(|instance| words(store, *instance));
    said.or_else(|| names(dump))
}

/// What stands where the instance says that its words are.
fn words(store: &mut Store<State>, instance: Instance) -> Option<String> {
    let global = instance.get_global(&mut *store, WORDS)?;
    let Val::I32(place) = global.get(&mut *store) else {
        return None;
    };
    let memory = instance.get_memory(&mut *store, "memory")?;
    let bytes = memory.data(&*store);
    // An address of 32 bits has no sign.
    let place = usize::try_from(place.cast_unsigned()).ok()?;
    let (length, text) = bytes.get(place..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let text = text.get(..length.min(MOST))?;
    let text = String::from_utf8_lossy(text);
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// The functions that it was in, the innermost first.
fn names(dump: &WasmCoreDump) -> Option<String> {
    let named = dump.frames().iter().filter_map(|frame| frame.func_name());
    let names: Vec<String> = named
        .take(FRAMES)
        .map(|name| name.chars().take(NAME).collect())
        .collect();
    (!names.is_empty()).then(|| format!("in {}", names.join(", called by ")))
}
