//! Places as people type them: `~`, `file:` and `data:` URLs, addresses, Windows' paths. What
//! stands there is read by others.

use std::ffi::OsString;
use std::path::PathBuf;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use clap::builder::{OsStringValueParser, TypedValueParser};

/// Where something is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At an `http` or `https` address.
    Web(String),
    /// In the place itself, as a `data:` URL.
    Data(Vec<u8>),
    /// In a file.
    File(PathBuf),
}

impl Place {
    /// Reads a place.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL.
    pub(super) fn of(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match scheme(text).as_deref() {
            Some("http" | "https") => Ok(Place::Web(text.to_owned())),
            Some("data") => data(text.get("data:".len()..).unwrap_or_default()).map(Place::Data),
            _ => file(text).map(Place::File),
        }
    }
}

/// The file of a path or `file:` URL; `~/` is the home directory.
///
/// # Errors
///
/// The URL names no file of this machine.
pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    match scheme(text).as_deref() {
        Some("file") => {
            let rest = text.get("file:".len()..).unwrap_or_default();
            let path = String::from_utf8_lossy(&plain(rest)).into_owned();
            if let Some(path) = path.strip_prefix("//").unwrap_or(&path).strip_prefix('~') {
                return Ok(at_home(&format!("~{path}").into()));
            }
            if !rest.starts_with('/') {
                return Ok(path.into());
            }
            url::Url::parse(text)
                .ok()
                .and_then(|url| url.to_file_path().ok())
                .ok_or_else(|| format!("{text} names no file of this machine: write file:///path"))
        }
        _ => Ok(at_home(&text.into())),
    }
}

/// An argument that is a path.
pub(super) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(|typed| at_home(&typed))
}

/// The path, `~` at its beginning being the home directory: a shell leaves it as it is within quotes
/// and behind `=` or `@`.
fn at_home(path: &OsString) -> PathBuf {
    let known = || directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let rest = match path.to_str().and_then(|path| path.strip_prefix('~')) {
        Some("") => Some(""),
        Some(rest) => rest.strip_prefix(std::path::is_separator),
        None => None,
    };
    match rest.zip(known()) {
        Some(("", home)) => home,
        Some((rest, home)) => home.join(rest),
        None => path.into(),
    }
}

/// Whether this is a path as Windows writes it, where a backslash escapes nothing.
pub(super) fn is_windows_path(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'']);
    let mut chars = text.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.next() == Some(':')
        && chars.next() == Some('\\');
    drive || text.starts_with(r"\\") || cfg!(windows) && text.contains('\\')
}

/// The scheme of a URL, in small letters. One letter is a drive.
fn scheme(text: &str) -> Option<String> {
    let (scheme, _) = text.split_once(':')?;
    let letters = scheme
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (scheme.len() > 1 && letters).then(|| scheme.to_ascii_lowercase())
}

/// The bytes of a `data:` URL (RFC 2397), `data:` left out.
fn data(rest: &str) -> Result<Vec<u8>, String> {
    let (about, content) = rest
        .split_once(',')
        .ok_or("a data: URL needs a comma between its type and its data")?;
    let bytes = plain(content);
    let encoded = about.rsplit(';').next().map(str::trim);
    if !encoded.is_some_and(|word| word.eq_ignore_ascii_case("base64")) {
        return Ok(bytes);
    }
    let dense: Vec<u8> = bytes
        .into_iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = |alphabet| GeneralPurpose::new(alphabet, config);
    engine(&STANDARD)
        .decode(&dense)
        .or_else(|_| engine(&URL_SAFE).decode(&dense))
        .map_err(|error| format!("the data: URL holds no base64: {error}"))
}

/// Without percent-encoding (RFC 3986). What is none stays as it is.
fn plain(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().iter();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let code = bytes.as_slice().get(..2);
        let code = code
            .filter(|_| *byte == b'%')
            .and_then(|code| hex::decode(code).ok());
        match code.as_deref() {
            Some([decoded]) => {
                out.push(*decoded);
                bytes.nth(1);
            }
            _ => out.push(*byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_file(text: &str) -> PathBuf {
        match Place::of(text).unwrap() {
            Place::File(path) => path,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn files_are_found_however_they_are_written() {
        let home = directories::BaseDirs::new().unwrap();
        let home = home.home_dir();
        for (text, path) in [
            ("a b.png", PathBuf::from("a b.png")),
            ("~/a.png", home.join("a.png")),
            ("~", home.to_owned()),
            ("~other/a.png", "~other/a.png".into()),
            ("file:a%20b.png", "a b.png".into()),
            ("file://~/a.png", home.join("a.png")),
            (r"C:\pics\a.png", r"C:\pics\a.png".into()),
            ("a:b", "a:b".into()),
        ] {
            assert_eq!(of_file(text), path, "{text}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn file_urls_are_of_this_machine() {
        for url in [
            "file:///tmp/a%20b.png",
            "FILE:/tmp/a%20b.png",
            "file://localhost/tmp/a b.png",
        ] {
            assert_eq!(of_file(url), PathBuf::from("/tmp/a b.png"), "{url}");
        }
        let fault = Place::of("file://elsewhere/a.png").unwrap_err();
        assert!(fault.contains("no file of this machine"), "{fault}");
    }

    #[test]
    fn data_urls_are_their_bytes() {
        for url in [
            "data:image/png;base64,aGk/",
            "DATA:;BASE64,aGk_",
            "data:text/plain,hi%3F",
            "data:image/png;name=x;base64,aG k%2F",
            "data:,hi?",
        ] {
            assert_eq!(Place::of(url), Ok(Place::Data(b"hi?".to_vec())), "{url}");
        }
        assert!(Place::of("data:image/png;base64").is_err());
        assert!(Place::of("data:image/png;base64,!!").is_err());
    }

    #[test]
    fn addresses_are_left_to_the_vendor() {
        for url in ["https://example.org/a.png", "HTTP://example.org/a.png"] {
            assert_eq!(Place::of(url), Ok(Place::Web(url.to_owned())));
        }
    }

    #[test]
    fn windows_paths_are_known() {
        for path in [r"C:\a\b", r#""d:\a b\c.png""#, r"\\server\share\x"] {
            assert!(is_windows_path(path), "{path}");
        }
        for path in [r"my\ pic.png", "a:b", "C:/a"] {
            assert_eq!(
                is_windows_path(path),
                cfg!(windows) && path.contains('\\'),
                "{path}"
            );
        }
    }
}
