//! The gateway beside plain relays: builds the program and the bench of `benches/`, runs it, and puts its tables into the
//! READMEs where that is asked for.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::bundle;
use crate::plugins;
use crate::process;
use crate::workspace::Workspace;

/// The bench, and the package that it is of.
const PROGRAM: &str = "multillm-gateway-bench";
const PACKAGE: &str = "multillm-bench";
/// Between these the tables stand.
const BEGIN: &str = "<!-- gateway bench -->\n";
const END: &str = "<!-- /gateway bench -->";
/// Words of the tables in the other README.
const CHINESE: [(&str, &str); 20] = [
    ("A whole answer of 1 KB", "1 KB 的完整回答"),
    ("A stream of 20 events", "20 个事件的流"),
    (
        "A conversation of 200 KB, a whole answer of 1 KB",
        "200 KB 的对话，1 KB 的完整回答",
    ),
    ("Streams that are open at once", "同时打开的流"),
    ("in the middle", "中间是"),
    ("µs of CPU", "CPU，µs"),
    ("times the first", "为第一行的倍数"),
    (
        "p50 / p99 at 32 connections, ms",
        "32 个连接时 p50 / p99，ms",
    ),
    ("p50 / p99 at one, µs", "单个连接时 p50 / p99，µs"),
    ("p99 more than the first, µs", "p99 比第一行多，µs"),
    ("nginx, a relay", "nginx（中继）"),
    ("hyper's parts, a relay", "hyper 的部件（中继）"),
    ("the gateway, relay", "网关，中继"),
    ("the gateway, translation", "网关，翻译"),
    ("| lane | streams |", "| 通道 | 流 |"),
    ("| relay |", "| 中继 |"),
    ("| translation |", "| 翻译 |"),
    ("a second after, KB each", "一秒后，每个 KB"),
    ("ten seconds after, KB each", "十秒后，每个 KB"),
    ("KB each", "每个 KB"),
];

/// Builds, measures, prints.
///
/// # Errors
///
/// Something does not build, or the bench fails.
pub(super) fn exec(workspace: &Workspace, quick: bool, write: bool) -> Result<()> {
    plugins::build(workspace, &[])?;
    let profile = if quick { "debug" } else { "release" };
    let mut build = workspace.cargo();
    build.args(["build", "--bin", "multillm", "--bin", PROGRAM]);
    for package in bundle::PACKAGES.iter().chain([&PACKAGE]) {
        build.args(["--package", package]);
    }
    if !quick {
        bundle::prepare(workspace, "release", None)?;
        build.arg("--release");
    }
    process::run(&mut build)?;
    let mut bench = Command::new(workspace.program(profile, PROGRAM));
    bench
        .arg(workspace.program(profile, "multillm"))
        .arg(workspace.plugin_dir())
        .args(quick.then_some("--quick"));
    let tables = shown_and_kept(&mut bench)?;
    let file = workspace.target.join("bench").join("gateway.md");
    fs::create_dir_all(workspace.target.join("bench"))?;
    fs::write(&file, &tables).with_context(|| format!("cannot write {}", file.display()))?;
    if write {
        put_into(workspace, "README.md", &tables)?;
        let chinese = CHINESE.iter().fold(tables, |text, (english, other)| {
            text.replace(english, other)
        });
        put_into(workspace, "README.zh-CN.md", &chinese)?;
    }
    Ok(())
}

/// What a program prints, shown while it comes.
fn shown_and_kept(command: &mut Command) -> Result<String> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().context("no output")?;
    let mut all = String::new();
    for line in BufReader::new(out).lines() {
        let line = line?;
        println!("{line}");
        all += &line;
        all.push('\n');
    }
    let status = child.wait()?;
    ensure!(
        status.success(),
        "`{}` failed ({status})",
        process::shown(command)
    );
    Ok(all)
}

fn put_into(workspace: &Workspace, name: &str, tables: &str) -> Result<()> {
    let path = workspace.root.join(name);
    let text = fs::read_to_string(&path)?;
    let written = between(&text, tables).with_context(|| format!("{name} has no place for it"))?;
    Ok(fs::write(path, written)?)
}

/// A text with something else between its marks.
fn between(text: &str, content: &str) -> Result<String> {
    let Some((before, rest)) = text.split_once(BEGIN) else {
        bail!("no {BEGIN:?}");
    };
    let Some((_, after)) = rest.split_once(END) else {
        bail!("no {END:?}");
    };
    Ok([before, BEGIN, "\n", content.trim(), "\n", END, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let text = format!("a\n{BEGIN}old\n{END}\nz");
        let written = between(&text, "\nnew\n").unwrap();
        assert_eq!(written, format!("a\n{BEGIN}\nnew\n{END}\nz"));
        assert_eq!(between(&written, "new").unwrap(), written);
        assert!(between("nothing", "new").is_err());
    }

    #[test]
    fn longer_words_come_before_those_within_them() {
        for (at, (english, _)) in CHINESE.iter().enumerate() {
            let mut earlier = CHINESE.iter().take(at);
            assert!(
                !earlier.any(|(other, _)| english.contains(other)),
                "{english}"
            );
        }
    }
}
