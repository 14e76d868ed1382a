//! Vectors of texts: what adapters that make them have in common.

use crate::{EmbedInput, EmbedRequest, Error, Media, Vectors};

impl EmbedRequest {
    /// The texts to embed.
    ///
    /// # Errors
    ///
    /// `unsupported` that names `vendor` for anything else.
    pub fn texts(&self, vendor: &str) -> Result<Vec<&str>, Error> {
        let inputs = self.inputs.iter();
        inputs
            .map(|input| match input {
                EmbedInput::Text(text) => Ok(text.as_str()),
                EmbedInput::Media(media) => Err(no_vector(vendor, media)),
            })
            .collect()
    }
}

/// That a vendor makes no vector of this.
#[must_use]
pub fn no_vector(vendor: &str, media: &Media) -> Error {
    Error::unsupported(format!(
        "{vendor} makes no vector of a {}: embed its text",
        media.named()
    ))
}

/// Vectors as a JSON list of lists of numbers.
///
/// # Errors
///
/// `malformed-response` if it is something else.
pub fn lists(json: &str) -> Result<Vec<Vec<f32>>, Error> {
    serde_json::from_str(json).map_err(unread)
}

/// One vector as a JSON list of numbers.
///
/// # Errors
///
/// `malformed-response` if it is something else.
pub fn list(json: &str) -> Result<Vec<f32>, Error> {
    serde_json::from_str(json).map_err(unread)
}

fn unread(error: serde_json::Error) -> Error {
    Error::malformed(format!("the vectors cannot be read: {error}"))
}

impl Vectors {
    /// The same, if there are any and all are of one length.
    ///
    /// # Errors
    ///
    /// `malformed-response` otherwise.
    pub fn checked(self) -> Result<Self, Error> {
        let mut lengths = self.vectors.iter().map(Vec::len);
        let Some(first) = lengths.next() else {
            return Err(Error::malformed("the answer has no vectors"));
        };
        match first > 0 && lengths.all(|length| length == first) {
            true => Ok(self),
            false => Err(Error::malformed(
                "the answer's vectors are empty or not of one length",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Blob, ErrorKind};

    #[test]
    fn texts_are_told_from_the_rest() {
        let mut request = EmbedRequest {
            inputs: vec![EmbedInput::Text("a".to_owned())],
            ..EmbedRequest::default()
        };
        assert_eq!(request.texts("parley").unwrap(), ["a"]);
        let picture = Media::blob(Blob { id: 0, length: 1 }, "image/png");
        request.inputs.push(EmbedInput::Media(picture));
        let error = request.texts("parley").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unsupported);
        assert!(error.message.contains("image/png"), "{}", error.message);
    }

    #[test]
    fn vectors_have_one_length() {
        let of = |json| {
            Vectors {
                vectors: lists(json).unwrap(),
                ..Vectors::default()
            }
            .checked()
        };
        assert_eq!(of("[[1,-2.5],[0,1e-3]]").unwrap().vectors[1], [0.0, 0.001]);
        for bad in ["[]", "[[]]", "[[1],[1,2]]"] {
            assert_eq!(of(bad).unwrap_err().kind, ErrorKind::MalformedResponse);
        }
        assert!(lists("[1]").is_err() && list("[[1]]").is_err());
        assert_eq!(list("[1,2]").unwrap(), [1.0, 2.0]);
    }
}
