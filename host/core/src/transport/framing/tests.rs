//! The framers against fixed bodies, against every cutting and against a simple second splitter.

use proptest::prelude::*;

use super::*;

fn frame(event: Option<&str>, data: &str) -> Frame {
    Frame {
        event: event.map(str::to_owned),
        data: data.to_owned(),
    }
}

/// Everything a body gives when it comes in these chunks.
fn cut<'a>(framing: Framing, chunks: impl IntoIterator<Item = &'a [u8]>) -> Tail {
    let mut framer = Framer::new(framing);
    let mut frames = Vec::new();
    for chunk in chunks {
        framer.push(chunk, &mut frames).unwrap();
    }
    match framer.finish() {
        Tail::Frames(last) => {
            frames.extend(last);
            Tail::Frames(frames)
        }
        Tail::Cut(last) => {
            frames.extend(last);
            Tail::Cut(frames)
        }
        whole => {
            assert_eq!(frames, [], "a whole body gives no frames");
            whole
        }
    }
}

/// In one chunk, byte by byte and in every cut into two.
fn cut_all_ways(framing: Framing, body: &[u8]) -> Tail {
    let once = cut(framing, [body]);
    assert_eq!(cut(framing, body.chunks(1)), once, "byte by byte");
    for at in 0..=body.len() {
        let (left, right) = body.split_at(at);
        assert_eq!(cut(framing, [left, right]), once, "cut at {at}");
    }
    once
}

#[track_caller]
fn sse(body: impl AsRef<[u8]>, expected: &[(Option<&str>, &str)]) {
    let expected = expected
        .iter()
        .map(|(event, data)| frame(*event, data))
        .collect();
    assert_eq!(
        cut_all_ways(Framing::Sse, body.as_ref()),
        Tail::Frames(expected)
    );
}

/// The frames that a body gives which is cut within another.
#[track_caller]
fn sse_cut(body: &str, expected: &[(Option<&str>, &str)]) {
    let expected = expected
        .iter()
        .map(|(event, data)| frame(*event, data))
        .collect();
    assert_eq!(
        cut_all_ways(Framing::Sse, body.as_bytes()),
        Tail::Cut(expected),
        "{body:?}"
    );
}

#[track_caller]
fn ndjson(body: impl AsRef<[u8]>, expected: &[&str]) {
    let expected = expected.iter().map(|data| frame(None, data)).collect();
    assert_eq!(
        cut_all_ways(Framing::Ndjson, body.as_ref()),
        Tail::Frames(expected)
    );
}

#[track_caller]
fn whole(framing: Framing, body: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(
        cut_all_ways(framing, body.as_ref()),
        Tail::Whole(expected.to_owned())
    );
}

#[test]
fn every_line_end_gives_the_same_events() {
    for end in ["\n", "\r\n", "\r"] {
        let body = ["event: a", "data: 1", "", "data: 2", "", "", ""].join(end);
        sse(body, &[(Some("a"), "1"), (None, "2")]);
    }
}

#[test]
fn fields_follow_the_standard() {
    sse("data:x\n\n", &[(None, "x")]);
    sse("data:  x \n\n", &[(None, " x ")]);
    sse("data\n\n", &[(None, "")]);
    sse("data: a\ndata\ndata: b\n\n", &[(None, "a\n\nb")]);
    sse(
        ": hello\n:\ndata: x\n: more\nid: 7\nretry: 10\nfoo: bar\nbaz\n\n",
        &[(None, "x")],
    );
    sse(
        "event: one\nevent: two\ndata: x\n\ndata: y\n\n",
        &[(Some("two"), "x"), (None, "y")],
    );
    sse("event: lonely\n\ndata: y\n\n", &[(None, "y")]);
    sse("event:\ndata: y\n\n", &[(None, "y")]);
    sse(" data: x\n\nDATA: x\n\ndata: y\n\n", &[(None, "y")]);
    sse("data: a:b: c\n\n", &[(None, "a:b: c")]);
    sse("\n\n\r\n \n\ndata: x\n\n\n\n", &[(None, "x")]);
}

#[test]
fn one_byte_order_mark_is_dropped() {
    sse("\u{feff}data: x\n\n", &[(None, "x")]);
    sse("\u{feff}\u{feff}data: x\n\ndata: y\n\n", &[(None, "y")]);
    sse("\u{feff}", &[]);
    ndjson("\u{feff}{}\n", &["{}"]);
    whole(Framing::Whole, "\u{feff}{}", "{}");
    whole(Framing::Sse, "\u{feff}{}", "{}");
}

#[test]
fn text_is_decoded_by_the_line() {
    sse(
        "data: h\u{e9}\u{1f600}\u{2028}\u{2029}\u{85}x\n\n",
        &[(None, "h\u{e9}\u{1f600}\u{2028}\u{2029}\u{85}x")],
    );
    sse(b"data: a\xff\xf0\x9fb\n\n", &[(None, "a\u{fffd}\u{fffd}b")]);
    ndjson(b"\"\xff\"\n", &["\"\u{fffd}\""]);
    sse(b"event: \xff\ndata: x\n\n", &[(Some("\u{fffd}"), "x")]);
}

#[test]
fn the_end_dispatches_only_what_is_whole() {
    sse("data: {\"a\":1}", &[(None, "{\"a\":1}")]);
    sse("event: e\ndata: {\"a\":1}\n", &[(Some("e"), "{\"a\":1}")]);
    sse("data: {\"a\":1}\r", &[(None, "{\"a\":1}")]);
    sse("data: [DONE]", &[(None, "[DONE]")]);
    sse("data: {\ndata: }", &[(None, "{\n}")]);
    sse("data: \"a\"", &[(None, "\"a\"")]);
    sse("data: {}\n\n: keep-al", &[(None, "{}")]);
    sse("data: {}\n\nid: 7", &[(None, "{}")]);
}

#[test]
fn an_end_within_an_event_is_told() {
    for begun in ["", "data: {}\n\n"] {
        let before: &[_] = match begun {
            "" => &[],
            _ => &[(None, "{}")],
        };
        for rest in [
            "d",
            "data",
            "data:",
            "data: {\"a\":1",
            "data: {\"a\":\"b",
            "data: [DON",
            "data: tru",
            "data: 12",
            "data: text\n",
            "e",
            "event: cu",
            "event: cut\n",
            "event: cut\ndata: {\n",
            "id: 7\nevent: cut\nda",
        ] {
            sse_cut(&format!("{begun}{rest}"), before);
        }
    }
    sse_cut("data: {}\nevent: cu", &[(None, "{}")]);
    sse_cut("data: {}\n\n{\"error\": {\"co", &[(None, "{}")]);
    for rest in ["{\"b\":", "{\"b\":\"\\u00", "tru", "1"] {
        assert_eq!(
            cut_all_ways(Framing::Ndjson, format!("{{\"a\":1}}\n{rest}").as_bytes()),
            Tail::Cut(vec![frame(None, "{\"a\":1}")]),
            "{rest}"
        );
    }
}

#[test]
fn what_is_no_stream_at_all_is_told_from_a_cut_one() {
    for body in ["upstream error", "upstream error\nagain\n", "DATA: x\n\n"] {
        let line = body.lines().next().unwrap().to_owned();
        assert_eq!(
            cut_all_ways(Framing::Sse, body.as_bytes()),
            Tail::Foreign(line)
        );
    }
    // The plugin says what is wrong with a line that no JSON begins with.
    ndjson("upstream error", &["upstream error"]);
    ndjson("{\"a\":1}\n{no json", &["{\"a\":1}", "{no json"]);
}

#[test]
fn events_where_lines_were_expected_are_cut_as_events() {
    for body in ["event: a\ndata: {}\n\n", ": hello\nevent: a\ndata: {}\n\n"] {
        assert_eq!(
            cut_all_ways(Framing::Ndjson, body.as_bytes()),
            Tail::Frames(vec![frame(Some("a"), "{}")])
        );
    }
    assert_eq!(cut_all_ways(Framing::Ndjson, b"dat"), Tail::Cut(vec![]));
}

#[test]
fn bare_json_between_events_is_a_frame() {
    let error = "{\n  \"error\": {\n    \"code\": 503,\n    \"data\": \"x\"\n  }\n}";
    sse(
        format!("data: {{}}\n\n{error}"),
        &[(None, "{}"), (None, error)],
    );
    sse(
        format!("data: {{}}\n\n{error}\n\ndata: 1\n\n"),
        &[(None, "{}"), (None, error), (None, "1")],
    );
    sse(
        "data: {}\r\n[{\"error\":{}}]\r\n\r\n",
        &[(None, "{}"), (None, "[{\"error\":{}}]")],
    );
    sse("data: {}\n\n{no json}\n\n", &[(None, "{}")]);
}

#[test]
fn what_is_no_stream_comes_back_whole() {
    whole(Framing::Sse, "{\"error\": {}}\n", "{\"error\": {}}\n");
    whole(
        Framing::Sse,
        "\n\n [{\"a\": 1}\n,\r\n{}]",
        " [{\"a\": 1}\n,\r\n{}]",
    );
    whole(
        Framing::Sse,
        "<!DOCTYPE html>\n<p>data: x\n\n",
        "<!DOCTYPE html>\n<p>data: x\n\n",
    );
    whole(Framing::Sse, "\"busy\"", "\"busy\"");
    whole(Framing::Ndjson, "<html>\n</html>", "<html>\n</html>");
    whole(Framing::Whole, "data: x\n\n", "data: x\n\n");
    whole(Framing::Whole, "", "");
    sse("", &[]);
    sse("\r\n \n", &[]);
}

#[test]
fn ndjson_lines() {
    ndjson("{\"a\":1}\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"]);
    ndjson(
        "{\"a\":1}\r\n\r\n  \n{\"b\":2}",
        &["{\"a\":1}", "{\"b\":2}"],
    );
    ndjson(
        "{\"a\":\"\u{2028}\u{e9}\"}\n",
        &["{\"a\":\"\u{2028}\u{e9}\"}"],
    );
    ndjson("oops\n", &["oops"]);
    ndjson("\n\n", &[]);
}

#[test]
fn bounds_hold_whatever_the_chunks() {
    let bodies = [
        (Framing::Sse, "data: 1\n\ndata: 123456789012345\n\n"),
        (
            Framing::Sse,
            "data: 1\n\ndata: 123456789\ndata: 123456789\n\n",
        ),
        (Framing::Sse, "data: 1\n\n: 1234567890123456789\n\n"),
        (Framing::Sse, "data: 1\n\n{ 123456789\n: 1234567890\n\n"),
        (Framing::Ndjson, "1\n123456789012345678901"),
    ];
    for (framing, body) in bodies {
        for size in [1, 2, 7, body.len()] {
            let mut framer = Framer::with_limits(framing, 20, 20);
            let mut frames = Vec::new();
            let result: Result<(), FramingError> = body
                .as_bytes()
                .chunks(size)
                .try_for_each(|chunk| framer.push(chunk, &mut frames));
            assert_eq!(
                result,
                Err(FramingError::FrameTooLong { limit: 20 }),
                "{body:?} by {size}"
            );
            assert_eq!(frames, [frame(None, "1")], "what came before is kept");
        }
    }
    let mut framer = Framer::with_limits(Framing::Sse, 20, 5);
    let result = framer.push(b"{12345", &mut Vec::new());
    assert_eq!(result, Err(FramingError::WholeTooLong { limit: 5 }));
}

#[test]
fn white_space_before_a_body_is_bounded_however_it_comes() {
    let run = |body: &str, size| {
        let mut framer = Framer::with_limits(Framing::Sse, 8, 40);
        let mut frames = Vec::new();
        let pushed = body
            .as_bytes()
            .chunks(size)
            .try_for_each(|chunk| framer.push(chunk, &mut frames));
        pushed.map(|()| framer.finish())
    };
    let fits = format!("{0}\r\n{0}\n{0}{{}}", " ".repeat(8));
    let whole = Tail::Whole(format!("{}{{}}", " ".repeat(8)));
    let long = " ".repeat(9);
    for size in [1, 5, 100] {
        assert_eq!(run(&fits, size), Ok(whole.clone()), "{size}");
        for body in [
            long.clone(),
            format!("{long}{{}}"),
            format!("{long}\n{{}}"),
            format!("\n{long}\r\ndata: 1\n\n"),
        ] {
            let error = FramingError::FrameTooLong { limit: 8 };
            assert_eq!(run(&body, size), Err(error), "{body:?} by {size}");
        }
    }
}

/// The rules once more, on a whole body and without regard to speed.
fn reference(body: &[u8]) -> Vec<Frame> {
    let text = String::from_utf8_lossy(body.strip_prefix(BOM).unwrap_or(body)).into_owned();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let ended = text.ends_with('\n');
    let mut lines: Vec<&str> = text.split('\n').collect();
    if ended {
        lines.pop();
    }
    let mut frames = Vec::new();
    let (mut name, mut data, mut bare) = (String::new(), Vec::new(), Vec::new());
    let count = lines.len();
    for (number, line) in lines.into_iter().enumerate() {
        let cut_off = number + 1 == count && !ended;
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            _ if line.is_empty() => {
                if !data.is_empty() {
                    let event = Some(name.clone()).filter(|name| !name.is_empty());
                    frames.push(Frame {
                        event,
                        data: data.join("\n"),
                    });
                }
                frames.extend(
                    Some(bare.join("\n"))
                        .filter(|bare| is_json(bare))
                        .map(|data| Frame { event: None, data }),
                );
                name.clear();
                data.clear();
                bare.clear();
            }
            _ if cut_off && kind::begins_field(line.as_bytes()) => {}
            "data" => data.push(value),
            "event" if !cut_off => name = value.to_owned(),
            "event" | "id" | "retry" | "" => {}
            _ if !bare.is_empty() || line.trim_start().starts_with(['{', '[']) => bare.push(line),
            _ => {}
        }
    }
    let data = data.join("\n");
    if data.trim() == "[DONE]" || is_closed_json(&data) {
        frames.push(Frame {
            event: Some(name).filter(|name| !name.is_empty()),
            data,
        });
    }
    frames.extend(
        Some(bare.join("\n"))
            .filter(|bare| is_json(bare))
            .map(|data| Frame { event: None, data }),
    );
    frames
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"data: ".to_vec()),
        2 => Just(b"data:".to_vec()),
        2 => Just(b"event: e".to_vec()),
        4 => Just(b"\n".to_vec()),
        4 => Just(b"\n\n".to_vec()),
        3 => Just(b"\r\n".to_vec()),
        3 => Just(b"\r".to_vec()),
        1 => Just(b": c".to_vec()),
        1 => Just(b"id: 1".to_vec()),
        3 => Just(b"{\"a\":1}".to_vec()),
        1 => Just(b"{\"a\":".to_vec()),
        1 => Just(b"}".to_vec()),
        1 => Just(b"[DONE]".to_vec()),
        1 => Just("\u{feff}".as_bytes().to_vec()),
        2 => Just("\u{e9}\u{2028}\u{1f600}".as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..4),
        2 => "[a-z: ]{0,5}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// The chunks that these cuts make.
fn chunks<'a>(body: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    at.extend([0, body.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn cutting_changes_nothing(
        body in body(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        for framing in [Framing::Sse, Framing::Ndjson, Framing::Whole] {
            let once = cut(framing, [body.as_slice()]);
            prop_assert_eq!(&cut(framing, chunks(&body, &cuts)), &once);
            prop_assert_eq!(&cut(framing, body.chunks(1)), &once);
        }
    }

    #[test]
    fn the_second_splitter_agrees(body in body()) {
        if let Tail::Frames(frames) | Tail::Cut(frames) = cut(Framing::Sse, [body.as_slice()]) {
            prop_assert_eq!(frames, reference(&body));
        }
    }

    #[test]
    fn any_bytes_are_survived(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for framing in [Framing::Sse, Framing::Ndjson] {
            prop_assert_eq!(cut(framing, body.chunks(3)), cut(framing, [body.as_slice()]));
        }
    }
}
