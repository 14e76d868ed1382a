//! Pictures and other media: what they are, and where their bytes are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Blob, Error, Media, MediaSource};

/// What a medium is, by the first half of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture. Also what nobody said a type of, where it has an address: pages are
    /// full of pictures without an ending.
    Picture,
    /// A document, text included.
    Document,
    /// A recording.
    Audio,
    /// A film.
    Video,
}

/// A picture of which the vendor gets the bytes or an address.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Picture<'a> {
    /// It fetches the picture from there.
    Url(&'a str),
    /// The bytes, and what they are, such as `image/png`.
    Blob(&'a Blob, &'a str),
}

impl Media {
    /// A medium at this address.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self::from_source(MediaSource::Url(url.into()), None)
    }

    /// A medium whose bytes the host holds.
    #[must_use]
    pub fn blob(blob: Blob, media_type: impl Into<String>) -> Self {
        Self::from_source(MediaSource::Blob(blob), Some(media_type.into()))
    }

    /// A medium of this source, and of this type where it is known.
    #[must_use]
    pub fn from_source(source: MediaSource, media_type: Option<String>) -> Self {
        Media {
            source,
            media_type,
            name: None,
            detail: None,
            cache: None,
            extra: None,
        }
    }

    /// A medium at an address that an answer names; a `data:` URL holds the bytes.
    #[must_use]
    pub fn told(address: &str) -> Self {
        let inline = address
            .strip_prefix("data:")
            .and_then(|rest| rest.split_once(";base64,"));
        match inline {
            Some((media_type, data)) => {
                let media_type = media_type.split(';').next().unwrap_or_default();
                let media_type = Some(media_type.to_owned()).filter(|said| !said.is_empty());
                Self::from_source(MediaSource::Base64(data.to_owned()), media_type)
            }
            None => Self::url(address),
        }
    }

    /// The same, where the host can read it: nothing for base64 that is none, or of which nobody said what it is.
    #[must_use]
    pub fn readable(self) -> Option<Self> {
        let readable = match &self.source {
            MediaSource::Base64(data) => {
                self.media_type.is_some() && !data.is_empty() && STANDARD.decode(data).is_ok()
            }
            _ => true,
        };
        readable.then_some(self)
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let begins = |with: &str| {
            let media_type = self.media_type.as_deref().unwrap_or("image/*");
            let start = media_type.get(..with.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        if begins("image/") {
            Kind::Picture
        } else if begins("audio/") {
            Kind::Audio
        } else if begins("video/") {
            Kind::Video
        } else {
            Kind::Document
        }
    }

    /// The picture that this is.
    ///
    /// # Errors
    ///
    /// `unsupported`, naming `vendor`, for anything else and for a file that a vendor keeps;
    /// `invalid-request` for bytes whose type nobody said.
    pub fn picture(&self, vendor: &str) -> Result<Picture<'_>, Error> {
        if self.kind() != Kind::Picture {
            return Err(self.refused(vendor));
        }
        match &self.source {
            MediaSource::Url(url) => Ok(Picture::Url(url)),
            MediaSource::Blob(blob) => Ok(Picture::Blob(blob, self.known_type()?)),
            MediaSource::FileId(_) | MediaSource::Base64(_) => Err(self.refused(vendor)),
        }
    }

    /// The media type.
    ///
    /// # Errors
    ///
    /// `invalid-request` if nobody said it.
    pub fn known_type(&self) -> Result<&str, Error> {
        let said = self.media_type.as_deref().filter(|said| !said.is_empty());
        said.ok_or_else(|| {
            Error::invalid_request("what the bytes are is not said: name their media type")
        })
    }

    /// That this vendor takes no such thing.
    #[must_use]
    pub fn refused(&self, vendor: &str) -> Error {
        Error::unsupported(format!("{vendor} takes no {}", self.named()))
    }

    /// What it is, for a person.
    #[must_use]
    pub fn named(&self) -> String {
        if let MediaSource::FileId(id) = &self.source {
            return format!("file by the id of a vendor that keeps it ({id:?})");
        }
        if let MediaSource::Base64(_) = &self.source {
            return "bytes as base64: give them as a blob".to_owned();
        }
        let what = match self.kind() {
            Kind::Picture => "picture",
            Kind::Document => "document",
            Kind::Audio => "recording",
            Kind::Video => "film",
        };
        match &self.media_type {
            Some(media_type) => format!("{what} here ({media_type})"),
            None => format!("{what} here"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_a_medium_is_its_type_says() {
        for (media_type, kind) in [
            (Some("image/png"), Kind::Picture),
            (Some("Image/SVG+xml"), Kind::Picture),
            (None, Kind::Picture),
            (Some("application/pdf"), Kind::Document),
            (Some("text/plain"), Kind::Document),
            (Some("audio/wav"), Kind::Audio),
            (Some("video/mp4"), Kind::Video),
            (Some("imag"), Kind::Document),
        ] {
            let media = Media {
                media_type: media_type.map(str::to_owned),
                ..Media::url("https://example.org/x")
            };
            assert_eq!(media.kind(), kind, "{media_type:?}");
        }
    }

    #[test]
    fn what_is_no_picture_is_refused_by_name() {
        let file = MediaSource::FileId("file-1".to_owned());
        for (media, word) in [
            (Media::blob(blob(), "application/pdf"), "application/pdf"),
            (Media::from_source(file, None), "file-1"),
            (
                Media::from_source(MediaSource::Base64(String::new()), None),
                "base64",
            ),
        ] {
            let error = media.picture("parley").unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains("parley"), "{}", error.message);
            assert!(error.message.contains(word), "{}", error.message);
        }
        let nameless = Media::from_source(MediaSource::Blob(blob()), None);
        let error = nameless.picture("parley").unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidRequest);
        let picture = Media::blob(blob(), "image/png");
        assert_eq!(
            picture.picture("parley").unwrap(),
            Picture::Blob(&blob(), "image/png")
        );
    }

    fn blob() -> Blob {
        Blob { id: 1, length: 3 }
    }
}
