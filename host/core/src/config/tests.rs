//! Whole configurations: what they become, and what is said of wrong ones.

mod arbitrary;
mod examples;
mod faults;
mod implied;
mod meaning;

use std::path::Path;

use super::{Config, Env};

/// A configuration that must be right, as if it stood in `/etc/multillm`.
fn config(text: &str) -> Config {
    match read(text) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    }
}

/// What is said of a configuration, one line for each fault.
fn faults(text: &str) -> Vec<String> {
    match read(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

fn read(text: &str) -> Result<Config, super::ConfigError> {
    let env = Env::default().with_dirs(Some("/home/u".into()), None);
    Config::from_json_str(text, Path::new("/etc/multillm"), &env)
}
