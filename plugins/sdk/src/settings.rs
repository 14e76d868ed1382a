//! Reading the provider's settings and describing them.

use serde::de::DeserializeOwned;

use crate::{Error, Secret, Setting, Target};

impl Target {
    /// The settings as a type of the adapter's own, by custom with `#[serde(default)]`.
    ///
    /// # Errors
    ///
    /// `invalid-request` that names the setting which does not fit.
    pub fn settings<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        match self.settings.trim() {
            "" | "{}" | "null" => Ok(T::default()),
            text => serde_json::from_str(text)
                .map_err(|error| Error::invalid_request(format!("settings: {error}"))),
        }
    }
}

impl Setting {
    /// A setting; `schema` is the JSON Schema of its value.
    #[must_use]
    pub fn new(name: &str, description: &str, schema: &str) -> Self {
        Setting {
            name: name.to_owned(),
            description: description.to_owned(),
            schema: schema.to_owned(),
        }
    }
}

impl Secret {
    /// The secret that [`Header::api_key`](crate::Header::api_key) places; `env` are the
    /// environment variables that customarily hold it, the best first.
    #[must_use]
    pub fn api_key(env: &[&str]) -> Self {
        Secret {
            name: "api_key".to_owned(),
            env: env.iter().map(|name| (*name).to_owned()).collect(),
            required: true,
        }
    }
}
