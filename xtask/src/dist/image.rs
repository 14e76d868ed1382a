//! The container image from nothing: what its file system holds, and the Dockerfile that makes it of that.

use anyhow::Result;

use super::archive::Tree;
use super::release::Release;

/// Whose process it is: nobody's that a host knows.
pub(super) const USER: u32 = 10_001;
/// Where that user's keys, history and cache are; mount it to keep them.
pub(super) const HOME: &str = "/var/lib/multillm";

/// File name and bytes of the root file system.
///
/// # Errors
///
/// It cannot be packed.
pub(super) fn root(release: &Release) -> Result<(String, Vec<u8>)> {
    let name = &release.name;
    let mut tree = Tree::default();
    tree.program(format!("usr/bin/{name}"), release.program.clone());
    tree.file("etc/passwd", format!("{name}:x:{USER}:{USER}::{HOME}:/\n"));
    tree.file("etc/group", format!("{name}:x:{USER}:\n"));
    tree.folder(HOME.trim_start_matches('/'), 0o700, USER);
    tree.folder("tmp", 0o1777, 0);
    let documentation = format!("usr/share/doc/{name}");
    for (licence, text) in &release.licences {
        tree.file(format!("{documentation}/{licence}"), text.as_str());
    }
    let notices = format!("{documentation}/THIRD-PARTY-NOTICES.txt");
    tree.file(notices, release.notices.as_str());
    Ok((root_name(release), tree.tar_gz("", release.time)?))
}

fn root_name(release: &Release) -> String {
    format!(
        "{}-{}-{}-root.tar.gz",
        release.name, release.version, release.target
    )
}

/// The Dockerfile that stands beside it.
pub(super) fn dockerfile(release: &Release) -> String {
    let (name, root) = (&release.name, root_name(release));
    format!(
        "# An image with the program and nothing else: no shell, no C library, no package. It trusts the root\n\
         # certificates that the program brings; mount a store at /etc/ssl/certs to use another. Give it keys by\n\
         # the environment, and {HOME} a volume to keep the history:\n\
         #   docker build -t {name} . && docker run --rm -it -e OPENAI_API_KEY {name} query hi\n\
         FROM scratch\n\
         ADD {root} /\n\
         ENV HOME={HOME}\n\
         ENV PATH=/usr/bin\n\
         USER {USER}:{USER}\n\
         WORKDIR {HOME}\n\
         ENTRYPOINT [\"/usr/bin/{name}\"]\n"
    )
}
