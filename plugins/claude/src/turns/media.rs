//! Pictures and documents.

use multillm_plugin_sdk::body::Blobs;
use multillm_plugin_sdk::media::Kind;
use multillm_plugin_sdk::{ChatRequest, Error, Media, MediaSource, Part, ResultPart};

use super::typed;
use crate::cache::{CACHE, Marks, control};
use crate::tree::Tree;

/// A picture or a document as a block.
///
/// # Errors
///
/// `unsupported` for what the vendor takes no block of.
pub(super) fn tree<'a>(
    media: &'a Media,
    marks: &Marks<'a>,
    blobs: &mut Blobs,
) -> Result<Tree<'a>, Error> {
    let is_pdf = || match (&media.media_type, &media.source) {
        (Some(media_type), _) => media_type.eq_ignore_ascii_case("application/pdf"),
        // Of which nobody said what it is: its ending does.
        (None, MediaSource::Url(url)) => {
            let path = url.split(['?', '#']).next().unwrap_or_default();
            path.to_ascii_lowercase().ends_with(".pdf")
        }
        (None, _) => false,
    };
    let (kind, source) = match &media.source {
        MediaSource::Url(url) if is_pdf() => (DOCUMENT, url_source(url)),
        MediaSource::Url(url) if media.kind() == Kind::Picture => (PICTURE, url_source(url)),
        MediaSource::Blob(blob) => {
            let (kind, media_type) = media_type(media.known_type()?)?;
            let source = typed("base64")
                .with("media_type", Some(media_type))
                .with("data", Some(blobs.base64(blob)));
            (kind, source)
        }
        MediaSource::FileId(id) => {
            // A file of which nobody said what it is is taken for a document.
            let kind = match (&media.media_type, media.kind()) {
                (Some(_), Kind::Picture) => PICTURE,
                (None, _) | (_, Kind::Document) => DOCUMENT,
                _ => return Err(media.refused("claude")),
            };
            (kind, typed("file").with("file_id", Some(id.as_str())))
        }
        _ => return Err(media.refused("claude")),
    };
    let title = media.name.as_deref().filter(|_| kind == DOCUMENT);
    typed(kind)
        .with("source", Some(source))
        .with("title", title)
        .with(CACHE, marks.kept(media.cache.as_ref()).map(control))
        .open("a medium", media.extra.as_deref())
}

const PICTURE: &str = "image";
const DOCUMENT: &str = "document";

fn url_source(url: &str) -> Tree<'_> {
    typed("url").with("url", Some(url))
}

/// The type of block that takes this media type, and the media type as the vendor writes it.
fn media_type(of: &str) -> Result<(&'static str, &'static str), Error> {
    match of.to_ascii_lowercase().as_str() {
        "image/jpeg" | "image/jpg" => Ok((PICTURE, "image/jpeg")),
        "image/png" => Ok((PICTURE, "image/png")),
        "image/gif" => Ok((PICTURE, "image/gif")),
        "image/webp" => Ok((PICTURE, "image/webp")),
        "application/pdf" => Ok((DOCUMENT, "application/pdf")),
        // Its documents of text are said in the request, where bytes cannot stand.
        text if text.starts_with("text/") => Err(Error::unsupported(format!(
            "claude takes no file of {text}: put its text into the message"
        ))),
        other => Err(Error::unsupported(format!(
            "claude takes jpeg, png, gif and webp pictures and pdf documents, not {other}"
        ))),
    }
}

/// Whether the conversation names a file that the vendor keeps.
pub(crate) fn names_files(request: &ChatRequest) -> bool {
    let kept = |media: &Media| matches!(media.source, MediaSource::FileId(_));
    let parts = request.messages.iter().flat_map(|message| &message.content);
    parts.into_iter().any(|part| match part {
        Part::Media(media) => kept(media),
        Part::ToolResult(result) => result
            .content
            .iter()
            .any(|piece| matches!(piece, ResultPart::Media(media) if kept(media))),
        // Such as a file that programs are to find, or a document that the caller wrote.
        Part::Opaque(block) => block.data.contains("\"file_id\""),
        _ => false,
    })
}
