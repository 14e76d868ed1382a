//! A scan for keys that goes along with every test: of what the library logs at any level, of what
//! the program prints, and of the files that a test leaves behind.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};

use memchr::memmem;
use tracing_subscriber::filter::LevelFilter;

/// Every key that a test of this process has used.
static KEYS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// From now on these are keys: what is logged in this process must hold none of them.
pub(crate) fn know(variables: &[(String, String)]) {
    static LISTENING: Once = Once::new();
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    for key in keys_of(variables) {
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }
    drop(keys);
    LISTENING.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Log)
            .init();
    });
}

/// The same for a process of its own, which was given its keys by the environment.
pub(crate) fn know_environment() {
    know(&std::env::vars().collect::<Vec<_>>());
}

/// What a caller was given holds no key.
pub(crate) fn none_in(given: &impl std::fmt::Debug) {
    let text = format!("{given:?}");
    let keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    let found = keys.iter().find(|key| holds(text.as_bytes(), key)).cloned();
    drop(keys);
    assert_eq!(found, None, "a caller was given a key: {text}");
}

/// The key that occurs in what was printed.
pub(crate) fn found<'a>(variables: &'a [(String, String)], text: &[u8]) -> Option<&'a str> {
    keys_of(variables).find(|key| holds(text, key))
}

/// The first file below the folder that holds a key. A `.env` file is where a user puts keys.
pub(crate) fn found_below(variables: &[(String, String)], folder: &Path) -> Option<String> {
    // A service that is still closing may take its files away meanwhile.
    fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return found_below(variables, &path);
        }
        if entry.file_name() == ".env" {
            return None;
        }
        // The programs that tests put there are the same everywhere.
        if path.is_symlink() {
            return None;
        }
        found(variables, &fs::read(&path).ok()?)?;
        Some(path.display().to_string())
    })
}

/// Variables that are named as keys are.
fn keys_of(variables: &[(String, String)]) -> impl Iterator<Item = &str> {
    variables
        .iter()
        .filter(|(name, value)| name.ends_with("_KEY") && !value.is_empty())
        .map(|(_, value)| &**value)
}

fn holds(text: &[u8], key: &str) -> bool {
    memmem::find(text, key.as_bytes()).is_some()
}

/// Where everything is logged to. A key ends the process: who logs may be a thread or a task whose
/// panic nobody would see.
#[derive(Debug)]
struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.iter().find(|key| holds(line, key)) {
            // Past what captures a test's output: nobody else will show it.
            let line = String::from_utf8_lossy(line);
            let _ = writeln!(io::stderr(), "the key {key:?} was logged: {line}");
            std::process::exit(101);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_key_is_found_where_it_is() {
    let variables = [
        ("A_KEY".to_owned(), "sk-1".to_owned()),
        ("B_KEY".to_owned(), String::new()),
        ("HOME".to_owned(), "text".to_owned()),
    ];
    assert_eq!(found(&variables, b"a text with sk-1 in it"), Some("sk-1"));
    assert_eq!(found(&variables, b"a text with sk-"), None);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    fs::write(folder.path().join(".env"), "A_KEY=sk-1").unwrap();
    assert_eq!(found_below(&variables, folder.path()), None);
    let file = folder.path().join("deep").join("file");
    fs::write(&file, b"\0\xffsk-1\0").unwrap();
    assert_eq!(
        found_below(&variables, folder.path()),
        Some(file.display().to_string())
    );
}

/// The proof that the scan listens: what a process logs that it must not log ends it.
#[test]
fn a_logged_key_ends_the_process() {
    const CHILD: &str = "MULTILLM_TEST_LOGS_A_KEY";
    let variables = [("A_KEY".to_owned(), "sk-logged".to_owned())];
    if std::env::var_os(CHILD).is_some() {
        know(&variables);
        let _ = write!(Log, "harmless");
        tracing::trace!(key = "sk-logged", "deep below");
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["leaks::a_logged_key_ends_the_process", "--exact"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(101), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("was logged") && stderr.contains("deep below"),
        "{stderr}"
    );
}
