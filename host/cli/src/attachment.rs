//! Files that go with a question: texts stand in it under their names, pictures beside it.

use std::io::ErrorKind;

use super::{Failure, foreign, input, place};
use multillm::bounded;
use multillm::chat::{ChatMessage, MediaPart};

/// The largest text file that is sent.
const MAX_FILE: u64 = 8 << 20;
/// The largest picture.
const MAX_PICTURE: u64 = 32 << 20;

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// Files that wait for their question.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    texts: Vec<String>,
    media: Vec<MediaPart>,
}

impl Attachments {
    /// The files of an option that may be repeated.
    pub(super) fn of(paths: &[String]) -> Result<Self, Failure> {
        let mut all = Attachments::default();
        paths.iter().try_for_each(|path| all.add(path))?;
        Ok(all)
    }

    /// One more file.
    pub(super) fn add(&mut self, path: &str) -> Result<(), Failure> {
        let data = read(path)?;
        match MediaPart::bytes(data.clone()) {
            Some(picture) => self.media.push(picture),
            None => self.texts.push(section(path, &text(path, data)?)),
        }
        Ok(())
    }

    /// One more picture.
    pub(super) fn add_media(&mut self, media: MediaPart) {
        self.media.push(media);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.media.is_empty()
    }

    /// The question with all of them; none is left.
    pub(super) fn question(&mut self, text: String) -> ChatMessage {
        let texts = std::mem::take(&mut self.texts).into_iter();
        let text = texts.chain([text]).collect::<Vec<_>>().join("\n\n");
        let media = std::mem::take(&mut self.media).into_iter();
        media.fold(ChatMessage::user(text), ChatMessage::with_media)
    }
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    if path == "-" {
        return Err(usage(
            "- is no file: what is piped in goes with the question by itself",
        ));
    }
    let file = place::file(path).map_err(usage)?;
    if std::fs::metadata(&file).is_ok_and(|there| there.is_dir()) {
        return Err(usage(format!("{path} is a directory: name files in it")));
    }
    input::now_reading(path);
    let data = bounded::file(&file, MAX_PICTURE).map_err(|error| {
        usage(match error.kind() {
            ErrorKind::FileTooLarge => too_large(path, MAX_PICTURE),
            _ => format!("cannot read {path}: {error}"),
        })
    });
    input::now_reading("");
    data
}

fn too_large(path: &str, most: u64) -> String {
    format!(
        "{path} has more than {} MiB: send the part that matters",
        most >> 20
    )
}

/// The text of a file that is no picture.
fn text(path: &str, data: Vec<u8>) -> Result<String, Failure> {
    if data.starts_with(b"%PDF-") {
        return Err(usage(format!(
            "{path} is a PDF: send its text (pdftotext {path} gives it) or pictures of its pages"
        )));
    }
    if data.starts_with(&[0xff, 0xfe]) || data.starts_with(&[0xfe, 0xff]) {
        return Err(usage(format!("{path} is UTF-16: save it as UTF-8")));
    }
    if data.len() as u64 > MAX_FILE {
        return Err(usage(too_large(path, MAX_FILE)));
    }
    let text = String::from_utf8(data).ok();
    let text = text.filter(|text| !text.contains('\0')).ok_or_else(|| {
        usage(format!(
            "{path} is neither UTF-8 text nor a picture (PNG, JPEG, GIF, WebP, BMP, HEIC, AVIF)"
        ))
    })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// The text under its name, between marks that are longer than any in it.
fn section(path: &str, text: &str) -> String {
    let mut longest = 2;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let marks = "`".repeat(longest + 1);
    let name = foreign::line(path);
    format!("{name}:\n\n{marks}\n{}\n{marks}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str, data: &[u8]) -> String {
        match text(path, data.to_vec()) {
            Err(Failure::Usage(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn texts_are_told_apart_by_name_and_cannot_end_their_block() {
        assert_eq!(section("a.rs", "x\n"), "a.rs:\n\n```\nx\n```");
        let inner = section("b\nc.md", "```\ncode\n`````");
        assert_eq!(inner, "b c.md:\n\n``````\n```\ncode\n`````\n``````");
    }

    #[test]
    fn what_is_no_text_is_refused_by_what_it_is() {
        assert!(refused("a.pdf", b"%PDF-1.7 x").contains("is a PDF"));
        assert!(refused("a", b"\xff\xfex\0").contains("UTF-16"));
        assert!(refused("a", b"\x7fELF\0\0").contains("neither UTF-8 text nor a picture"));
        assert!(refused("a", b"\xfe\xfd").contains("neither"));
        assert!(refused("a", &vec![b'x'; (8 << 20) + 1]).contains("more than 8 MiB"));
        let Ok(kept) = text("a", b"\xef\xbb\xbfhi".to_vec()) else {
            panic!("it is a text");
        };
        assert_eq!(kept, "hi");
    }
}
