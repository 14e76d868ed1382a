//! What the guest is asked to do, and the attacks that work in every one of its functions.

use multillm_plugin_sdk::{Error, Target};
use serde::Deserialize;

use crate::memory;

/// The settings of the target.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Attack {
    /// `WHAT`, or `WHAT@FUNCTION` for what can be done in any function.
    #[serde(rename = "attack")]
    pub(crate) name: String,
    pub(crate) list: Vec<String>,
    pub(crate) count: u32,
}

impl Attack {
    pub(crate) fn of(target: &Target) -> Result<Self, Error> {
        serde_json::from_str(&target.settings)
            .map_err(|error| Error::invalid_request(format!("settings: {error}")))
    }

    /// The argument at this place, or nothing.
    pub(crate) fn argument(&self, at: usize) -> &str {
        self.list.get(at).map_or("", String::as_str)
    }

    /// Runs away, if this is the function where it should.
    pub(crate) fn strike(&self, function: &str) {
        let Some((what, place)) = self.name.split_once('@') else {
            return;
        };
        if place != function {
            return;
        }
        match what {
            "loop" => memory::spin(),
            "recursion" => memory::descend(self.count),
            "memory-bomb" => memory::hoard(),
            "trap" => std::process::abort(),
            "panic" => panic!("the sails are torn: \u{1b}[31m{}", self.count),
            _ => {}
        }
    }
}
