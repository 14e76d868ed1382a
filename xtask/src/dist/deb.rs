//! The Debian package.

use anyhow::Result;
use md5::{Digest as _, Md5};

use super::archive::{self, Tree};
use super::release::Release;

/// The name that Debian has for a processor.
///
/// # Errors
///
/// Nobody has said yet what it is.
pub(super) fn architecture(target: &str) -> Result<&'static str> {
    match target.split('-').next() {
        Some("x86_64") => Ok("amd64"),
        Some("aarch64") => Ok("arm64"),
        _ => anyhow::bail!("no Debian architecture is known for {target}"),
    }
}

/// File name and bytes.
///
/// # Errors
///
/// As [`architecture`].
pub(super) fn package(release: &Release) -> Result<(String, Vec<u8>)> {
    let name = &release.name;
    let time = release.time;
    let data = data(release)?;
    let mut control = Tree::default();
    control.file("control", control_file(release, &data)?);
    control.file("md5sums", md5sums(&data));
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", control.tar_gz("./", time)?),
        ("data.tar.gz", data.tar_gz("./", time)?),
    ];
    let architecture = architecture(&release.target)?;
    let file = format!("{name}_{}_{architecture}.deb", release.version);
    Ok((file, archive::ar(&members, time)))
}

/// What is installed.
fn data(release: &Release) -> Result<Tree> {
    let name = &release.name;
    let documentation = format!("usr/share/doc/{name}");
    let mut data = Tree::default();
    data.program(format!("usr/bin/{name}"), release.program.clone());
    for (page, text) in &release.manual {
        let path = format!("usr/share/man/man1/{page}.gz");
        data.file(path, archive::gz(text.as_bytes())?);
    }
    for (shell, script) in &release.completions {
        let path = match shell.as_str() {
            "bash" => format!("usr/share/bash-completion/completions/{name}"),
            "zsh" => format!("usr/share/zsh/vendor-completions/_{name}"),
            _ => format!("usr/share/{shell}/vendor_completions.d/{name}.{shell}"),
        };
        data.file(path, script.as_str());
    }
    data.file(format!("{documentation}/copyright"), copyright(release));
    let notices = archive::gz(release.notices.as_bytes())?;
    data.file(
        format!("{documentation}/THIRD-PARTY-NOTICES.txt.gz"),
        notices,
    );
    let changes = archive::gz(release.changes.as_bytes())?;
    data.file(format!("{documentation}/changelog.gz"), changes);
    Ok(data)
}

fn control_file(release: &Release, data: &Tree) -> Result<String> {
    let kilobytes: usize = data
        .files()
        .map(|(_, bytes)| bytes.len().div_ceil(1024))
        .sum();
    Ok(format!(
        "Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: the multillm authors <multillm@localhost>\n\
         Installed-Size: {kilobytes}\nRecommends: ca-certificates\nSection: utils\nPriority: optional\n\
         Description: {}\n Each vendor is a sandboxed WebAssembly component, which is in this one program:\n \
         it needs no configuration, and nothing beside it.\n",
        release.name,
        release.version,
        architecture(&release.target)?,
        release.description,
    ))
}

fn md5sums(data: &Tree) -> String {
    let line =
        |(path, bytes): (&str, &[u8])| format!("{}  {path}\n", hex::encode(Md5::digest(bytes)));
    data.files().map(line).collect()
}

fn copyright(release: &Release) -> String {
    let mut text = format!(
        "{} is under either of the two licences below, as its user likes. What it is built from is under the\n\
         licences of its authors: see THIRD-PARTY-NOTICES.txt.gz beside this file.\n",
        release.name
    );
    for (name, licence) in &release.licences {
        text.push_str(&format!("\n---- {name}\n\n{licence}"));
    }
    text
}
