//! What must hold for any bytes: the checks behind the fuzz targets of `fuzz/`.
//!
//! A check takes an input, does with it what the product would, and panics where something is
//! wrong. `fuzz/` runs the checks for as long as one likes, on inputs that libFuzzer finds, and
//! needs a nightly compiler; the tests of this crate run them on the seeds in `fuzz/seeds` and on
//! mutations of those, with the compiler that everything else is built with.
//!
//! # Layout
//!
//! - `input`: how an input is taken apart
//! - `framing`, `config`, `url`: the host's own parts
//! - `adapter`: a plugin, natively and through its component, for each of the seven
//! - `face`: what the gateway reads of callers and writes for them, a target for each face
//! - `relay`: what the relays of all wires read, against what their chats read
//!
//! The components must have been built: `cargo xtask plugins`.
#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    reason = "a check that panics is how a finding is reported"
)]

mod adapter;
mod config;
mod face;
mod framing;
mod input;
mod relay;
mod url;

use multillm_gateway::face::Face;

use adapter::subjects::{AZURE, CLAUDE, COHERE, GEMINI, HUGGINGFACE, OLLAMA, OPENAI};

/// Something that takes any bytes.
pub struct Target {
    /// As the fuzz target and the folder of its seeds are called.
    pub name: &'static str,
    prepare: fn(),
    check: fn(&[u8]),
}

/// The target of a face.
macro_rules! of_face {
    ($name:literal, $face:ident) => {
        Target::new($name, || (), |input| face::check(Face::$face, input))
    };
}

/// Every target.
pub static TARGETS: [Target; 19] = [
    Target::new("framing", || (), framing::check),
    Target::new("config", || (), config::check),
    Target::new("url", || (), url::check),
    Target::new("openai", || OPENAI.prepare(), |input| OPENAI.check(input)),
    Target::new("azure", || AZURE.prepare(), |input| AZURE.check(input)),
    Target::new(
        "huggingface",
        || HUGGINGFACE.prepare(),
        |input| HUGGINGFACE.check(input),
    ),
    Target::new("gemini", || GEMINI.prepare(), |input| GEMINI.check(input)),
    Target::new("claude", || CLAUDE.prepare(), |input| CLAUDE.check(input)),
    Target::new("ollama", || OLLAMA.prepare(), |input| OLLAMA.check(input)),
    Target::new("cohere", || COHERE.prepare(), |input| COHERE.check(input)),
    Target::new("relay", || (), relay::check),
    of_face!("face_chat", OpenAiChat),
    of_face!("face_responses", OpenAiResponses),
    of_face!("face_messages", AnthropicMessages),
    of_face!("face_ollama", OllamaChat),
    of_face!("face_prompt", OllamaGenerate),
    of_face!("face_gemini", Gemini),
    of_face!("face_cohere", CohereChat),
    Target::new("face_vectors", || (), face::vectors::check),
];

impl Target {
    const fn new(name: &'static str, prepare: fn(), check: fn(&[u8])) -> Self {
        Target {
            name,
            prepare,
            check,
        }
    }
}

/// Does once what every check of a target needs, such as loading a component.
///
/// # Panics
///
/// There is no such target, or its component is not built.
pub fn prepare(target: &str) {
    (named(target).prepare)();
}

/// Runs a target's check.
///
/// # Panics
///
/// There is no such target, or something is wrong: that is the finding.
pub fn check(target: &str, input: &[u8]) {
    (named(target).check)(input);
}

fn named(name: &str) -> &'static Target {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .expect("the name of a target")
}
