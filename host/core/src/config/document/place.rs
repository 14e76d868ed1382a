//! The path to a value: which keys and indices lead to it.

use std::fmt;
use std::rc::Rc;

use super::super::diagnose::quoted;

/// A path from the outermost value. Reads like `models.gpt-4.stop[0]`; keys that hold anything
/// but letters, digits, `-` and `_` stand in quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::config) struct Place(Vec<Step>);

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(Rc<str>),
    Index(usize),
}

impl Place {
    /// The member of this key.
    pub(in crate::config) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.into()))
    }

    /// The element of this index, from 0.
    pub(in crate::config) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The nearest member of an object on the way: itself, or the one that holds the array.
    pub(in crate::config) fn member(&self) -> Self {
        let mut steps = self.0.clone();
        while matches!(steps.last(), Some(Step::Index(_))) {
            steps.pop();
        }
        Self(steps)
    }

    /// The key that it ends with.
    pub(in crate::config) fn last_key(&self) -> Option<&str> {
        match self.0.last() {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }

    pub(in crate::config) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if depth > 0 {
                        f.write_str(".")?;
                    }
                    if is_plain(key) {
                        f.write_str(key)?;
                    } else {
                        f.write_str(&quoted(key))?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_like_paths() {
        let place = Place::default()
            .key("models")
            .key("gpt-3.5-turbo")
            .key("stop")
            .index(2);
        assert_eq!(place.to_string(), "models.\"gpt-3.5-turbo\".stop[2]");
        assert_eq!(place.member().to_string(), "models.\"gpt-3.5-turbo\".stop");
        assert!(Place::default().is_root());
    }
}
