//! Which module may know which: the order of the house, checked on the source.
//!
//! ```text
//! main → cli → dialogue → service → { plugin, transport, stats, template } → { config, chat, error }
//! plugins/* → sdk
//! ```

use std::collections::BTreeSet;

use anyhow::Result;

use super::code;
use super::verdict;
use crate::workspace::{Source, Workspace};

/// The host's modules from the bottom up. A module knows those below it and, on
/// the lowest floor only, its neighbours.
const FLOORS: [&[&str]; 5] = [
    &["bounded", "chat", "config", "error", "files"],
    &["plugin", "stats", "template", "transport"],
    &["service"],
    &["dialogue"],
    &["cli"],
];

/// A library that belongs to one part of the host.
struct Owned {
    library: &'static str,
    /// The module, which is `<home>.rs` and `<home>/`.
    home: &'static str,
}

const OWNED: [Owned; 8] = [
    owned("wasmtime", "host/src/plugin"),
    owned("wasmtime_wasi", "host/src/plugin"),
    owned("wasmparser", "host/src/plugin"),
    owned("reqwest", "host/src/transport"),
    owned("rustls", "host/src/transport"),
    owned("sqlx", "host/src/stats"),
    owned("clap", "host/src/cli"),
    owned("anyhow", "host/src/cli"),
];

/// Macros that print; the host has one place for them.
const PRINTING: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];
const PRINTER: &str = "host/src/cli/printer";

/// The places that may know both how a request is described and how it is sent:
/// one opens both, one makes an exchange of both, one tells what their failures mean, one keeps
/// what the one sent secretly out of what the other says.
const BOTH_SIDES: [&str; 4] = [
    "host/src/service/state",
    "host/src/service/exchange",
    "host/src/service/failure",
    "host/src/service/hidden",
];

const fn owned(library: &'static str, home: &'static str) -> Owned {
    Owned { library, home }
}

/// Checks the host's sources and the plugins' manifests.
///
/// # Errors
///
/// Lists every breach.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let sources = workspace.sources()?;
    let mut found = plugin_dependencies(workspace);
    let mut files = 0;
    for source in sources.iter().filter(|source| is_host_code(&source.path)) {
        files += 1;
        found.extend(breaches(source));
    }
    verdict(
        &found,
        "dependencies run one way",
        format!("{files} files of the host"),
    )
}

fn is_host_code(path: &str) -> bool {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    path.starts_with("host/src/") && path.ends_with(".rs") && !is_test
}

fn breaches(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    let code = code::product(&source.text);
    let tokens = code::tokens(&code);
    let mut found = Vec::new();
    let mut report = |breach: String| found.push(format!("{path}: {breach}"));

    for Owned { library, home } in OWNED {
        let is_entry = path == "host/src/main.rs" && home == "host/src/cli";
        let is_path = |pair: &[&str]| {
            pair.first() == Some(&library) && matches!(pair.last(), Some(&("::" | ";")))
        };
        if !is_within(path, home) && !is_entry && tokens.windows(2).any(is_path) {
            report(format!("{library} belongs to {home}"));
        }
    }
    let prints = |window: &[&str]| match window {
        ["io", "::", stream] => matches!(*stream, "stdout" | "stderr"),
        [name, "!", _] => PRINTING.contains(name),
        _ => false,
    };
    if !is_within(path, PRINTER) && tokens.windows(3).any(prints) {
        report(format!("printing belongs to {PRINTER}.rs"));
    }

    let own = own_module(path);
    let known = modules_named(&tokens);
    for module in &known {
        let (Some(own_floor), Some(floor)) = (floor(own), floor(module)) else {
            continue;
        };
        let is_neighbour = own_floor == 0 && floor == 0;
        if floor >= own_floor && *module != own && !is_neighbour {
            report(format!("{own} knows {module}, which is not below it"));
        }
    }
    let knows_both = known.contains("plugin") && known.contains("transport");
    let may_know_both = BOTH_SIDES.iter().any(|place| is_within(path, place));
    if own == "service" && knows_both && !may_know_both {
        let places = BOTH_SIDES.join(", ");
        report(format!(
            "knows both plugin and transport, as only {places} may"
        ));
    }
    if floor(own).is_none() && !matches!(own, "lib" | "main") {
        report(format!(
            "{own} has no floor yet: give it one in the layering check"
        ));
    }
    found
}

/// Whether a file is a module or lies below it.
fn is_within(path: &str, home: &str) -> bool {
    let rest = path.strip_prefix(home);
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// `plugin` of `host/src/plugin/load.rs`.
fn own_module(path: &str) -> &str {
    let inner = path.strip_prefix("host/src/").unwrap_or(path);
    let first = inner.split('/').next().unwrap_or(inner);
    first.strip_suffix(".rs").unwrap_or(first)
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The top-level modules in paths that begin with `crate`, in groups too.
fn modules_named<'code>(tokens: &[&'code str]) -> BTreeSet<&'code str> {
    let mut named = BTreeSet::new();
    for (at, window) in tokens.windows(3).enumerate() {
        let ["crate", "::", next] = window else {
            continue;
        };
        if *next != "{" {
            named.insert(*next);
            continue;
        }
        let mut depth = 0_usize;
        let mut begins = false;
        for token in tokens.iter().skip(at + 2) {
            match *token {
                "{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                word if begins => {
                    named.insert(word);
                }
                _ => {}
            }
            begins = depth == 1 && matches!(*token, "{" | ",");
            if depth == 0 {
                break;
            }
        }
    }
    named
}

/// A plugin is made of the SDK and of libraries, never of another part of the workspace.
fn plugin_dependencies(workspace: &Workspace) -> Vec<String> {
    let plugins = workspace.root.join("plugins");
    let mut found = Vec::new();
    for package in &workspace.members {
        if !package.folder().starts_with(&plugins) {
            continue;
        }
        for dependency in &package.dependencies {
            let is_own = dependency.path.is_some() && dependency.kind.is_none();
            if is_own && dependency.name != "multillm-plugin-sdk" {
                found.push(format!(
                    "{}: a plugin depends on the sdk, not on {}",
                    package.name, dependency.name
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches_of(path: &str, text: &str) -> Vec<String> {
        let (path, text) = (path.to_owned(), text.to_owned());
        breaches(&Source { path, text })
    }

    fn assert_breach(path: &str, text: &str, part: &str) {
        let found = breaches_of(path, text);
        assert!(
            found.iter().any(|breach| breach.contains(part)),
            "{found:?}"
        );
    }

    #[test]
    fn a_module_knows_only_those_below_it() {
        assert_breach(
            "host/src/plugin/load.rs",
            "use crate::{error::Error, transport::Client};",
            "plugin knows transport",
        );
        assert_breach(
            "host/src/transport.rs",
            "fn a() { crate::plugin::b() }",
            "transport knows plugin",
        );
        assert_breach(
            "host/src/chat/request.rs",
            "use crate::service::X;",
            "chat knows service",
        );
        assert_breach(
            "host/src/service.rs",
            "use crate::cli;",
            "service knows cli",
        );
        let fine = "use crate::{chat::{Message, plugin}, error::Error};\n// crate::transport\n";
        assert_eq!(
            breaches_of("host/src/plugin/load.rs", fine),
            Vec::<String>::new()
        );
    }

    #[test]
    fn neighbours_on_the_lowest_floor_know_each_other() {
        assert_eq!(
            breaches_of("host/src/config.rs", "use crate::error::Error;"),
            Vec::<String>::new()
        );
        assert_breach(
            "host/src/stats.rs",
            "use crate::transport::X;",
            "stats knows transport",
        );
    }

    #[test]
    fn libraries_stay_where_they_belong() {
        assert_breach(
            "host/src/service.rs",
            "use reqwest::Client;",
            "reqwest belongs to",
        );
        assert_breach(
            "host/src/plugins_more.rs",
            "use wasmtime::Engine;",
            "wasmtime belongs to",
        );
        assert_eq!(
            breaches_of("host/src/plugin/engine.rs", "use wasmtime::Engine;"),
            Vec::<String>::new()
        );
        let test = "#[cfg(test)]\nmod tests { use reqwest::Client; }";
        assert_eq!(
            breaches_of("host/src/service.rs", test),
            Vec::<String>::new()
        );
    }

    #[test]
    fn printing_has_one_place() {
        assert_breach(
            "host/src/cli/list.rs",
            "fn a() { println!(\"x\") }",
            "printing belongs to",
        );
        assert_breach(
            "host/src/cli/list.rs",
            "let out = std::io::stdout();",
            "printing belongs to",
        );
        assert_eq!(
            breaches_of("host/src/cli/printer.rs", "println!(\"x\")"),
            Vec::<String>::new()
        );
        assert_eq!(
            breaches_of(
                "host/src/cli/list.rs",
                "let a = command.stdout(Stdio::piped()); ProgressDrawTarget::stderr()"
            ),
            Vec::<String>::new()
        );
    }

    #[test]
    fn one_file_knows_both_sides_of_an_exchange() {
        let both = "use crate::plugin::Plugin; use crate::transport::Client;";
        assert_eq!(
            breaches_of("host/src/service/exchange.rs", both),
            Vec::<String>::new()
        );
        assert_breach(
            "host/src/service/retry.rs",
            both,
            "knows both plugin and transport",
        );
    }

    #[test]
    fn a_new_module_needs_a_floor() {
        assert_breach("host/src/extra.rs", "", "extra has no floor yet");
    }
}
