//! The target `framing`: any bytes, cut anywhere.
//!
//! Three bytes choose the framing, the cuts and the bounds; the rest is the body.

use multillm::transport::{Frame, Framer, Framing, FramingError, MAX_FRAME, Tail, text_of};

use crate::input::{cut, knobs, pick};

const FRAMINGS: [Framing; 3] = [Framing::Sse, Framing::Ndjson, Framing::Whole];

/// Bytes of a frame and of a body that is no stream.
const BOUNDS: [(usize, usize); 5] = [
    (MAX_FRAME, 2 * MAX_FRAME),
    (64, 128),
    (1024, 2048),
    (8, 16),
    (256, 64),
];

/// So many bytes of UTF-8 an invalid byte may become.
const GROWTH: usize = '\u{fffd}'.len_utf8();

#[derive(Debug, PartialEq)]
struct Outcome {
    frames: Vec<Frame>,
    end: Result<Tail, FramingError>,
}

pub(crate) fn check(input: &[u8]) {
    let ([framing, cuts, bounds], body) = knobs(input);
    let (framing, bounds) = (*pick(framing, &FRAMINGS), *pick(bounds, &BOUNDS));
    let once = run(framing, bounds, &[body]);
    bounded(&once, bounds.0, body.len());
    for other in [cut(cuts, body), cut(b'A', body)] {
        let again = run(framing, bounds, &other);
        assert_eq!(again, once, "other cuts of the same bytes");
    }
    assert!(text_of(body).len() <= GROWTH * body.len());
}

fn run(framing: Framing, (frame, whole): (usize, usize), pieces: &[&[u8]]) -> Outcome {
    let mut framer = Framer::with_limits(framing, frame, whole);
    let mut frames = Vec::new();
    for piece in pieces {
        if let Err(error) = framer.push(piece, &mut frames) {
            let end = Err(error);
            return Outcome { frames, end };
        }
    }
    let end = Ok(framer.finish());
    Outcome { frames, end }
}

/// Nothing comes out that did not go in.
fn bounded(outcome: &Outcome, frame: usize, body: usize) {
    let last: &[Frame] = match &outcome.end {
        Ok(Tail::Whole(text)) => {
            assert_eq!(outcome.frames, [], "frames of what is no stream");
            assert!(text.len() <= GROWTH * body, "more than came");
            &[]
        }
        Ok(Tail::Foreign(text)) => {
            assert_eq!(outcome.frames, [], "frames of what is no stream");
            assert!(text.len() <= GROWTH * body, "more than came");
            &[]
        }
        Ok(Tail::Frames(frames) | Tail::Cut(frames)) => frames,
        Err(_) => &[],
    };
    let frames = || outcome.frames.iter().chain(last);
    let size = |frame: &Frame| frame.data.len() + frame.event.as_ref().map_or(0, String::len);
    assert!(frames().count() <= body, "more frames than bytes");
    assert!(
        frames().map(size).sum::<usize>() <= GROWTH * body,
        "more than came"
    );
    for each in frames() {
        assert!(
            size(each) <= GROWTH * frame,
            "a frame beyond the bound: {each:?}"
        );
    }
}
