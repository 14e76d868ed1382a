//! What a whole exchange costs: the library behind a bare handler, asked by 32 connections, with an
//! upstream that answers at once; beside it nginx as a plain relay, where it is installed, and a relay
//! of hyper's parts.
//!
//! CPU of the process in the middle, all threads, by request; then its memory with many streams open
//! and after they ended. Each part is a process of its own: this program starts itself.
//! Prints markdown; `cargo xtask bench` runs it in a release build.
#![allow(
    clippy::print_stdout,
    reason = "a bench prints its result and ends where it cannot go on"
)]

#[path = "exchange/serve.rs"]
mod serve;

use std::time::Duration;

use anyhow::{Result, bail};

use multillm_bench::load::{self, Load, post};
use multillm_bench::process::Served;
use multillm_bench::{relay, upstream};

/// Requests that are measured, whole and streamed.
const WHOLE: usize = 12_000;
const STREAMED: usize = 4_000;
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
            compare(quick)?;
            memory(quick)
        }
    }
}

/// CPU by request, of each thing in the middle.
fn compare(quick: bool) -> Result<()> {
    let upstream = Served::start(&["upstream"])?;
    let upstream_address = upstream.address.to_string();
    println!(
        "| in the middle | whole, µs of CPU | stream of 20 events, µs | whole, p50 / p99 ms |\n\
         |---|---:|---:|---:|"
    );
    let scale = if quick { 10 } else { 1 };
    for (what, arguments) in [
        ("nginx, a relay", vec!["nginx"]),
        ("hyper's parts, a relay", vec!["relay", &upstream_address]),
        ("the library", vec!["library", &upstream_address, "plain"]),
        (
            "the library with a history",
            vec!["library", &upstream_address, "history"],
        ),
    ] {
        let served = match arguments.as_slice() {
            ["nginx"] => match Served::nginx(None, upstream.address)? {
                Some(served) => served,
                None => {
                    println!("| {what} | not installed | | |");
                    continue;
                }
            },
            arguments => Served::start(arguments)?,
        };
        let of = |stream: bool, count: usize| -> Result<(f64, load::Times)> {
            let load = Load::new(served.address, stream);
            load.run(WARM / scale)?;
            let before = served.cpu()?;
            let times = load.run(count / scale)?;
            let spent = served.cpu()? - before;
            #[allow(clippy::cast_precision_loss, reason = "few requests")]
            Ok((spent.as_secs_f64() * 1e6 / (count / scale) as f64, times))
        };
        let (whole, times) = of(false, WHOLE)?;
        let (streamed, _) = of(true, STREAMED)?;
        println!(
            "| {what} | {whole:.0} | {streamed:.0} | {:.2} / {:.2} |",
            times.median_ms, times.late_ms
        );
    }
    Ok(())
}

/// Memory of the library with streams open, and after.
fn memory(quick: bool) -> Result<()> {
    println!("\n| open streams | KB each | a second after, KB each | a minute after, KB each |");
    println!("|---:|---:|---:|---:|");
    for count in OPEN {
        let count = if quick { count / 10 } else { count };
        let upstream = Served::start(&["upstream"])?;
        let served = Served::start(&["library", &upstream.address.to_string(), "plain"])?;
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
        println!(
            "| {count} | {:.0} | {:.0} | {:.0} |",
            each(during),
            each(after),
            each(later)
        );
    }
    Ok(())
}
