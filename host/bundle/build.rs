//! Says which components and which machine code go into the program: what lies in `configs/plugins`
//! when it is built. Nothing is built or compiled here.
//!
//! `cargo xtask plugins` makes the components, `cargo xtask bundle` their machine code as well
//! (`configs/plugins/code/<target>/<name>-<digest of the component>.cwasm.zst`) and packs them (`….wasm.zst`). A debug build takes
//! none of this: it would not be compiled again whenever a component changes.

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

    let made = match env::var("PROFILE").as_deref() {
        Ok("release") => made(
            &plugins
                .join("code")
                .join(env::var("TARGET").unwrap_or_default()),
        )?,
        _ => vec![],
    };
    let (mut components, mut missing) = (String::new(), vec![]);
    for name in PLUGINS {
        let file = plugins.join(format!("{name}.wasm"));
        let file = packed(name, &file, &made).unwrap_or(file);
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
    let code = code(&made)?;
    let text = format!(
        "/// The components.\npub(crate) static PLUGINS: &[EmbeddedPlugin] = &[\n{components}];\n\
         /// Their machine code, by the digest of the component.\n\
         pub(crate) static CODE: &[EmbeddedCode] = &[\n{code}];\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("bundle.rs"), text)
}

/// What was made for a target.
fn made(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(vec![]);
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    // The same files are the same program.
    files.sort();
    Ok(files)
}

/// A component as it was packed, if that was after it was made.
fn packed(name: &str, component: &Path, made: &[PathBuf]) -> Option<PathBuf> {
    let written = |path: &Path| fs::metadata(path).ok()?.modified().ok();
    let of_it = made.iter().find(|path| {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let stem = file.strip_suffix(".wasm.zst");
        stem.and_then(|stem| stem.rsplit_once('-'))
            .is_some_and(|(of, _)| of == name)
    })?;
    (written(of_it)? >= written(component)?).then(|| of_it.clone())
}

/// The machine code. The name says of which component it is.
fn code(files: &[PathBuf]) -> io::Result<String> {
    let mut text = String::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let digest = name
            .strip_suffix(".cwasm.zst")
            .and_then(|stem| stem.rsplit('-').next());
        if let Some(digest) = digest {
            let file = fs::canonicalize(file)?;
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
