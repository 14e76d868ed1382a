//! Which module may know which: the order of the house, checked on the source.
//!
//! ```text
//! dialogue → service → { plugin, transport, stats, template } → { config, chat, error }
//! plugins/* → sdk;  cli → gateway → core
//! ```
//!
//! It is ours because the parts are modules of one crate: what a crate's wall keeps apart (the
//! command line and the library) needs no check, and that only one file prints is a lint of
//! clippy's. No known tool checks the walls between modules, nor a library's place within a crate.

use std::collections::BTreeSet;

use anyhow::Result;

use super::code;
use super::verdict;
use crate::process;
use crate::workspace::{Source, Workspace};

/// The host's modules from the bottom up. A module knows those below it and, on
/// the lowest floor only, its neighbours.
const FLOORS: [&[&str]; 4] = [
    &[
        "bounded",
        "chat",
        "config",
        "described",
        "error",
        "files",
        "packed",
    ],
    &["plugin", "stats", "template", "transport"],
    &["service"],
    &["dialogue"],
];

/// A library that belongs to one part of the host.
struct Owned {
    library: &'static str,
    /// The module, which is `<home>.rs` and `<home>/`.
    home: &'static str,
}

const OWNED: [Owned; 6] = [
    owned("wasmtime", "host/core/src/plugin"),
    owned("wasmtime_wasi", "host/core/src/plugin"),
    owned("wasmparser", "host/core/src/plugin"),
    owned("reqwest", "host/core/src/transport"),
    owned("rustls", "host/core/src/transport"),
    owned("sqlx", "host/core/src/stats"),
];

/// The places that may know both how a request is described and how it is sent:
/// one opens both, one makes an exchange of both, one tells what their failures mean, one keeps
/// what the one sent secretly out of what the other says.
const BOTH_SIDES: [&str; 4] = [
    "host/core/src/service/state",
    "host/core/src/service/exchange",
    "host/core/src/service/failure",
    "host/core/src/service/hidden",
];

const fn owned(library: &'static str, home: &'static str) -> Owned {
    Owned { library, home }
}

/// Checks the host's sources, the plugins' manifests and the library's tree.
///
/// # Errors
///
/// Lists every breach.
pub(super) fn check(workspace: &Workspace) -> Result<String> {
    let sources = workspace.sources()?;
    let mut found = plugin_dependencies(workspace);
    found.extend(host_dependencies(workspace));
    found.extend(library_dependencies(workspace)?);
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
    path.starts_with("host/core/src/") && path.ends_with(".rs") && !is_test
}

fn breaches(source: &Source) -> Vec<String> {
    let path = source.path.as_str();
    let code = match code::product(&source.text) {
        Ok(code) => code,
        Err(error) => return vec![format!("{path}: {error:#}")],
    };
    let tokens: Vec<&str> = code.iter().map(|token| token.text.as_str()).collect();
    let mut found = Vec::new();
    let mut report = |breach: String| found.push(format!("{path}: {breach}"));

    for Owned { library, home } in OWNED {
        let is_path = |pair: &[&str]| {
            pair.first() == Some(&library) && matches!(pair.last(), Some(&("::" | ";")))
        };
        if !is_within(path, home) && tokens.windows(2).any(is_path) {
            report(format!("{library} belongs to {home}"));
        }
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
    if floor(own).is_none() && own != "lib" {
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

/// `plugin` of `host/core/src/plugin/load.rs`.
fn own_module(path: &str) -> &str {
    let inner = path.strip_prefix("host/core/src/").unwrap_or(path);
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

/// What belongs to programs, and comes into no program by way of the library.
const OF_PROGRAMS: [&str; 9] = [
    "axum",
    "clap",
    "clap_complete",
    "comfy-table",
    "console",
    "crossterm",
    "indicatif",
    "rustyline",
    "tracing-subscriber",
];

/// The library's whole tree, with all its features, is free of what belongs to programs.
fn library_dependencies(workspace: &Workspace) -> Result<Vec<String>> {
    let mut tree = workspace.cargo();
    tree.args(["tree", "--package", "multillm", "--all-features"]);
    tree.args(["--edges", "normal", "--prefix", "none", "--target", "all"]);
    let tree = process::capture(&mut tree)?;
    let names: BTreeSet<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let foreign = OF_PROGRAMS.iter().filter(|name| names.contains(*name));
    Ok(foreign
        .map(|name| format!("multillm brings {name}: `cargo tree -p multillm -i {name}`"))
        .collect())
}

/// The host's crates, from the bottom up: one depends on those before it alone.
const HOUSE: [&str; 5] = [
    "multillm",
    "multillm-bundle",
    "multillm-kit",
    "multillm-gateway",
    "multillm-cli",
];

/// The host's crates depend on those below them, and programs over the library on nothing else of this workspace.
fn host_dependencies(workspace: &Workspace) -> Vec<String> {
    let place = |name: &str| HOUSE.iter().position(|known| *known == name);
    let mut found = Vec::new();
    for package in &workspace.members {
        let Some(own) = place(&package.name) else {
            continue;
        };
        for dependency in &package.dependencies {
            let is_own = dependency.path.is_some() && dependency.kind.is_none();
            let is_below = place(&dependency.name).is_some_and(|other| other < own);
            if is_own && !is_below {
                found.push(format!(
                    "{}: depends on {}, which is not below it",
                    package.name, dependency.name
                ));
            }
        }
    }
    found
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
            "host/core/src/plugin/load.rs",
            "use crate::{error::Error, transport::Client};",
            "plugin knows transport",
        );
        assert_breach(
            "host/core/src/transport.rs",
            "fn a() { crate::plugin::b() }",
            "transport knows plugin",
        );
        assert_breach(
            "host/core/src/chat/request.rs",
            "use crate::service::X;",
            "chat knows service",
        );
        assert_breach(
            "host/core/src/service.rs",
            "use crate::dialogue;",
            "service knows dialogue",
        );
        let fine = "use crate::{chat::{Message, plugin}, error::Error};\n// crate::transport\n";
        assert_eq!(
            breaches_of("host/core/src/plugin/load.rs", fine),
            Vec::<String>::new()
        );
    }

    #[test]
    fn neighbours_on_the_lowest_floor_know_each_other() {
        assert_eq!(
            breaches_of("host/core/src/config.rs", "use crate::error::Error;"),
            Vec::<String>::new()
        );
        assert_breach(
            "host/core/src/stats.rs",
            "use crate::transport::X;",
            "stats knows transport",
        );
    }

    #[test]
    fn libraries_stay_where_they_belong() {
        assert_breach(
            "host/core/src/service.rs",
            "use reqwest::Client;",
            "reqwest belongs to",
        );
        assert_breach(
            "host/core/src/plugins_more.rs",
            "use wasmtime::Engine;",
            "wasmtime belongs to",
        );
        assert_eq!(
            breaches_of("host/core/src/plugin/engine.rs", "use wasmtime::Engine;"),
            Vec::<String>::new()
        );
        let test = "#[cfg(test)]\nmod tests { use reqwest::Client; }";
        assert_eq!(
            breaches_of("host/core/src/service.rs", test),
            Vec::<String>::new()
        );
    }

    #[test]
    fn one_file_knows_both_sides_of_an_exchange() {
        let both = "use crate::plugin::Plugin; use crate::transport::Client;";
        assert_eq!(
            breaches_of("host/core/src/service/exchange.rs", both),
            Vec::<String>::new()
        );
        assert_breach(
            "host/core/src/service/retry.rs",
            both,
            "knows both plugin and transport",
        );
    }

    #[test]
    fn a_new_module_needs_a_floor() {
        assert_breach("host/core/src/extra.rs", "", "extra has no floor yet");
    }
}
