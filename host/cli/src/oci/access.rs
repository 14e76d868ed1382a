//! The user's names and passwords for registries: what Docker's and Podman's `login` keep in a file.
//!
//! Programs that the file names to fetch a password (credential helpers) are not run; where one would be needed, that
//! is said.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multillm::bounded;
use multillm::config::Env;
use secrecy::SecretString;
use serde::Deserialize;

/// Far more than hundreds of registries take.
const LARGEST: u64 = 1 << 20;

/// Where passwords for registries are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    files: Vec<PathBuf>,
}

/// What is known of a registry.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// `Basic` and name and password in base64, as a header has it.
    pub(super) basic: Option<SecretString>,
    /// Why there is none, though something is written of it.
    pub(super) lacks: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Content {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Access {
    /// The user's files: of the directory in `DOCKER_CONFIG`, or else `~/.docker/config.json`; behind it what
    /// `REGISTRY_AUTH_FILE` names.
    pub(crate) fn of_user(env: &Env) -> Self {
        let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(".docker"));
        let folder = env.own_var("DOCKER_CONFIG").map(PathBuf::from).or(home);
        let other = env.own_var("REGISTRY_AUTH_FILE").map(PathBuf::from);
        let file = folder.map(|folder| folder.join("config.json"));
        Access {
            files: file.into_iter().chain(other).collect(),
        }
    }

    /// What is known of a registry, by its host and port.
    pub(super) fn to(&self, registry: &str) -> Result<Known, String> {
        let mut known = Known::default();
        for file in self.files.iter().filter(|file| file.is_file()) {
            let found = in_file(file, registry)?;
            if found.basic.is_some() {
                return Ok(found);
            }
            known.lacks = known.lacks.or(found.lacks);
        }
        Ok(known)
    }
}

fn in_file(file: &Path, registry: &str) -> Result<Known, String> {
    let shown = file.display();
    let text = bounded::text(file, LARGEST).map_err(|error| format!("{shown}: {error}"))?;
    // Nothing of what stands there is repeated.
    let content: Content = serde_json::from_str(&text)
        .map_err(|error| format!("{shown}: line {} is no JSON for it", error.line()))?;
    let is_it = |key: &str| host_of(key) == host_of(registry);
    let mut entries = content.auths.iter();
    let entry = entries.find(|(key, _)| is_it(key)).map(|(_, entry)| entry);
    if let Some(entry) = entry {
        if entry
            .identitytoken
            .as_ref()
            .is_some_and(|token| !token.is_empty())
        {
            return Ok(Known {
                basic: None,
                lacks: Some(format!(
                    "{shown} holds an identity token for it, which is not supported: log in with a password or an access token"
                )),
            });
        }
        let written = entry.auth.clone().filter(|auth| !auth.is_empty());
        let pair = match (&entry.username, &entry.password) {
            (Some(name), Some(password)) => Some(STANDARD.encode(format!("{name}:{password}"))),
            _ => None,
        };
        if let Some(auth) = written.or(pair) {
            let sound = STANDARD
                .decode(auth.trim())
                .is_ok_and(|pair| pair.contains(&b':'));
            return match sound {
                true => Ok(Known {
                    basic: Some(SecretString::from(format!("Basic {}", auth.trim()))),
                    lacks: None,
                }),
                false => Err(format!(
                    "{shown}: what stands there for {registry} is no name and password"
                )),
            };
        }
    }
    let helpers = content.cred_helpers.iter();
    let helper = helpers
        .filter(|(key, _)| is_it(key))
        .map(|(_, helper)| helper);
    let helper = helper.chain(&content.creds_store).next();
    Ok(Known {
        basic: None,
        lacks: helper.map(|helper| {
            format!(
                "{shown} names the program docker-credential-{helper} for it, and such programs are not run: give \
                 DOCKER_CONFIG a directory whose config.json has its name and password under auths"
            )
        }),
    })
}

/// Host and port of a key, which may be a URL; the Docker Hub has several.
fn host_of(key: &str) -> String {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or(rest).to_ascii_lowercase();
    match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn known(content: &str, registry: &str) -> Result<Known, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, content).unwrap();
        let absent = folder.path().join("absent.json");
        let files = vec![absent, file];
        Access { files }.to(registry)
    }

    #[test]
    fn a_password_is_for_the_registry_that_it_is_written_for() {
        let auth = STANDARD.encode("me:secret");
        let content = format!(
            r#"{{"auths": {{
                "r.example:5000": {{"auth": "{auth}"}},
                "https://index.docker.io/v1/": {{"auth": "{auth}"}},
                "https://two.example/v2/": {{"username": "me", "password": "secret"}},
                "token.example": {{"identitytoken": "x"}},
                "odd.example": {{"auth": "secret-without-colon"}},
                "empty.example": {{}} }},
              "credHelpers": {{"helped.example": "pass"}} }}"#
        );
        let header = format!("Basic {auth}");
        for registry in [
            "r.example:5000",
            "docker.io",
            "registry-1.docker.io",
            "two.example",
        ] {
            let basic = known(&content, registry).unwrap().basic.unwrap();
            assert_eq!(basic.expose_secret(), header, "{registry}");
        }
        for registry in [
            "r.example",
            "r.example:5001",
            "evil.r.example:5000",
            "empty.example",
            "docker.io.example",
        ] {
            let known = known(&content, registry).unwrap();
            assert!(known.basic.is_none() && known.lacks.is_none(), "{registry}");
        }
        for (registry, lacks) in [
            ("token.example", "an identity token"),
            ("helped.example", "docker-credential-pass"),
        ] {
            assert!(
                known(&content, registry)
                    .unwrap()
                    .lacks
                    .unwrap()
                    .contains(lacks)
            );
        }
        let error = known(&content, "odd.example").unwrap_err();
        assert!(
            error.contains("no name and password") && !error.contains("secret"),
            "{error}"
        );
    }

    #[test]
    fn no_part_of_a_damaged_file_is_repeated() {
        let error = known("{\"auths\": {\"r\": {\"auth\": \"c2VjcmV0\" oops", "r").unwrap_err();
        assert!(
            error.contains("is no JSON") && !error.contains("c2Vj"),
            "{error}"
        );
        let store = known(r#"{"credsStore": "desktop"}"#, "r.example").unwrap();
        assert!(store.lacks.unwrap().contains("docker-credential-desktop"));
    }
}
