//! Pieces of messages: text, pictures and files.

use multillm::chat::{Extra, MediaPart, Part};

use super::super::asked::Notes;
use super::super::body::{Fault, Object, Read};
use super::super::media;

/// Reads a piece; nothing if it is of a type that is not known here.
pub(in super::super) fn piece(
    one: &Object<'_>,
    kind: &str,
    wire: &str,
    place: &str,
    notes: &mut Notes,
) -> Read<Option<Part>> {
    let mut part = match kind {
        "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text" => {
            one.raw("logprobs");
            one.raw("annotations");
            Part::text(one.required("text")?)
        }
        "refusal" => Part::text(one.required("refusal")?),
        "input_image" => Part::Media(picture(one)?),
        "input_file" => Part::Media(file(one)?),
        "input_audio" => Part::Media(sound(one)?),
        _ => return Ok(None),
    };
    let cache = media::cache_mark(one)?;
    notes.unread(one, &[], place);
    let tail = Extra::of(wire, one.rest()?);
    match &mut part {
        Part::Text(text) => (text.cache, text.extra) = (cache, tail),
        Part::Media(media) => (media.cache, media.extra) = (cache, tail),
        _ => {}
    }
    Ok(Some(part))
}

fn picture(one: &Object<'_>) -> Read<MediaPart> {
    let mut picture = match (one.text("image_url")?, one.text("file_id")?) {
        (Some(url), _) => media::of_url(url).map_err(|fault| fault.within("image_url"))?,
        (None, Some(id)) => MediaPart {
            media_type: None,
            ..MediaPart::file(id)
        },
        (None, None) => return Err(Fault::at("image_url", "is required")),
    };
    picture.detail = one.text("detail")?;
    Ok(picture)
}

fn file(one: &Object<'_>) -> Read<MediaPart> {
    let (data, url, id) = (
        one.text("file_data")?,
        one.text("file_url")?,
        one.text("file_id")?,
    );
    let mut file = match (data, url, id) {
        (Some(data), _, _) => match data.starts_with("data:") {
            true => media::of_url(data),
            false => media::of_base64("application/pdf", &data),
        }
        .map_err(|fault| fault.within("file_data"))?,
        (None, Some(url), _) => {
            let mut file = media::of_url(url).map_err(|fault| fault.within("file_url"))?;
            if file.media_type().is_none() {
                file.media_type = Some("application/pdf".to_owned());
            }
            file
        }
        (None, None, Some(id)) => MediaPart::file(id),
        (None, None, None) => return Err(Fault::at("file_data", "is required")),
    };
    file.name = one.text("filename")?;
    Ok(file)
}

fn sound(one: &Object<'_>) -> Read<MediaPart> {
    let within = |fault: Fault| fault.within("input_audio");
    let inner = one.object("input_audio")?;
    let inner = inner.ok_or_else(|| Fault::at("input_audio", "is required"))?;
    let format = inner.required("format").map_err(within)?;
    let data = inner.required("data").map_err(within)?;
    media::of_base64(&media::sound_type(&format), &data)
        .map_err(|fault| within(fault.within("data")))
}
