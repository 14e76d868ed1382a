//! `docs/tutorial.md`, done as it stands: each command in order in an empty folder, each change to the sources, and what
//! the page says that is seen is looked for in what is printed.
//!
//! Crates come from the registry as far as it is at hand; nothing else is fetched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::stage::{program, root};

/// The longest that one command may take.
const PATIENCE: Duration = Duration::from_secs(480);

/// Something to do.
#[derive(Debug)]
enum Step {
    /// A command line, and what is seen.
    Run(String, Vec<String>),
    /// A change: file, lines that go, lines that come.
    Change(String, String, String),
}

/// What the page says to do, in order.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = vec![];
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind {
            "console" => steps.extend(commands(&block)),
            "diff" => steps.extend(changes(&block)),
            // To be read.
            "sh" | "json" => {}
            other => panic!("the page has a block of {other:?}"),
        }
    }
    steps
}

fn commands(block: &[&str]) -> Vec<Step> {
    let mut found: Vec<Step> = vec![];
    for line in block {
        match (line.strip_prefix("$ "), found.last_mut()) {
            (Some(command), _) => found.push(Step::Run(command.to_owned(), vec![])),
            (None, Some(Step::Run(_, seen))) => seen.push((*line).to_owned()),
            _ => panic!("{line:?} belongs to no command"),
        }
    }
    found
}

fn changes(block: &[&str]) -> Vec<Step> {
    let mut found = vec![];
    let mut file = String::new();
    for line in block {
        if let Some(name) = line.strip_prefix("+++ b/") {
            name.clone_into(&mut file);
        } else if *line == "@@" {
            found.push(Step::Change(file.clone(), String::new(), String::new()));
        } else if let (false, Some(Step::Change(_, old, new))) =
            (line.starts_with("---"), found.last_mut())
        {
            let (text, line) = match line.split_at(1) {
                ("-", line) => (old, line),
                ("+", line) => (new, line),
                _ => panic!("{line:?} neither goes nor comes"),
            };
            *text += line;
            text.push('\n');
        }
    }
    found
}

/// A folder in which somebody begins.
struct Novice {
    _folder: tempfile::TempDir,
    here: PathBuf,
    home: PathBuf,
    path: String,
    behind: Vec<Child>,
}

impl Drop for Novice {
    fn drop(&mut self) {
        for child in &mut self.behind {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Novice {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().join("work");
        let home = folder.path().join("home");
        fs::create_dir_all(&here).unwrap();
        fs::create_dir_all(&home).unwrap();
        let path = std::env::var("PATH").unwrap();
        let program = program();
        Novice {
            path: format!("{}:{path}", program.parent().unwrap().display()),
            here,
            home,
            _folder: folder,
            behind: vec![],
        }
    }

    fn command(&self, line: &str) -> Command {
        let own = |variable: &str, folder: &str| {
            let usual = || PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(folder);
            std::env::var_os(variable).map_or_else(usual, PathBuf::from)
        };
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(&self.here)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &self.home)
            .env("CARGO_HOME", own("CARGO_HOME", ".cargo"))
            .env("RUSTUP_HOME", own("RUSTUP_HOME", ".rustup"))
            // The toolchain of this repository: its target is there.
            .env("RUSTUP_TOOLCHAIN", toolchain())
            .env("CARGO_NET_OFFLINE", "true")
            .stdin(Stdio::null());
        command
    }

    /// What a command says, once it has ended or, if it goes on behind, once this is seen.
    fn run(&mut self, line: &str, seen: &[String]) -> String {
        let log = self.home.join("log");
        let file = fs::File::create(&log).unwrap();
        let (line, stays) = match line.strip_suffix(" &") {
            // The program itself is what is ended, and not a shell around it.
            Some(line) => (format!("exec {line}"), true),
            None => (line.to_owned(), false),
        };
        let mut command = self.command(&line);
        let mut child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let ended = child.try_wait().unwrap().is_some();
            if ended || stays && seen.iter().all(|words| text.contains(words)) {
                if stays && !ended {
                    self.behind.push(child);
                }
                return fs::read_to_string(&log).unwrap_or_default();
            }
            if begun.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{line} takes too long:\n{text}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn toolchain() -> String {
    let file = fs::read_to_string(root().join("rust-toolchain.toml")).unwrap();
    let line = file
        .lines()
        .find(|line| line.starts_with("channel"))
        .unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

fn has_target(novice: &Novice) -> bool {
    let mut command = novice.command("rustc --print target-libdir --target wasm32-unknown-unknown");
    let output = command.output().unwrap();
    let folder = String::from_utf8_lossy(&output.stdout);
    Path::new(folder.trim()).is_dir()
}

#[test]
fn the_tutorial_does_what_it_says() {
    let page = fs::read_to_string(root().join("docs/tutorial.md")).unwrap();
    let steps = steps(&page);
    assert!(steps.len() > 20, "{steps:?}");
    let mut novice = Novice::new();
    if !has_target(&novice) {
        eprintln!(
            "skipped: the target wasm32-unknown-unknown is not installed (rustup target add)"
        );
        return;
    }
    let begun = Instant::now();
    let mut answered = None;
    for step in steps {
        match step {
            // It is there, and nothing is fetched.
            Step::Run(line, _) if line.starts_with("rustup ") => {}
            Step::Run(line, _) if line.starts_with("cd ") => novice.here.push(&line[3..]),
            Step::Run(line, seen) => {
                let since = Instant::now();
                let lacks = |said: &str| seen.iter().find(|words| !said.contains(*words));
                let mut said = novice.run(&line, &seen);
                // What was changed a moment ago is still being built by the loop behind.
                while line.starts_with("multillm query")
                    && lacks(&said).is_some()
                    && since.elapsed() < PATIENCE
                {
                    std::thread::sleep(Duration::from_secs(1));
                    said = novice.run(&line, &seen);
                }
                if let Some(words) = lacks(&said) {
                    panic!("{line} does not say {words:?}:\n{said}");
                }
                if line.starts_with("multillm query") && answered.is_none() {
                    answered = Some(begun.elapsed());
                }
            }
            Step::Change(file, old, new) => {
                let path = novice.here.join(&file);
                let text = fs::read_to_string(&path).unwrap();
                assert_eq!(text.matches(&old).count(), 1, "{file} has once:\n{old}");
                fs::write(path, text.replace(&old, &new)).unwrap();
            }
        }
    }
    eprintln!(
        "the first answer came after {:?}, the end after {:?}",
        answered.unwrap(),
        begun.elapsed()
    );
    assert!(novice.here.join("saga.wasm").is_file());
}
