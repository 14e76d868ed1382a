//! What stands under a name: a manifest, or an index of several; and which of it is a plugin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Types of manifests that are asked for, the newest first.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.artifact.manifest.v1+json";

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
pub(super) const WASM: &str = "application/wasm";

/// Types under which WebAssembly is met: the present one, `wasm-to-oci` and its forerunner, QueryMT, early components.
const WASM_TYPES: [&str; 5] = [
    WASM,
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.module.wasm.content.layer.v1+wasm",
    "application/vnd.wasm.v1.layer+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
];

/// How types of layers begin that are archives of files.
const ARCHIVES: [&str; 3] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
];

/// More layers than any plugin has.
const MAX_LAYERS: usize = 64;

const TITLE: &str = "org.opencontainers.image.title";

/// One blob, or one manifest of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) platform: Option<Platform>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Platform {
    architecture: String,
    os: String,
}

/// What is read of a manifest or an index.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Manifest {
    layers: Vec<Descriptor>,
    /// What the artifact manifest of an early ORAS called layers.
    blobs: Vec<Descriptor>,
    manifests: Vec<Descriptor>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// Where a component is in what a manifest names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is this blob.
    Blob(Descriptor),
    /// It is a file in one of these archives, which lie one over the other.
    Archives(Vec<Descriptor>),
}

impl Manifest {
    /// It names other manifests and no layers.
    pub(super) fn is_index(&self) -> bool {
        !self.manifests.is_empty()
    }

    /// The manifest of an index that is a plugin's: the only one, or the only one for WebAssembly. Attestations, which
    /// are for no platform, do not count.
    pub(super) fn of_index(&self) -> Result<&Descriptor, String> {
        let named = |it: &Descriptor| it.platform.clone().unwrap_or_default();
        let real = |it: &&Descriptor| {
            named(it).architecture != "unknown"
                && !it.annotations.contains_key("vnd.docker.reference.type")
        };
        let real: Vec<&Descriptor> = self.manifests.iter().filter(real).collect();
        let wasm = |it: &&&Descriptor| named(it).architecture.starts_with("wasm");
        let for_wasm: Vec<&&Descriptor> = real.iter().filter(wasm).collect();
        match (real.as_slice(), for_wasm.as_slice()) {
            ([only], _) => Ok(only),
            (_, [only]) => Ok(only),
            _ => {
                let platforms = real.iter().map(|it| {
                    let Platform { os, architecture } = named(it);
                    format!("{os}/{architecture} {}", it.digest)
                });
                let platforms: Vec<String> = platforms.take(8).collect();
                Err(format!(
                    "it is for several platforms, of which none or several are WebAssembly ({}): name one by @sha256:…",
                    platforms.join(", ")
                ))
            }
        }
    }

    fn layers(&self) -> Result<&[Descriptor], String> {
        let layers = match self.layers.is_empty() {
            true => &self.blobs,
            false => &self.layers,
        };
        match layers.len() > MAX_LAYERS {
            true => Err(format!(
                "it has {} layers, at most {MAX_LAYERS} are read",
                layers.len()
            )),
            false => Ok(layers),
        }
    }

    /// Where the component is.
    pub(super) fn component(&self) -> Result<Found, String> {
        let layers = self.layers()?;
        let is = |it: &Descriptor| {
            WASM_TYPES.contains(&it.media_type.as_str()) || ends_with(it, ".wasm")
        };
        let plain = |it: &Descriptor| is(it) && !is_archive(it);
        match layers
            .iter()
            .filter(|it| plain(it))
            .collect::<Vec<_>>()
            .as_slice()
        {
            [only] => return Ok(Found::Blob((*only).clone())),
            [] => {}
            several => {
                return Err(format!(
                    "it holds {} WebAssembly files, and a plugin is one",
                    several.len()
                ));
            }
        }
        let archives: Vec<Descriptor> =
            layers.iter().filter(|it| is_archive(it)).cloned().collect();
        if archives.is_empty() {
            let types: Vec<&str> = layers
                .iter()
                .map(|it| it.media_type.as_str())
                .take(8)
                .collect();
            return Err(format!(
                "it holds no WebAssembly, but {}",
                match types.is_empty() {
                    true => "nothing".to_owned(),
                    false => types.join(", "),
                }
            ));
        }
        Ok(Found::Archives(archives))
    }

    /// Where a signature is that lies beside the component.
    pub(super) fn signature(&self) -> Result<Option<&Descriptor>, String> {
        Ok(self.layers()?.iter().find(|it| ends_with(it, ".minisig")))
    }

    /// A text that belongs to the manifest or to its component.
    pub(super) fn annotation(&self, name: &str) -> Option<&String> {
        let of_layers = self.layers.iter().find_map(|it| it.annotations.get(name));
        self.annotations.get(name).or(of_layers)
    }
}

fn ends_with(it: &Descriptor, ending: &str) -> bool {
    it.annotations
        .get(TITLE)
        .is_some_and(|title| title.ends_with(ending))
}

fn is_archive(it: &Descriptor) -> bool {
    ARCHIVES.iter().any(|kind| it.media_type.starts_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Manifest {
        serde_json::from_str(text).unwrap()
    }

    fn layer(kind: &str) -> String {
        format!(r#"{{"mediaType": "{kind}", "digest": "sha256:{kind}", "size": 1}}"#)
    }

    fn titled(kind: &str, title: &str) -> String {
        format!(r#"{{"mediaType": "{kind}", "annotations": {{"{TITLE}": "{title}"}}}}"#)
    }

    #[test]
    fn the_component_is_found_in_every_layout() {
        let gzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        let tar = "application/vnd.oci.image.layer.v1.tar";
        for kind in WASM_TYPES {
            let manifest = read(&format!(r#"{{"layers": [{}]}}"#, layer(kind)));
            assert!(
                matches!(manifest.component().unwrap(), Found::Blob(it) if it.media_type == kind)
            );
        }
        let octets = titled("application/octet-stream", "acme.wasm");
        let signature = titled("text/plain", "acme.wasm.minisig");
        for members in ["layers", "blobs"] {
            let manifest = read(&format!(r#"{{"{members}": [{octets}, {signature}]}}"#));
            assert!(
                matches!(manifest.component().unwrap(), Found::Blob(_)),
                "{members}"
            );
            assert_eq!(
                manifest.signature().unwrap().unwrap().media_type,
                "text/plain"
            );
        }
        let archives = read(&format!(
            r#"{{"layers": [{}, {}]}}"#,
            layer(gzip),
            layer(tar)
        ));
        assert!(matches!(archives.component().unwrap(), Found::Archives(all) if all.len() == 2));
        for (layers, reason) in [
            (format!("{0}, {0}", layer(WASM)), "2 WebAssembly files"),
            (
                layer("application/json"),
                "no WebAssembly, but application/json",
            ),
            (String::new(), "but nothing"),
            (vec![layer(tar); 65].join(","), "65 layers"),
        ] {
            let error = read(&format!(r#"{{"layers": [{layers}]}}"#))
                .component()
                .unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn of_an_index_the_only_one_or_the_one_for_wasm_is_taken() {
        let entry = |os: &str, architecture: &str, digest: &str| {
            format!(
                r#"{{"digest": "{digest}", "platform": {{"os": "{os}", "architecture": "{architecture}"}}}}"#
            )
        };
        let (amd, arm) = (entry("linux", "amd64", "a"), entry("linux", "arm64", "b"));
        let (wasm, attested) = (
            entry("wasip2", "wasm", "w"),
            entry("unknown", "unknown", "u"),
        );
        let bare = r#"{"digest": "x"}"#.to_owned();
        for (entries, expected) in [
            (vec![&amd], Some("a")),
            (vec![&amd, &attested], Some("a")),
            (vec![&amd, &arm, &wasm], Some("w")),
            (vec![&bare], Some("x")),
            (vec![&amd, &arm], None),
            (vec![&wasm, &wasm], None),
            (vec![&attested], None),
        ] {
            let entries: Vec<&str> = entries.into_iter().map(String::as_str).collect();
            let index = read(&format!(r#"{{"manifests": [{}]}}"#, entries.join(",")));
            let found = index.of_index().ok().map(|it| it.digest.as_str());
            assert_eq!(found, expected, "{entries:?}");
        }
    }
}
