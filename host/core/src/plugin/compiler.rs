//! From a component's bytes to machine code, within bounds of time and memory.
//!
//! A compiler is the only part of the host that an untrusted file makes compute without a limit of
//! its own, and no thread can be stopped. So it runs in a process of its own where this
//! process is the `multillm` program: `multillm __compile`, which has no environment, gets bytes
//! and returns bytes, and is ended by the system when it exceeds its bounds. A program that uses
//! the library compiles in its own process unless it names the `multillm` program with
//! [`compile_with`]; there the counts of [`super::survey`] are the bound: they keep out what makes the compiler
//! slow beyond proportion, so that time and memory grow with the size of the file and no faster.

mod bounds;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::OnceLock;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use wasmtime::Engine;

use super::engine::{self, Room};
use super::names;
pub(super) use bounds::Bounds;
pub use worker::{COMMAND, work};

/// Machine code is larger than what it is made of; four to seven times was measured.
const CODE_GROWTH: u64 = 32;
/// What the compiler may say of a component.
const WORDS: u64 = 4 << 10;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Names the `multillm` program, which compiles in a process of its own from now on. The first
/// call counts.
pub fn compile_with(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// Why there is no code.
#[derive(Debug)]
pub(super) enum Failed {
    /// The component is at fault.
    Component(String),
    /// The compiler, by a component that it should have refused or compiled.
    Defect(String),
    /// It took more than it may.
    Exceeded(String),
    /// The system gives too little.
    System(String),
}

/// Compiles, elsewhere if it can be.
///
/// `key` names the engine that the code is for. In this process it keeps its thread busy.
pub(super) async fn compile(bytes: &[u8], room: Room, key: &str) -> Result<Vec<u8>, Failed> {
    let bounds = Bounds::of(bytes.len());
    if let Some(program) = PROGRAM.get() {
        let mut command = Command::new(program);
        // Ctrl-C at a terminal is for this process; the other ends when this one does.
        #[cfg(unix)]
        command.process_group(0);
        worker::arguments(&mut command, bytes.len(), room, key, bounds);
        match command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
        {
            Ok(child) => match elsewhere(child, bytes, bounds).await {
                Some(done) => return done,
                // Another version stands in the program's place since this one began.
                None => tracing::debug!("the program was replaced; compiling in this process"),
            },
            Err(error) => tracing::debug!(%error, "compiling in this process"),
        }
    }
    here(bytes, room)
}

/// What the process that compiles comes to; nothing if it is of another version.
async fn elsewhere(
    mut child: Child,
    bytes: &[u8],
    bounds: Bounds,
) -> Option<Result<Vec<u8>, Failed>> {
    let most = (bytes.len() as u64).saturating_mul(CODE_GROWTH) + (64 << 20);
    let (mut code, mut words) = (vec![], vec![]);
    let talk = async {
        let mut input = child.stdin.take();
        if let Some(input) = &mut input {
            // Who ends early says why on the other pipe.
            let _ = input.write_all(bytes).await;
            let _ = input.flush().await;
        }
        if let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) {
            let (mut output, mut errors) = (output.take(most), errors.take(WORDS));
            let _ = tokio::join!(
                output.read_to_end(&mut code),
                errors.read_to_end(&mut words)
            );
        }
        let status = child.wait().await;
        // Closed before, it would tell the other side that nobody waits any more.
        drop(input);
        status
    };
    let status = match tokio::time::timeout(bounds.wall(), talk).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Some(Err(Failed::System(error.to_string()))),
        Err(_) => {
            let _ = child.kill().await;
            return Some(Err(Failed::Exceeded(bounds.too_long())));
        }
    };
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(0) if !code.is_empty() => Some(Ok(code)),
        Some(worker::COMPONENT) => Some(Err(Failed::Component(words))),
        Some(worker::DEFECT) => Some(Err(Failed::Defect(words))),
        Some(worker::MEMORY) => Some(Err(bounds.too_much())),
        Some(worker::OTHER_ENGINE) => None,
        Some(code) => Some(Err(Failed::Defect(format!("it ended with {code} {words}")))),
        None => Some(Err(killed(status, &words, bounds))),
    }
}

#[cfg(unix)]
fn killed(status: ExitStatus, words: &str, bounds: Bounds) -> Failed {
    use std::os::unix::process::ExitStatusExt as _;
    let signal = status.signal().unwrap_or(0);
    let is = |known: rustix::process::Signal| known.as_raw() == signal;
    if is(rustix::process::Signal::XCPU) {
        return Failed::Exceeded(bounds.too_long());
    }
    // Rust ends a process so when memory is refused, and the system where it is short of it.
    if (is(rustix::process::Signal::ABORT) && words.contains("allocation"))
        || is(rustix::process::Signal::KILL)
    {
        return bounds.too_much();
    }
    Failed::Defect(format!("it crashed (signal {signal})"))
}

#[cfg(not(unix))]
fn killed(status: ExitStatus, _words: &str, _bounds: Bounds) -> Failed {
    Failed::Defect(format!("it crashed ({status})"))
}

/// Compiles in this process, with as many threads as there are.
fn here(bytes: &[u8], room: Room) -> Result<Vec<u8>, Failed> {
    let engine = Engine::new(&engine::config(room, None, threads(None)))
        .map_err(|error| Failed::System(format!("{error:#}")))?;
    make(&engine, bytes)
}

/// Compiles a component for any processor of a target such as `x86_64-unknown-linux-gnu`, whatever
/// this machine's can do besides: for a program that brings the code along.
///
/// # Errors
///
/// The component is none, or there is no compiler for the target.
pub fn precompile(component: &[u8], target: &str) -> Result<Vec<u8>, String> {
    let mut config = engine::config(Room::Ample, None, threads(None));
    let failed = |error: wasmtime::Error| format!("{error:#}");
    config.target(target).map_err(failed)?;
    let engine = Engine::new(&config).map_err(failed)?;
    let bytes = names::written_out(component.to_vec());
    make(&engine, &bytes).map_err(|failure| match failure {
        Failed::Component(words)
        | Failed::Defect(words)
        | Failed::Exceeded(words)
        | Failed::System(words) => words,
    })
}

/// Whether there are threads to compile with. At most so many are started, if somebody says.
fn threads(most: Option<usize>) -> bool {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(most) = most {
        let parallel = std::thread::available_parallelism().map_or(1, usize::from);
        pool = pool.num_threads(parallel.min(most));
    }
    match pool.build_global() {
        Ok(()) => true,
        // A pool that is there already serves as well; without threads there is an error of the system's.
        Err(error) => std::error::Error::source(&error).is_none(),
    }
}

fn make(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, Failed> {
    match catch_unwind(AssertUnwindSafe(|| engine.precompile_component(bytes))) {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error)) if is_memory(&error) => Err(Bounds::of(bytes.len()).too_much()),
        Ok(Err(error)) => Err(Failed::Component(format!("{error:#}"))),
        Err(panic) => Err(Failed::Defect(said(&*panic))),
    }
}

/// What a panic said.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().next());
    format!("it panicked: {}", line.unwrap_or("without a word"))
}

/// The system gave no memory.
#[cfg(unix)]
pub(super) fn is_memory(error: &wasmtime::Error) -> bool {
    error.downcast_ref::<rustix::io::Errno>() == Some(&rustix::io::Errno::NOMEM)
        || error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
}

#[cfg(not(unix))]
pub(super) fn is_memory(error: &wasmtime::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
}
