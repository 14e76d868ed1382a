//! What a whole exchange costs: the library behind a bare handler, asked by 32 connections, with an
//! upstream that answers at once; beside it nginx as a plain relay, where it is installed, and a relay
//! of hyper's parts.
//!
//! CPU of the process in the middle, all threads, by request; then its memory with many streams open
//! and after they ended. Each part is a process of its own: this program starts itself.
//! Prints markdown; `cargo xtask bench` runs it in a release build. `--beside PROGRAM` asks another build of this bench
//! in turn with this one, such as one of an older library, and adds it to the table.
#![allow(
    clippy::print_stdout,
    reason = "a bench prints its result and ends where it cannot go on"
)]

#[path = "exchange/serve.rs"]
mod serve;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use multillm_bench::load::{self, Load, post};
use multillm_bench::process::Served;
use multillm_bench::{relay, upstream};

/// Requests that are measured, whole and streamed.
const WHOLE: usize = 12_000;
const STREAMED: usize = 4_000;
/// In how many rounds they are asked, each part in each: a machine that is slower for a while is so for all.
const ROUNDS: usize = 4;
/// Requests before anything is measured.
const WARM: usize = 1_000;
/// Streams that are open at once.
const OPEN: [usize; 2] = [1_000, 5_000];
/// How long after the last stream memory is looked at once more.
const LATER: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve", "upstream"] => upstream::run(),
        ["serve", "relay", upstream] => relay::run(upstream),
        ["serve", "library", upstream, history] => serve::run(upstream, *history == "history"),
        ["serve", ..] => bail!("no such part"),
        _ => {
            let quick = words.contains(&"--quick");
            let beside = words.iter().position(|word| *word == "--beside");
            let beside = beside.and_then(|at| words.get(at + 1)).map(Path::new);
            compare(quick, beside)?;
            memory(quick, beside)
        }
    }
}

/// CPU by request, of each thing in the middle: the median of the rounds.
fn compare(quick: bool, beside: Option<&Path>) -> Result<()> {
    let upstream = Served::start(&["upstream"])?;
    let to = upstream.address.to_string();
    let mut parts = vec![("hyper's parts, a relay", Served::start(&["relay", &to])?)];
    match Served::nginx(None, upstream.address)? {
        Some(nginx) => parts.insert(0, ("nginx, a relay", nginx)),
        None => println!("nginx is not installed.\n"),
    }
    for (what, kind) in [
        ("the library", "plain"),
        ("the library with a history", "history"),
    ] {
        parts.push((what, library(None, &to, kind)?));
    }
    if let Some(program) = beside {
        for (what, kind) in [
            ("the other library", "plain"),
            ("the other library with a history", "history"),
        ] {
            parts.push((what, library(Some(program), &to, kind)?));
        }
    }
    let scale = if quick { 10 } else { 1 };
    let mut taken: Vec<[Vec<f64>; 4]> = parts.iter().map(|_| Default::default()).collect();
    for round in 0..ROUNDS {
        for ((_, served), [whole, streamed, median, late]) in parts.iter().zip(&mut taken) {
            let of = |stream: bool, count: usize, into: &mut Vec<f64>| -> Result<load::Times> {
                let load = Load::new(served.address, stream);
                if round == 0 {
                    load.run(WARM / scale)?;
                }
                let count = count / scale / ROUNDS;
                let before = served.cpu()?;
                let times = load.run(count)?;
                let spent = served.cpu()? - before;
                #[allow(clippy::cast_precision_loss, reason = "few requests")]
                into.push(spent.as_secs_f64() * 1e6 / count as f64);
                Ok(times)
            };
            let times = of(false, WHOLE, whole)?;
            median.push(times.median_ms);
            late.push(times.late_ms);
            of(true, STREAMED, streamed)?;
        }
    }
    println!(
        "| in the middle | whole, µs of CPU | stream of 20 events, µs | whole, p50 / p99 ms |\n\
         |---|---:|---:|---:|"
    );
    for ((what, _), taken) in parts.iter().zip(taken) {
        let [whole, streamed, median, late] = taken.map(middle);
        println!("| {what} | {whole:.0} | {streamed:.0} | {median:.2} / {late:.2} |");
    }
    Ok(())
}

/// The library of this program, or of another build of it, in the middle.
fn library(program: Option<&Path>, upstream: &str, kind: &str) -> Result<Served> {
    let arguments = ["library", upstream, kind];
    match program {
        None => Served::start(&arguments),
        Some(program) => Served::start_of(program, &arguments),
    }
}

/// The median.
fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Memory of the library with streams open, and after.
fn memory(quick: bool, beside: Option<&Path>) -> Result<()> {
    println!(
        "\n| in the middle | open streams | KB each | a second after, KB each | a minute after, KB each |"
    );
    println!("|---|---:|---:|---:|---:|");
    for count in OPEN {
        let count = if quick { count / 10 } else { count };
        let mut all = vec![("the library", None)];
        all.extend(beside.map(|program| ("the other library", Some(program))));
        for (what, program) in all {
            match held(program, count, quick) {
                Ok([during, after, later]) => {
                    println!("| {what} | {count} | {during:.0} | {after:.0} | {later:.0} |");
                }
                // An older library need not hold so many; this one does.
                Err(error) if program.is_some() => {
                    println!("| {what} | {count} | {error} | | |");
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Kilobytes by stream: while so many are open, a second after and a minute after.
fn held(program: Option<&Path>, count: usize, quick: bool) -> Result<[f64; 3]> {
    let upstream = Served::start(&["upstream"])?;
    let served = library(program, &upstream.address.to_string(), "plain")?;
    Load::new(served.address, true).run(100)?;
    std::thread::sleep(Duration::from_secs(1));
    let before = served.resident()?;
    let open = load::hold(served.address, &post("/slow", "hello"), count)?;
    let during = served.resident()?;
    drop(open);
    std::thread::sleep(Duration::from_secs(1));
    let after = served.resident()?;
    std::thread::sleep(if quick { Duration::ZERO } else { LATER });
    let later = served.resident()?;
    #[allow(clippy::cast_precision_loss, reason = "kilobytes")]
    let each = |now: u64| (now as f64 - before as f64) / count as f64;
    Ok([during, after, later].map(each))
}
