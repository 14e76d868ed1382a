//! Says which components and which machine code go into the program: what lies in `configs/plugins`
//! when it is built. Nothing is built or compiled here.
//!
//! `cargo xtask plugins` makes the components, `cargo xtask bundle` their machine code as well
//! (`configs/plugins/code/<target>/<name>-<digest of the component>.cwasm.zst`) and packs them (`….wasm.zst`; a second digest names
//! the component that a file was packed against), with what a host has to know of each beside its code (`….json`). A debug build takes none of this: it would not be compiled again whenever a
//! component changes.

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

/// A file that `multillm-precompile` made.
struct Made {
    /// Which plugin's it is.
    name: String,
    /// The digest of the component.
    component: String,
    /// The digest of the component that it was packed against.
    like: Option<String>,
    kind: Kind,
    path: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Component,
    Code,
    About,
}

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
    let (mut files, mut components, mut missing) = (String::new(), String::new(), vec![]);
    for (number, file) in made.iter().enumerate() {
        let path = fs::canonicalize(&file.path)?;
        // What was made of another version of a component is not used.
        files.push_str(&match file.kind {
            Kind::About => format!(
                "#[allow(dead_code)]\nstatic FILE_{number}: &str = include_str!({path:?});\n"
            ),
            Kind::Component | Kind::Code => format!(
                "#[allow(dead_code)]\nstatic FILE_{number}: &[u8] = include_bytes!({path:?});\n"
            ),
        });
    }
    for name in PLUGINS {
        let file = plugins.join(format!("{name}.wasm"));
        let text = match (packed(name, &file, &made), fs::canonicalize(&file)) {
            (Some(number), _) => embedded(&made, number).map(|text| {
                let digest = made.get(number).map(|file| file.component.as_str());
                format!("{text}, digest: {:?}", digest.unwrap_or_default())
            }),
            (None, Ok(file)) => Some(format!("include_bytes!({file:?}), like: &[], digest: \"\"")),
            (None, Err(_)) => None,
        };
        match text {
            Some(text) => components.push_str(&format!(
                "    EmbeddedPlugin {{ name: {name:?}, component: {text} }},\n"
            )),
            None => missing.push(name),
        }
    }
    if !missing.is_empty() {
        say(&format!(
            "warning=the program is built without the plugins {}: run `cargo xtask plugins` and build again",
            missing.join(", ")
        ));
    }
    let mut code = String::new();
    for (number, file) in made.iter().enumerate() {
        if let (Kind::Code, Some(text)) = (file.kind, embedded(&made, number)) {
            let about = made
                .iter()
                .position(|other| other.kind == Kind::About && other.component == file.component);
            let about = about.map_or("\"\"".to_owned(), |number| format!("FILE_{number}"));
            code.push_str(&format!(
                "    EmbeddedCode {{ component: {:?}, code: {text}, about: {about} }},\n",
                file.component
            ));
        }
    }
    let text = format!(
        "{files}/// The components.\npub(crate) static PLUGINS: &[EmbeddedPlugin] = &[\n{components}];\n\
         /// Their machine code, by the digest of the component.\n\
         pub(crate) static CODE: &[EmbeddedCode] = &[\n{code}];\n"
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("bundle.rs"), text)
}

/// What was made for a target. The same files are the same program, so they have an order.
fn made(folder: &Path) -> io::Result<Vec<Made>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(vec![]);
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths.into_iter().filter_map(read).collect())
}

/// What a file's name says: `NAME-DIGEST` or `NAME-DIGEST-DIGEST`, and its kind.
fn read(path: PathBuf) -> Option<Made> {
    let file = path.file_name()?.to_string_lossy().into_owned();
    let kinds = [
        (".cwasm.zst", Kind::Code),
        (".wasm.zst", Kind::Component),
        (".json", Kind::About),
    ];
    let (stem, kind) = kinds
        .into_iter()
        .find_map(|(ending, kind)| Some((file.strip_suffix(ending)?, kind)))?;
    let mut parts = stem.split('-').map(str::to_owned);
    Some(Made {
        name: parts.next()?,
        component: parts.next()?,
        like: parts.next(),
        kind,
        path,
    })
}

/// Which of the files is a component as it was packed, if that was after it was made.
fn packed(name: &str, component: &Path, made: &[Made]) -> Option<usize> {
    let written = |path: &Path| fs::metadata(path).ok()?.modified().ok();
    let number = made
        .iter()
        .position(|file| file.kind == Kind::Component && file.name == name)?;
    let file = made.get(number)?;
    (written(&file.path)? >= written(component)?).then_some(number)
}

/// The two fields that bring a file along, if what it was packed against is there.
fn embedded(made: &[Made], number: usize) -> Option<String> {
    let file = made.get(number)?;
    let Some(like) = &file.like else {
        return Some(format!("FILE_{number}, like: &[]"));
    };
    let other = made.iter().position(|other| {
        other.kind == file.kind && other.component == *like && other.like.is_none()
    })?;
    Some(format!("FILE_{number}, like: FILE_{other}"))
}

/// Tells cargo something.
#[allow(clippy::print_stdout, reason = "cargo reads it there")]
fn say(what: &str) {
    println!("cargo:{what}");
}
