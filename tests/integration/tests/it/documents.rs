//! What the documents call complete is complete: commands, configuration keys, kinds of errors,
//! variables. Each list is taken from the program and not from its source.

use std::collections::BTreeSet;
use std::fs;

use multillm::ErrorKind;
use serde_json::Value;

use crate::stage::{Stage, plugin_dir, root};
use crate::vendors::LINES;

fn document(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Whether a line of the document has this word in code.
fn has_code(document: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let in_code = |line: &str| {
        let mut code = line.split('`').skip(1).step_by(2);
        code.any(|code| code.split(|c| !is_part(c)).any(|part| part == word))
    };
    document.lines().any(in_code)
}

/// The commands below these, as `--help` lists them.
fn commands(stage: &Stage, below: &[&str]) -> Vec<String> {
    let help = stage.run_bare(&[below, &["--help"]].concat(), b"").answer();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then(|| name.to_owned())
    });
    names.collect()
}

#[test]
fn the_readme_lists_every_command() {
    let stage = Stage::new();
    let known = commands(&stage, &[]);
    assert!(known.len() > 5, "{known:?}");
    for path in ["README.md", "README.zh-CN.md"] {
        let readme = document(path);
        let (_, table) = readme.split_once("<!-- commands -->").unwrap();
        let (table, _) = table.split_once("<!-- /commands -->").unwrap();
        for name in &known {
            let begins = |line: &&str| {
                let first = line.split(" | ").next().unwrap_or_default();
                first.contains(&format!("`{name}`"))
            };
            let row = table.lines().find(begins);
            let row = row.unwrap_or_else(|| panic!("{path} has no row of {name}"));
            for inner in commands(&stage, &[name.as_str()]) {
                assert!(
                    row.contains(&format!("`{inner}`")),
                    "{path}: no {name} {inner}"
                );
            }
        }
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        for row in rows {
            let first = row.split(" | ").next().unwrap_or_default();
            for name in first.split('`').skip(1).step_by(2) {
                assert!(
                    known.iter().any(|known| known == name),
                    "{path}: there is no {name}"
                );
            }
        }
    }
}

/// Every name of a member, at any depth.
fn members<'value>(schema: &'value Value, names: &mut BTreeSet<&'value str>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().map(String::as_str));
    }
    match schema {
        Value::Object(object) => object.values().for_each(|value| members(value, names)),
        Value::Array(items) => items.iter().for_each(|value| members(value, names)),
        _ => {}
    }
}

#[test]
fn the_configuration_page_lists_every_key() {
    let schema = Stage::new().run_bare(&["config", "schema"], b"").json();
    let mut names = BTreeSet::new();
    members(&schema, &mut names);
    assert!(names.len() > 50, "{names:?}");
    let page = document("docs/configuration.md");
    names.retain(|name| !has_code(&page, name.trim_start_matches('$')));
    assert!(names.is_empty(), "docs/configuration.md lacks {names:?}");
}

#[test]
fn every_kind_of_error_is_explained() {
    let refused = serde_json::from_str::<ErrorKind>("\"none\"").unwrap_err();
    let refused = refused.to_string();
    let (_, kinds) = refused.split_once("expected one of ").unwrap();
    let kinds: Vec<&str> = kinds.split('`').skip(1).step_by(2).collect();
    assert!(kinds.contains(&ErrorKind::Other.as_str()), "{refused}");
    let page = document("docs/troubleshooting.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    for kind in kinds {
        let begins = [format!("| [`{kind}`]("), format!("| `{kind}` |")];
        let has = |row: &&str| begins.iter().any(|begin| row.starts_with(begin));
        assert!(rows.iter().any(has), "docs/troubleshooting.md lacks {kind}");
    }
}

#[test]
fn every_variable_of_a_plugin_is_listed() {
    let stage = Stage::new();
    let page = document("docs/configuration.md");
    for line in &LINES {
        let file = plugin_dir().join(format!("{}.wasm", line.plugin));
        let file = file.display().to_string();
        let inspect = ["plugin", "inspect", &file, "--json"];
        let info = stage.run_bare(&inspect, b"").json()["info"].take();
        let secrets = info["secrets"].as_array().unwrap().iter();
        let lists = secrets.map(|secret| &secret["env"]);
        let names: Vec<&str> = lists
            .chain([&info["base_url_env"]])
            .flat_map(|list| list.as_array().unwrap())
            .map(|name| name.as_str().unwrap())
            .collect();
        assert!(!names.is_empty(), "{info}");
        for name in names {
            assert!(has_code(&page, name), "docs/configuration.md lacks {name}");
        }
    }
}
