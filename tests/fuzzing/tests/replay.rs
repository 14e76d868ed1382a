//! The bounded run of the fuzz targets: every seed, and mutations of the seeds that are the same in
//! every run. What this finds, `cargo xtask fuzz` finds too, and more of it.

#![allow(clippy::unwrap_used)]
#![allow(
    clippy::print_stderr,
    reason = "a failure names the input, which nothing else knows"
)]

#[path = "replay/mutate.rs"]
mod mutate;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use multillm_fuzzing::{TARGETS, check, prepare};
use mutate::Mutator;

/// Mutations for each target.
const MUTATIONS: usize = 2000;
/// Bytes of an input.
const LONGEST: usize = 4096;

fn seeds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds")
}

/// Files of a folder, always in the same order.
fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn run(target: &str) {
    prepare(target);
    let files = sorted(&seeds().join(target));
    let inputs: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!inputs.is_empty(), "no seeds of {target}");
    for (file, input) in files.iter().zip(&inputs) {
        try_one(target, &file.display().to_string(), input);
    }
    let mut mutator = Mutator::new(target, &inputs, LONGEST);
    for number in 0..MUTATIONS {
        try_one(target, &format!("mutation {number}"), &mutator.next());
    }
}

/// What fails is kept, to be run alone or to become a seed.
fn try_one(target: &str, name: &str, input: &[u8]) {
    let checked = panic::catch_unwind(AssertUnwindSafe(|| check(target, input)));
    if let Err(panic) = checked {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{target}"));
        fs::write(&kept, input).unwrap();
        eprintln!("{target}: {name} fails; it is kept in {}", kept.display());
        panic::resume_unwind(panic);
    }
}

macro_rules! replay {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                run(stringify!($target));
            }
        )*

        #[test]
        fn every_target_is_replayed_and_can_be_fuzzed() {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($target)),*]);
            let folders: Vec<_> = sorted(&seeds());
            assert_eq!(folders.len(), names.len(), "{folders:?}");
            for name in names {
                let source = seeds().join(format!("../targets/{name}.rs"));
                let source = fs::read_to_string(source).unwrap();
                assert!(source.contains(&format!("check({name:?}, input)")), "{name}");
            }
        }
    };
}

replay! { framing config url openai azure huggingface gemini claude ollama cohere relay
face_chat face_responses face_messages face_ollama face_prompt face_gemini face_cohere face_vectors }
