//! The process that compiles: bytes from standard input, code to the output it is given, nothing else.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::process::ExitCode;

use tokio::process::Command;
use wasmtime::Engine;

use super::super::{cache, engine::Room};
use super::{Bounds, Failed, engine, make, threads};

/// The command of the program that is this.
pub const COMMAND: &str = "__compile";

/// How it ends: the component is at fault.
pub(super) const COMPONENT: u8 = 2;
/// The compiler is.
pub(super) const DEFECT: u8 = 3;
/// Memory is short.
pub(super) const MEMORY: u8 = 4;
/// This program makes code for another engine than was asked for.
pub(super) const OTHER_ENGINE: u8 = 5;

/// Threads that compile. Each costs memory, and more make a plugin ready hardly sooner.
const THREADS: usize = 4;

/// What a process needs to start at all. It is given nothing else, and no key.
const KEPT: [&str; 3] = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot"];

/// Says what is to be done.
pub(super) fn arguments(
    command: &mut Command,
    length: usize,
    room: Room,
    key: &str,
    bounds: Bounds,
) {
    let kept = KEPT.map(|name| (name, std::env::var_os(name)));
    command.env_clear();
    command.envs(
        kept.into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command.arg(COMMAND).arg(key);
    let reserved = match room {
        Room::Ample => 0,
        Room::Scarce { memory } => memory,
    };
    for number in [length as u64, reserved, bounds.seconds, bounds.memory] {
        command.arg(number.to_string());
    }
}

/// Does it, by the arguments behind [`COMMAND`]. The code goes to `out`, what is wrong to `words`.
#[must_use]
pub fn work(
    arguments: impl Iterator<Item = OsString>,
    mut out: impl io::Write,
    mut words: impl io::Write,
) -> ExitCode {
    let given: Vec<String> = arguments
        .filter_map(|argument| argument.into_string().ok())
        .collect();
    let number = |word: &String| word.parse::<u64>().ok();
    let (key, numbers) = match given.split_first() {
        Some((key, rest)) => (key, rest.iter().filter_map(number).collect::<Vec<_>>()),
        None => return ExitCode::from(OTHER_ENGINE),
    };
    let &[length, reserved, seconds, memory] = numbers.as_slice() else {
        return ExitCode::from(OTHER_ENGINE);
    };
    let room = match reserved {
        0 => Room::Ample,
        memory => Room::Scarce { memory },
    };
    Bounds::new(seconds, memory, length).bind();
    // A panic is told as one line; what the hook says of it is of no use to anybody.
    std::panic::set_hook(Box::new(|_| {}));
    match compile(key, length, room) {
        Ok(code) => match out.write_all(&code).and_then(|()| out.flush()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err((code, reason)) => {
            let _ = writeln!(words, "{reason}");
            ExitCode::from(code)
        }
    }
}

fn compile(key: &str, length: u64, room: Room) -> Result<Vec<u8>, (u8, String)> {
    let mut bytes = vec![];
    let input = io::stdin();
    let read = input.lock().take(length).read_to_end(&mut bytes);
    if read.is_err() || bytes.len() as u64 != length {
        return Err((OTHER_ENGINE, "the component did not come whole".to_owned()));
    }
    // Whoever asked keeps the pipe open as long as the code is wanted.
    let _ = std::thread::Builder::new().spawn(|| {
        let _ = io::stdin().lock().read(&mut [0]);
        #[allow(clippy::exit, reason = "nobody is there to tell")]
        std::process::exit(1);
    });
    let engine = Engine::new(&engine::config(room, None, threads(Some(THREADS))))
        .map_err(|error| (DEFECT, format!("{error:#}")))?;
    if cache::engine_key(&engine) != key {
        return Err((OTHER_ENGINE, "this is another engine".to_owned()));
    }
    make(&engine, &bytes).map_err(|failed| match failed {
        Failed::Component(words) => (COMPONENT, words),
        Failed::Defect(words) => (DEFECT, words),
        Failed::Exceeded(words) | Failed::System(words) => (MEMORY, words),
    })
}
