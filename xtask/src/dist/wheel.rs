//! The Python wheel: the program as the one script of a package without a module, as `pip` and `uv` install it.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::archive::Tree;
use super::release::Release;

/// The platforms that a program of this target runs on, as Python's packages name them. A static program runs
/// with either C library, and the oldest names are the ones that every installer takes.
///
/// # Errors
///
/// The target's program is not static, or not for Linux.
fn platforms(target: &str) -> Result<Vec<String>> {
    let processor = target
        .strip_suffix("-unknown-linux-musl")
        .with_context(|| format!("a wheel is made of a static program, and {target} has none"))?;
    let names = ["manylinux2014", "manylinux_2_17", "musllinux_1_1"];
    Ok(names.map(|name| format!("{name}_{processor}")).to_vec())
}

/// File name and bytes.
///
/// # Errors
///
/// The target's program cannot be in a wheel.
pub(super) fn package(release: &Release) -> Result<(String, Vec<u8>)> {
    let (name, version) = (&release.name, &release.version);
    let platforms = platforms(&release.target)?;
    let info = format!("{name}-{version}.dist-info");
    let mut tree = Tree::default();
    let script = format!("{name}-{version}.data/scripts/{name}");
    tree.program(script, release.program.clone());
    tree.file(format!("{info}/METADATA"), metadata(release));
    tree.file(format!("{info}/WHEEL"), wheel_file(&platforms));
    for (licence, text) in &release.licences {
        tree.file(format!("{info}/licenses/{licence}"), text.as_str());
    }
    let notices = format!("{info}/licenses/THIRD-PARTY-NOTICES.txt");
    tree.file(notices, release.notices.as_str());
    tree.file(
        format!("{info}/sboms/{name}.cdx.json"),
        release.parts.as_str(),
    );
    let record = record(&tree, &format!("{info}/RECORD"));
    tree.file(format!("{info}/RECORD"), record);
    let file = format!("{name}-{version}-py3-none-{}.whl", platforms.join("."));
    Ok((file, tree.zip()?))
}

fn metadata(release: &Release) -> String {
    let licences = release.licences.iter().map(|(name, _)| name.as_str());
    let licences = licences.chain(["THIRD-PARTY-NOTICES.txt"]);
    let licences: String = licences
        .map(|name| format!("License-File: {name}\n"))
        .collect();
    format!(
        "Metadata-Version: 2.4\nName: {}\nVersion: {}\nSummary: {}\nLicense-Expression: {}\n{licences}\
         Requires-Python: >=3.7\nDescription-Content-Type: text/markdown\n\n{}",
        release.name, release.version, release.description, release.licence, release.readme
    )
}

fn wheel_file(platforms: &[String]) -> String {
    let tags: String = platforms
        .iter()
        .map(|platform| format!("Tag: py3-none-{platform}\n"))
        .collect();
    format!("Wheel-Version: 1.0\nGenerator: multillm xtask\nRoot-Is-Purelib: false\n{tags}")
}

/// The list of all files with their digests, in which only itself has none.
fn record(tree: &Tree, own: &str) -> String {
    let line = |(path, bytes): (&str, &[u8])| {
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        format!("{path},sha256={digest},{}\n", bytes.len())
    };
    let lines: String = tree.files().map(line).collect();
    format!("{lines}{own},,\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_static_program_is_said_to_run_everywhere() {
        let names = platforms("aarch64-unknown-linux-musl").expect("static");
        assert!(names.contains(&"musllinux_1_1_aarch64".to_owned()));
        assert!(platforms("x86_64-unknown-linux-gnu").is_err());
        assert!(platforms("x86_64-pc-windows-gnu").is_err());
    }

    #[test]
    fn a_record_names_every_file_and_itself_without_a_digest() {
        let mut tree = Tree::default();
        tree.file("a", "");
        // The digest of nothing, from the standard.
        let digest = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        assert_eq!(
            record(&tree, "RECORD"),
            format!("a,sha256={digest},0\nRECORD,,\n")
        );
    }
}
