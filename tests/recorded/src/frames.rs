//! A body cut as the host cuts it: server-sent events by the standard
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), or JSON values line by line.

use multillm_plugin_sdk::{Frame, Framing};

/// The frames of a body; the whole body is none.
pub(crate) fn cut(body: &str, framing: Framing) -> Vec<Frame> {
    match framing {
        Framing::Whole => Vec::new(),
        Framing::Sse => events(body),
        Framing::Ndjson => lines(body)
            .filter(|line| !line.trim().is_empty())
            .map(|line| Frame {
                event: None,
                data: line.to_owned(),
            })
            .collect(),
    }
}

fn events(body: &str) -> Vec<Frame> {
    let (mut frames, mut event, mut data) = (Vec::new(), None, Vec::new());
    // What the last blank line does not end the vendor did not end either, but for the marker of
    // recordings that lost it.
    for line in lines(body.trim_start_matches('\u{feff}')).chain([""]) {
        if line.is_empty() {
            let event = event.take();
            if !data.is_empty() {
                frames.push(Frame {
                    event,
                    data: data.join("\n"),
                });
                data.clear();
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event = Some(value.to_owned()),
            "data" => data.push(value.to_owned()),
            _ => {}
        }
    }
    frames
}

/// Lines that end with CR, LF or both.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| {
        let line = line.strip_suffix('\r').unwrap_or(line);
        line.split('\r')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_at_blank_lines_and_lines_at_any_end() {
        let frames = cut(
            ": hi\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: x\n\nid: 1\n\n",
            Framing::Sse,
        );
        let told: Vec<_> = frames
            .iter()
            .map(|frame| (frame.event.as_deref(), frame.data.as_str()))
            .collect();
        assert_eq!(told, [(Some("a"), "1\n2"), (None, "x")]);
        assert_eq!(cut("{}\n\n[1]\r\n", Framing::Ndjson).len(), 2);
        assert!(cut("{}", Framing::Whole).is_empty());
    }
}
