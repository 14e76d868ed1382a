//! Says which components and which machine code go into the program: what lies in `configs/plugins`
//! when it is built. Nothing is built or compiled here.
//!
//! `cargo xtask plugins` makes the components, `cargo xtask bundle` their machine code as well
//! (`configs/plugins/code/<target>/<name>-<digest of the component>.cwasm.zst`). A debug build takes no
//! machine code: it would not be compiled again whenever a component changes.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The plugins that come with the program. Whatever else lies there is not ours to bring along.
const PLUGINS: [&str; 7] = [
    "openai",
    "azure",
    "claude",
    "gemini",
    "cohere",
    "huggingface",
    "ollama",
];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let plugins = here.join("../../configs/plugins");
    say(&format!("rerun-if-changed={}", plugins.display()));

    let (mut components, mut missing) = (String::new(), vec![]);
    for name in PLUGINS {
        let file = plugins.join(format!("{name}.wasm"));
        match fs::canonicalize(&file) {
            Ok(file) => components.push_str(&format!(
                "    EmbeddedPlugin {{ name: {name:?}, component: include_bytes!({file:?}) }},\n"
            )),
            Err(_) => missing.push(name),
        }
    }
    if !missing.is_empty() {
        say(&format!(
            "warning=the program is built without the plugins {}: run `cargo xtask plugins` and build again",
            missing.join(", ")
        ));
    }
    let target = env::var("TARGET").unwrap_or_default();
    let code = match env::var("PROFILE").as_deref() {
        Ok("release") => code(&plugins.join("code").join(target))?,
        _ => String::new(),
    };
    let text = format!(
        "/// The components.\npub(crate) static PLUGINS: &[EmbeddedPlugin] = &[\n{components}];\n\
         /// Their machine code, by the digest of the component.\n\
         pub(crate) static CODE: &[EmbeddedCode] = &[\n{code}];\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("bundle.rs"), text)
}

/// What there is for a target. The name says of which component it is.
fn code(folder: &Path) -> io::Result<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(String::new());
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    // The same files are the same program.
    files.sort();
    let mut text = String::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let digest = name
            .strip_suffix(".cwasm.zst")
            .and_then(|stem| stem.rsplit('-').next());
        if let Some(digest) = digest {
            let file = fs::canonicalize(&file)?;
            text.push_str(&format!(
                "    EmbeddedCode {{ component: {digest:?}, code: include_bytes!({file:?}) }},\n"
            ));
        }
    }
    Ok(text)
}

/// Tells cargo something.
#[allow(clippy::print_stdout, reason = "cargo reads it there")]
fn say(what: &str) {
    println!("cargo:{what}");
}
