//! What to do about a failed exchange, as far as its kind and its provider tell.

use crate::error::{Error, ErrorKind};

/// What to do about a failure, with the next command to type where there is one; nothing where the
/// message says so already, or nobody can know.
#[must_use]
pub fn advice(error: &Error) -> Option<String> {
    let provider = error.provider.as_deref()?;
    let model = error.model.as_deref().unwrap_or("the model");
    let is_ollama = provider == "ollama";
    let text = match error.kind {
        ErrorKind::Authentication => format!(
            "check the key of {provider}, which is missing, mistyped, revoked or of another account: \
             \"multillm keys list\" shows where it comes from, \"multillm keys set {provider}\" keeps \
             another"
        ),
        ErrorKind::Permission => {
            format!("give the key of {provider} access to {model:?}, or use another model")
        }
        ErrorKind::Billing => {
            format!("add credit or a payment method to the account at {provider}")
        }
        ErrorKind::NotFound if is_ollama => {
            "fetch the model with \"ollama pull\"; \"multillm list --provider ollama\" shows which are \
             there, and \"model_name\" names one of them"
                .to_owned()
        }
        ErrorKind::NotFound => format!(
            "\"multillm list --provider {provider}\" shows what there is: name one of them, or correct \
             \"model_name\" or \"base_url\" of {model:?}"
        ),
        ErrorKind::RateLimited => "wait, or send less at one time".to_owned(),
        ErrorKind::QuotaExhausted => {
            format!("raise the quota at {provider}, or wait until it is renewed")
        }
        ErrorKind::Timeout => {
            "check the network and \"base_url\", or give it more time: \"timeouts\" in the \
             configuration, --timeout of health"
                .to_owned()
        }
        ErrorKind::Overloaded | ErrorKind::Server => format!(
            "{provider} has a problem: try again later, or put the model in a route with others"
        ),
        ErrorKind::Unavailable if is_ollama => {
            "start it with \"ollama serve\", or say in OLLAMA_HOST where it runs".to_owned()
        }
        ErrorKind::Unavailable => format!(
            "check that the server of {provider} runs and that \"base_url\" and the proxy are right"
        ),
        ErrorKind::MalformedResponse | ErrorKind::Truncated => format!(
            "check that \"base_url\" leads to {provider} itself and not to another server or a \
             proxy's page"
        ),
        ErrorKind::Plugin => format!(
            "look at the plugin of {provider} with \"multillm plugin inspect\", and replace it or \
             raise \"limits\""
        ),
        ErrorKind::InvalidRequest
        | ErrorKind::Unsupported
        | ErrorKind::ContextLength
        | ErrorKind::PayloadTooLarge
        | ErrorKind::Configuration
        | ErrorKind::ContentFiltered
        | ErrorKind::Cancelled
        | ErrorKind::Other => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomers_failures_name_the_next_command() {
        let told = |kind, provider: &str| {
            let error = Error::new(kind, "no").of(provider, "m");
            advice(&error).unwrap_or_default()
        };
        for (kind, provider, command) in [
            (ErrorKind::Authentication, "groq", "multillm keys set groq"),
            (ErrorKind::NotFound, "groq", "multillm list --provider groq"),
            (ErrorKind::NotFound, "ollama", "ollama pull"),
            (ErrorKind::Unavailable, "ollama", "ollama serve"),
        ] {
            let told = told(kind, provider);
            assert!(told.contains(command), "{told}");
        }
        assert_eq!(told(ErrorKind::Configuration, "groq"), "");
        assert_eq!(advice(&Error::new(ErrorKind::Authentication, "no")), None);
    }
}
