//! The former short name of `--config`, which is `-C` now: `-c` goes on with the last conversation, where a
//! command knows conversations. What was typed before is understood as it was:
//!
//! - Before the command, and with commands that know no conversations, `-c` is `--config`.
//! - With `query` and `chat` it is, if a file of JSON is named behind it (`-c my.json`, `-cmy.json`, `-c=FILE`): no
//!   question is one word that ends so.

use std::ffi::{OsStr, OsString};

use super::Walk;

/// The option's present name.
const CONFIG: &str = "--config";
/// How names of configurations end.
const ENDINGS: [&str; 2] = [".json", ".jsonc"];

/// The words with `--config` in place of `-c` where it means that.
pub(super) fn renamed(mut walk: Walk<'_>, words: Vec<OsString>) -> Vec<OsString> {
    let mut out: Vec<OsString> = Vec::with_capacity(words.len());
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let new = match walk.is_at_option() {
            true => config(&walk, &word, words.peek().map(AsRef::as_ref)),
            false => None,
        };
        for word in new.unwrap_or_else(|| vec![word]) {
            walk.pass(&word);
            out.push(word);
        }
    }
    out
}

/// What stands for a word that holds `-c` and means `--config`.
fn config(walk: &Walk<'_>, word: &OsStr, next: Option<&OsStr>) -> Option<Vec<OsString>> {
    let letters = word.to_str()?.strip_prefix('-')?;
    let (before, behind) = letters.split_once('c')?;
    // `-qc FILE` is `-q -c FILE`; `-sc` is the value "c" of `-s`.
    if !before.chars().all(|letter| walk.is_flag(letter)) {
        return None;
    }
    let continues = walk.is_flag('c');
    let (value, is_named) = match behind.strip_prefix('=') {
        Some(value) => (Some(value), true),
        None if behind.is_empty() => (None, !continues || next.is_some_and(is_json)),
        None => (Some(behind), !continues || is_json(behind.as_ref())),
    };
    if !is_named || behind.starts_with(char::is_whitespace) {
        return None;
    }
    let flags = (!before.is_empty()).then(|| format!("-{before}").into());
    let option = match value {
        Some(value) => format!("{CONFIG}={value}"),
        None => CONFIG.to_owned(),
    };
    Some(flags.into_iter().chain([option.into()]).collect())
}

fn is_json(word: &OsStr) -> bool {
    let word = word.to_string_lossy().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| word.ends_with(ending)) && !word.contains(['\n', '\r'])
}
