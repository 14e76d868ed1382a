//! A new plugin's project, from what the program itself holds: the contract, the SDK's sources and the template, which
//! is a tested member of this repository.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use flate2::read::DeflateDecoder;
use thiserror::Error;

mod rust;
mod sources {
    include!(concat!(env!("OUT_DIR"), "/sources.rs"));
}

pub(crate) use sources::WIT;

/// All files one after the other.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let packed: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sources.bin"));
    let mut text = String::new();
    let read = DeflateDecoder::new(packed).read_to_string(&mut text);
    debug_assert!(read.is_ok(), "the build packed it");
    text
});

/// Files of this repository: their places, and where in [`TEXT`] each begins and ends.
pub(crate) struct Packed(&'static [(&'static str, usize, usize)]);

impl Packed {
    /// Places and contents.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let text = |start, end| TEXT.get(start..end).unwrap_or_default();
        let files = self.0.iter();
        files.map(move |(place, start, end)| (*place, text(*start, *end)))
    }
}

/// Names that belong to the program's own plugins.
const TAKEN: &[&str] = &multillm::config::Starter::VENDORS;

/// What a project starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A vendor with a wire of its own: the template.
    OwnWire,
    /// A server that speaks OpenAI's chat completions, with differences as data.
    OpenAiCompatible,
}

/// What it is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// With the SDK.
    Rust,
    /// Made a component by componentize-py.
    Python,
    /// Made a component by componentize-qjs.
    JavaScript,
    /// With bindings of wit-bindgen.
    C,
}

impl Language {
    /// The template's files; none for Rust, whose project is put together.
    fn files(self) -> Packed {
        match self {
            Language::Rust => Packed(&[]),
            Language::Python => sources::PYTHON,
            Language::JavaScript => sources::JAVASCRIPT,
            Language::C => sources::C,
        }
    }
}

/// Why no project was made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScaffoldError {
    /// The name cannot be a plugin's.
    #[error("{0:?} cannot be a plugin's name: use a-z, 0-9 and -, and begin with a letter")]
    Name(String),
    /// The name is one of the program's own.
    #[error("{0:?} is one of the program's own plugins: choose another name")]
    Taken(String),
    /// Only the SDK has the OpenAI wire as data.
    #[error(
        "a project for a server that speaks OpenAI's wire is written in Rust: leave out --lang or --openai-compatible \
         (and for most such servers a providers entry with a base_url is enough)"
    )]
    NotInThatLanguage,
    /// Something is there already.
    #[error("{} is there already: choose another name or another folder", .0.display())]
    There(PathBuf),
    /// It cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Writes a project into a folder of its own below `parent`, and gives the folder.
///
/// # Errors
///
/// A [`ScaffoldError`]; what was begun stays.
pub fn scaffold(
    parent: &Path,
    name: &str,
    kind: Kind,
    language: Language,
) -> Result<PathBuf, ScaffoldError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let letter = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !letter || !name.chars().all(plain) || name.ends_with('-') || name.contains("--") {
        return Err(ScaffoldError::Name(name.to_owned()));
    }
    if TAKEN.contains(&name) {
        return Err(ScaffoldError::Taken(name.to_owned()));
    }
    if kind == Kind::OpenAiCompatible && language != Language::Rust {
        return Err(ScaffoldError::NotInThatLanguage);
    }
    let folder = parent.join(name);
    if folder.exists() {
        return Err(ScaffoldError::There(folder));
    }
    let mut files = match language {
        Language::Rust => rust::files(name, kind),
        other => {
            let files = other.files().files();
            let named = files.map(|(place, text)| (place.to_owned(), renamed(text, name)));
            named.collect::<Vec<_>>()
        }
    };
    let as_it_is = |to: &str, from: Packed| {
        let files = from.files();
        let placed = files.map(|(place, text)| (format!("{to}/{place}"), text.to_owned()));
        placed.collect::<Vec<_>>()
    };
    files.extend(as_it_is("wit", WIT));
    if kind == Kind::OwnWire {
        let recordings = as_it_is("recordings", sources::RECORDINGS).into_iter();
        files.extend(recordings.map(|(place, text)| (place, renamed(&text, name))));
    }
    files.push((".gitignore".to_owned(), IGNORED.to_owned()));
    for (place, content) in files {
        let path = folder.join(place);
        let unwritable = |error| ScaffoldError::Unwritable {
            path: path.clone(),
            error,
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(unwritable)?;
        }
        fs::write(&path, content).map_err(unwritable)?;
    }
    Ok(folder)
}

/// What building leaves behind.
const IGNORED: &str =
    "/target\n/node_modules\n/.multillm\n/bindings/wit_world\n__pycache__\n*.wasm\n";

/// The template's vendor by another name, in each of the forms in which names are written.
fn renamed(text: &str, name: &str) -> String {
    let snake = name.replace('-', "_");
    let camel: String = name
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect::<String>()
        })
        .collect();
    text.replace("PARLEY", &snake.to_ascii_uppercase())
        .replace("Parley", &camel)
        .replace("fn what_parley", &format!("fn what_{snake}"))
        .replace("_parley_", &format!("_{snake}_"))
        .replace("parley", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_in_each_form() {
        let text = "Parley PARLEY_API_KEY parley fn what_parley_cannot() a_parley_b";
        assert_eq!(
            renamed(text, "deep-sea"),
            "DeepSea DEEP_SEA_API_KEY deep-sea fn what_deep_sea_cannot() a_deep_sea_b"
        );
    }

    #[test]
    fn a_project_is_whole_and_stands_where_nothing_stood() {
        let folder = tempfile::tempdir().unwrap();
        let made = scaffold(folder.path(), "deep-sea", Kind::OwnWire, Language::Rust).unwrap();
        for place in [
            "Cargo.toml",
            "src/lib.rs",
            "src/tests.rs",
            "wit/provider.wit",
            "vendor/multillm-plugin-sdk/src/lib.rs",
        ] {
            assert!(made.join(place).is_file(), "{place}");
        }
        let lib = fs::read_to_string(made.join("src/lib.rs")).unwrap();
        assert!(lib.contains("DEEP_SEA_API_KEY") && !lib.to_lowercase().contains("parley"));
        assert!(!made.join("wit/frozen").exists());
        let again = scaffold(
            folder.path(),
            "deep-sea",
            Kind::OpenAiCompatible,
            Language::Rust,
        );
        assert!(matches!(again, Err(ScaffoldError::There(_))));
        for bad in ["", "Deep", "9lives", "a_b", "a--b", "-a", "a-", "../x"] {
            let made = scaffold(folder.path(), bad, Kind::OwnWire, Language::C);
            assert!(matches!(made, Err(ScaffoldError::Name(_))), "{bad}");
        }
        assert!(matches!(
            scaffold(folder.path(), "openai", Kind::OwnWire, Language::Rust),
            Err(ScaffoldError::Taken(_))
        ));
    }

    #[test]
    fn each_language_has_a_project_of_its_own() {
        for (language, main) in [
            (Language::Python, "adapter.py"),
            (Language::JavaScript, "adapter.js"),
            (Language::C, "adapter.c"),
            (Language::Rust, "src/lib.rs"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let kind = Kind::OwnWire;
            let made = scaffold(folder.path(), "deep-sea", kind, language).unwrap();
            let project = crate::Project::of(&made).unwrap();
            assert_eq!(project.name, "deep-sea", "{language:?}");
            assert!(!project.build.is_empty() && !project.test.is_empty());
            assert!(project.watch.iter().all(|path| made.join(path).exists()));
            let recordings = project.recordings.unwrap();
            let recordings = crate::recordings_of(&made.join(recordings)).unwrap();
            assert_eq!(recordings.len(), 3, "{language:?}");
            let text = fs::read_to_string(made.join(main)).unwrap();
            assert!(text.contains("DEEP_SEA_API_KEY"), "{language:?}");
            for (place, _) in language.files().files() {
                let text = fs::read_to_string(made.join(place)).unwrap();
                assert!(!text.to_lowercase().contains("parley"), "{place}");
            }
            if language != Language::Rust {
                let kind = Kind::OpenAiCompatible;
                let made = scaffold(folder.path(), "other", kind, language);
                assert!(matches!(made, Err(ScaffoldError::NotInThatLanguage)));
            }
        }
    }

    #[test]
    fn versions_are_those_of_the_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
        let workspace = fs::read_to_string(root).unwrap();
        for needed in [
            r#"wit-bindgen = { version = "=0.61.1", default-features = false, features = ["realloc", "std"] }"#,
            r#"base64 = "0.22""#,
            r#"talc = { version = "5.1", default-features = false }"#,
            r#"serde_json = { version = "1", features = ["float_roundtrip", "raw_value"] }"#,
        ] {
            assert!(
                workspace.contains(needed),
                "the workspace has another {needed}"
            );
            assert!(rust::sdk_manifest().contains(needed));
        }
    }
}
