//! What a plugin is to the program, and so what of its customs counts.

use url::Url;

use crate::config::env::Env;
use crate::config::trust::PluginGrant;
use crate::config::vendors::{self, Vendor};

use super::API_KEY;

/// What a plugin is to the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It bears the name of one of the vendors that the program knows. Whatever file that is: the
    /// program's knowledge counts, and nothing that the component says.
    Vendor(Known),
    /// Anybody's, which the user has allowed what is written here.
    Allowed(PluginGrant),
    /// Anybody's.
    Stranger {
        /// The address that it names itself.
        address: Option<String>,
    },
}

/// A vendor that the program knows.
#[derive(Debug, Clone, Copy)]
pub struct Known(&'static Vendor);

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Known {}

impl Standing {
    /// The standing of the plugin of this name, whose component has this digest and names this
    /// address itself.
    #[must_use]
    pub fn of(env: &Env, plugin: &str, sha256: &str, address: Option<&str>) -> Self {
        if let Some(vendor) = vendors::vendor(plugin) {
            return Standing::Vendor(Known(vendor));
        }
        match env.trust().plugin(sha256) {
            Some(grant) => Standing::Allowed(grant),
            None => Standing::Stranger {
                address: address.map(str::to_owned),
            },
        }
    }

    /// Where requests go unless something else is said.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self {
            Standing::Vendor(Known(vendor)) => vendor.base_url,
            Standing::Allowed(grant) => grant.base_url.as_deref(),
            Standing::Stranger { address } => address.as_deref(),
        }
    }

    /// The wire that requests to this address are said in, where the program knows it: at a vendor's own address
    /// it may be another than elsewhere.
    #[must_use]
    pub fn wire(&self, address: &Url) -> Option<&'static str> {
        match self {
            Standing::Vendor(Known(vendor)) if vendor.default_url().as_ref() == Some(address) => {
                vendor.wire
            }
            _ => None,
        }
    }

    /// Variables that may say something else.
    #[must_use]
    pub fn address_variables(&self) -> Vec<String> {
        match self {
            Standing::Vendor(Known(vendor)) => owned(vendor.addresses),
            Standing::Allowed(grant) => nobodys(&grant.base_url_env),
            Standing::Stranger { .. } => vec![],
        }
    }

    /// Variables that may hold the secret of this name.
    #[must_use]
    pub fn secret_variables(&self, name: &str) -> Vec<String> {
        match self {
            Standing::Vendor(Known(vendor)) if name == API_KEY => owned(vendor.keys),
            Standing::Allowed(grant) => nobodys(grant.secrets.get(name).map_or(&[], Vec::as_slice)),
            Standing::Vendor(_) | Standing::Stranger { .. } => vec![],
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Those that are no vendor's: a vendor's key is for the vendor, whatever a plugin was allowed.
fn nobodys(names: &[String]) -> Vec<String> {
    let names = names.iter().filter(|name| !vendors::is_vendors(name));
    names.cloned().collect()
}
