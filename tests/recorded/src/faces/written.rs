//! What faces say, written down for readers that are not ours: `cargo xtask clients --recorded DIR` has the official SDKs
//! read it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use multillm::Error;
use multillm_gateway::face::Face;
use serde_json::{Value, json};

use super::{Read, reply, streamed};
use crate::case::Case;

/// Writes one file a recording and face.
pub(crate) struct Writer {
    folder: Option<PathBuf>,
    count: usize,
}

impl Writer {
    /// Into this folder, or nowhere.
    pub(crate) fn to(folder: Option<PathBuf>) -> Result<Self> {
        if let Some(folder) = &folder {
            fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
        }
        Ok(Writer { folder, count: 0 })
    }

    /// The vendor refused.
    pub(super) fn failure(&mut self, case: &Case, face: Face, error: &Error) -> Result<()> {
        let refused = face.refuse(error);
        let body = String::from_utf8_lossy(&refused.body);
        let kind = error.kind.as_str();
        let said = json!({ "status": refused.status, "headers": refused.headers, "whole": body, "kind": kind });
        self.write(case, face, said)
    }

    /// An answer, whole and streamed; one that broke off has no whole.
    pub(super) fn answer(&mut self, case: &Case, face: Face, read: &Read) -> Result<()> {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let whole = match read.broken {
            None => Some(text(reply(face).whole(&read.answer))),
            Some(_) => None,
        };
        let streamed = text(streamed(&reply(face), read));
        let said = json!({
            "status": 200, "headers": [], "whole": whole, "streamed": streamed,
            "content_type": face.content_type(true),
        });
        self.write(case, face, said)
    }

    fn write(&mut self, case: &Case, face: Face, said: Value) -> Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        self.count += 1;
        let content = json!({
            "name": format!("{}/{}", case.vendor, case.name),
            "vendor": case.vendor,
            "face": face.wire(),
            "expect": case.expect,
            "said": said,
        });
        let file = folder.join(format!("{:05}.json", self.count));
        fs::write(&file, content.to_string()).with_context(|| format!("file {}", file.display()))
    }
}
