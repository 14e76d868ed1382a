//! What is asked and cannot be done: an error, or left out with a warning, as the caller wishes.

use crate::{ChatRequest, Error, ErrorKind};

/// Takes note of what is left out.
///
/// Only of what an answer is of use without: a seed, say, and never a picture.
#[derive(Debug, Default)]
pub struct Leaving {
    drops: bool,
    warnings: Vec<String>,
}

impl Leaving {
    /// As the request wishes it.
    #[must_use]
    pub fn of(request: &ChatRequest) -> Self {
        Leaving {
            drops: request.drop_unsupported,
            warnings: Vec::new(),
        }
    }

    /// Leaves `what` out, because of `why`, such as `seed` and `claude knows none`.
    ///
    /// # Errors
    ///
    /// `unsupported`, unless the request says that such things are left out.
    pub fn out(&mut self, what: &str, why: &str) -> Result<(), Error> {
        if !self.drops {
            return Err(Error::unsupported(format!("{what}: {why}; leave it out")));
        }
        self.warn(format!("{what}: {why}"));
        Ok(())
    }

    /// Leaves all of these out, if there are any, because of `why`. `error` says it of their names, with commas
    /// between, where they may not be.
    ///
    /// # Errors
    ///
    /// `unsupported`, unless the request says that such things are left out.
    pub fn each(
        &mut self,
        names: &[&str],
        why: &str,
        error: impl FnOnce(&str) -> String,
    ) -> Result<(), Error> {
        if !names.is_empty() && !self.drops {
            return Err(Error::unsupported(error(&names.join(", "))));
        }
        for name in names {
            self.warn(format!("{name}: {why}"));
        }
        Ok(())
    }

    /// What `result` is, or else `otherwise`, where it is `unsupported` and the request says that
    /// such things are left out: the error then is a warning about `what`, without the advice behind its last
    /// colon.
    ///
    /// # Errors
    ///
    /// Those of `result` that stay, and those of `otherwise`.
    pub fn or_else<T>(
        &mut self,
        what: &str,
        result: Result<T, Error>,
        otherwise: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        match result {
            Err(error) if self.drops && error.kind == ErrorKind::Unsupported => {
                let why = error.message.rsplit_once(": ");
                let why = why.map_or(error.message.as_str(), |(why, _)| why);
                self.warn(format!("{what}: {why}"));
                otherwise()
            }
            result => result,
        }
    }

    fn warn(&mut self, warning: String) {
        // A body may be built more than once.
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// What was left out, for `request.warnings`.
    #[must_use]
    pub fn warnings(self) -> Vec<String> {
        self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_error_or_a_warning() {
        let error = Leaving::default().out("seed", "parley knows none");
        let error = error.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert_eq!(error.message, "seed: parley knows none; leave it out");
        let request = ChatRequest {
            drop_unsupported: true,
            ..ChatRequest::default()
        };
        let mut leaving = Leaving::of(&request);
        for _ in 0..2 {
            leaving.out("seed", "parley knows none").unwrap();
        }
        let refused = || Err(Error::unsupported("this model does not think: ask another"));
        let effort = "reasoning_effort";
        assert_eq!(leaving.or_else(effort, refused(), || Ok(3)), Ok(3));
        let wrong = Error::invalid_request("no JSON");
        assert_eq!(
            leaving.or_else(effort, Err(wrong.clone()), || Ok(3)),
            Err(wrong)
        );
        let both = |leaving: &mut Leaving| {
            leaving.each(&["stop", "top_k"], "none here", |names| {
                format!("no {names}")
            })
        };
        both(&mut leaving).unwrap();
        assert_eq!(
            leaving.warnings(),
            [
                "seed: parley knows none",
                "reasoning_effort: this model does not think",
                "stop: none here",
                "top_k: none here",
            ]
        );
        let strict = Leaving::default().or_else(effort, refused(), || Ok(3));
        assert_eq!(strict.unwrap_err().kind, ErrorKind::Unsupported);
        let strict = both(&mut Leaving::default()).unwrap_err();
        assert_eq!(strict.message, "no stop, top_k");
        let nothing = Leaving::default().each(&[], "", |_| String::new());
        assert_eq!(nothing, Ok(()));
    }
}
