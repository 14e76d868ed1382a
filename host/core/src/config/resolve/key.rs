//! Where the key of an entry comes from, and that it does not stand in the entry itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::document::Place;
use super::super::endpoint::API_KEY;
use super::super::env::is_variable_name;
use super::super::schema::{Entry, OneOrMany, TextOrOff};
use super::super::secret::{SecretCommand, SecretSource, exposure};
use super::Resolver;

/// Said wherever a key itself was found. The key is not repeated.
const NOT_HERE: &str = "a key does not belong into this file: keep it with \"multillm keys set\", or \
                        put it into the environment or .env, and write the variable's name as \
                        api_key_env";

/// Not said of a value, which may be a key.
const NO_VARIABLE: &str = "is no name of an environment variable: write the variable's name here \
                           and put the key itself into the environment or .env";

impl Resolver<'_> {
    pub(super) fn key(&mut self, place: &Place, raw: &Entry) -> Option<SecretSource> {
        let given: Vec<&str> = [
            ("api_key_env", raw.api_key_env.is_some()),
            ("api_key_file", raw.api_key_file.is_some()),
            ("api_key_command", raw.api_key_command.is_some()),
            ("api_key", raw.api_key.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, given)| given.then_some(key))
        .collect();
        if let [first, .., last] = given.as_slice() {
            let message = format!("the key is given by {first} already: remove one of them");
            self.fault_of_key(&place.key(last), message);
        }
        let by_name = self.variable(&place.key("api_key_env"), raw.api_key_env.as_deref());
        let by_file = self.key_file(&place.key("api_key_file"), raw.api_key_file.as_deref());
        let by_command =
            self.key_command(&place.key("api_key_command"), raw.api_key_command.as_ref());
        let direct = self.direct(&place.key("api_key"), raw.api_key.as_ref());
        by_name.or(by_file).or(by_command).or(direct)
    }

    /// Other secrets of the plugin.
    pub(super) fn secrets(
        &mut self,
        place: &Place,
        raw: Option<&BTreeMap<String, String>>,
    ) -> BTreeMap<String, SecretSource> {
        let mut secrets = BTreeMap::new();
        for (name, variable) in raw.into_iter().flatten() {
            if name == API_KEY {
                self.fault_of_key(&place.key(name), "has a key of its own: use api_key_env");
            } else if let Some(source) = self.variable(&place.key(name), Some(variable)) {
                secrets.insert(name.clone(), source);
            }
        }
        secrets
    }

    /// A variable by its name.
    pub(super) fn variable(&mut self, place: &Place, name: Option<&str>) -> Option<SecretSource> {
        let name = self.filled(place, name)?;
        if !is_variable_name(name) {
            self.fault(place, NO_VARIABLE);
            return None;
        }
        if looks_like_a_key(name) {
            self.fault(place, format!("looks like a key itself: {NOT_HERE}"));
            return None;
        }
        Some(SecretSource::Env(name.to_owned()))
    }

    fn key_file(&mut self, place: &Place, path: Option<&str>) -> Option<SecretSource> {
        let path = self.filled(place, path)?.to_owned();
        let path = self.file(place, Some(&path))?;
        if let Some(message) = exposure(&path) {
            self.warn(place, message);
        }
        Some(SecretSource::File(path))
    }

    fn key_command(&mut self, place: &Place, command: Option<&OneOrMany>) -> Option<SecretSource> {
        let mut arguments = match command? {
            OneOrMany::Many(arguments) => arguments.clone(),
            OneOrMany::One(line) => shlex::split(line).unwrap_or_else(|| {
                self.fault(place, "has a quote that is not closed: close it");
                Vec::new()
            }),
        };
        let program = arguments.first_mut().filter(|program| !program.is_empty());
        let Some(program) = program else {
            if !self
                .problems
                .iter()
                .any(|problem| problem.path == place.to_string())
            {
                self.fault(place, "names no program: write it and its arguments");
            }
            return None;
        };
        if program.contains('/') {
            *program = self.env.path(self.dir, program).display().to_string();
        }
        Some(SecretSource::Command(Arc::new(SecretCommand::new(
            arguments,
        ))))
    }

    fn direct(&mut self, place: &Place, key: Option<&TextOrOff>) -> Option<SecretSource> {
        match key? {
            TextOrOff::Off(false) => Some(SecretSource::None),
            TextOrOff::Off(true) => {
                self.fault(place, "is no key: name its variable with api_key_env");
                None
            }
            TextOrOff::Text(text) => match reference(text.trim()) {
                Some(name) => self.variable(place, Some(name)),
                None => {
                    let text = self.filled(place, Some(text))?;
                    let message = if text.starts_with('$') {
                        NO_VARIABLE
                    } else {
                        NOT_HERE
                    };
                    self.fault(place, message);
                    None
                }
            },
        }
    }
}

/// The variable of `$NAME` or `${NAME}`.
pub(in crate::config) fn reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let name = match name.strip_prefix('{') {
        Some(inner) => inner.strip_suffix('}')?,
        None => name,
    };
    is_variable_name(name).then_some(name)
}

/// Some vendors' keys would pass for names (`hf_…`, `AIza…`), but nobody names a variable like that.
pub(in crate::config) fn looks_like_a_key(name: &str) -> bool {
    const PREFIXES: [&str; 8] = [
        "sk_",
        "hf_",
        "gsk_",
        "AIza",
        "xai_",
        "pplx_",
        "ghp_",
        "github_pat_",
    ];
    let mixed = name.len() >= 24
        && name.contains(|c: char| c.is_ascii_lowercase())
        && name.contains(|c: char| c.is_ascii_uppercase())
        && name.contains(|c: char| c.is_ascii_digit());
    mixed || (name.len() >= 16 && PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_names_after_a_dollar() {
        assert_eq!(reference("$A_1"), Some("A_1"));
        assert_eq!(reference("${A_1}"), Some("A_1"));
        for other in ["A", "${A", "$", "${}", "$A B", "sk-$A", "$1"] {
            assert_eq!(reference(other), None, "{other}");
        }
    }

    #[test]
    fn keys_are_told_from_names() {
        for key in [
            "hf_abcdefghijklmnopqr",
            "AIzaSyabcdefghijklm",
            "A1b2C3d4E5f6A1b2C3d4E5f6",
        ] {
            assert!(looks_like_a_key(key), "{key}");
        }
        for name in [
            "OPENAI_API_KEY",
            "hf_token",
            "MY_COMPANY_AZURE_OPENAI_KEY_2",
            "my_long_lower_case_variable_1",
        ] {
            assert!(!looks_like_a_key(name), "{name}");
        }
    }
}
