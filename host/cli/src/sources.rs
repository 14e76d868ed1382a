//! What an answer rests on: numbered marks in its text, and the list of them below it. For people; programs find
//! citations in the parts of an answer with `--json`.

use super::{Context, Failure, foreign};
use multillm::chat::{ChatEvent, Citation, CitationSource, Part};

/// The most of a cited text that stands for a source without a name, in characters.
const QUOTED: usize = 80;
/// A citation that comes while a text is shown ends where the text ends, but for a full stop and a blank.
const NEAR: u32 = 2;

/// Sources in the order in which they are cited first.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: Vec<Source>,
}

#[derive(Debug, PartialEq, Eq)]
struct Source {
    place: Option<CitationSource>,
    title: Option<String>,
    /// Of what has neither place nor title.
    quoted: Option<String>,
}

impl Sources {
    /// The number of what a citation names, from 1; nothing where it names nothing.
    fn number(&mut self, citation: &Citation) -> Option<usize> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let place = citation.source.clone();
        let title = filled(&citation.title);
        let quoted = match (&place, &title) {
            (None, None) => Some(filled(&citation.cited_text)?),
            _ => None,
        };
        let found = self.known.iter().position(|known| match &place {
            // A page is the same, whatever it is called.
            Some(place) => known.place.as_ref() == Some(place),
            None => known.place.is_none() && known.title == title && known.quoted == quoted,
        });
        if let Some(at) = found {
            if let Some(known) = self.known.get_mut(at) {
                known.title = known.title.take().or(title);
            }
            return Some(at + 1);
        }
        self.known.push(Source {
            place,
            title,
            quoted,
        });
        Some(self.known.len())
    }

    /// The list, a line each; empty where nothing is cited.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = (1..).zip(&self.known).map(|(number, source)| {
            let place = source.place.as_ref().map(|place| match place {
                CitationSource::Url(url) => url.clone(),
                CitationSource::Document(id) => match id.parse::<usize>() {
                    Ok(at) => format!("document {}", at.saturating_add(1)),
                    Err(_) => format!("document {id}"),
                },
                CitationSource::File(id) => format!("file {id}"),
            });
            let quoted = source.quoted.as_ref().map(|text| {
                let line = foreign::line(text);
                match line.char_indices().nth(QUOTED) {
                    Some((end, _)) => format!("\"{}…\"", line.get(..end).unwrap_or_default()),
                    None => format!("\"{line}\""),
                }
            });
            let words = [source.title.clone(), quoted, place];
            let words = words.into_iter().flatten().map(|word| foreign::line(&word));
            format!("[{number}] {}", words.collect::<Vec<_>>().join(" — "))
        });
        lines.collect()
    }

    /// The list as it stands below an answer; empty where nothing is cited.
    pub(super) fn below(&self) -> String {
        match self.known.is_empty() {
            true => String::new(),
            false => format!("\nSources:\n{}\n", self.lines().join("\n")),
        }
    }

    /// Prints the list below an answer.
    pub(super) fn print(&self, context: &Context) -> Result<(), Failure> {
        let below = self.below();
        match below.strip_suffix('\n') {
            None => Ok(()),
            Some(lines) => Ok(context.printer.line(lines)?),
        }
    }
}

/// A mark such as `[1]`, or `[1, 2]` for several at one place: side by side they would be a link of Markdown's.
fn mark(numbers: &[usize], next: Option<char>) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    // So would be one with a bracket behind it.
    let gap = if matches!(next, Some('(' | '[' | ':')) {
        " "
    } else {
        ""
    };
    match numbers.is_empty() {
        true => String::new(),
        false => format!("[{}]{gap}", numbers.join(", ")),
    }
}

/// The text of an answer with its marks.
pub(super) fn marked(parts: &[Part], sources: &mut Sources) -> String {
    let mut text = String::new();
    for part in parts {
        let Part::Text(part) = part else {
            continue;
        };
        let count = part.text.chars().count();
        let words = part.text.trim_end().chars().count();
        let mut marks: Vec<(usize, usize)> = vec![];
        for citation in &part.citations {
            let end = citation.end.and_then(|end| usize::try_from(end).ok());
            let at = end.filter(|end| *end <= count).unwrap_or(words);
            if let Some(number) = sources.number(citation)
                && !marks.contains(&(at, number))
            {
                marks.push((at, number));
            }
        }
        marks.sort_by_key(|(at, _)| *at);
        let mut marks = marks.as_slice();
        let letters = part.text.chars().map(Some).chain([None]);
        for (at, letter) in letters.enumerate() {
            let here = marks.partition_point(|(place, _)| *place <= at);
            let (now, later) = marks.split_at(here);
            let numbers: Vec<usize> = now.iter().map(|(_, number)| *number).collect();
            text += &mark(&numbers, letter);
            text.extend(letter);
            marks = later;
        }
    }
    text
}

/// Marks for a text that is shown while it comes. What is cited of a passage that was shown long ago has no mark any
/// more, and stands in the list alone.
#[derive(Debug, Default)]
pub(super) struct Citing {
    pub(super) sources: Sources,
    /// Cited by the end of what was shown, or by the part as a whole.
    pending: Vec<Pending>,
    /// Characters of the part so far.
    shown: u32,
}

#[derive(Debug)]
struct Pending {
    number: usize,
    /// It is the whole part that rests on it, however much of it still comes.
    whole: bool,
}

impl Citing {
    /// The mark to show before this event.
    pub(super) fn before(&mut self, event: &ChatEvent) -> String {
        match event {
            ChatEvent::Text { text } => {
                let next = text.chars().next();
                let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
                self.shown = self.shown.saturating_add(length);
                // The passage before it is over where the marks are.
                self.flush(next, false)
            }
            ChatEvent::Citation(citation) => {
                let near = |end| self.shown.saturating_sub(end) <= NEAR;
                let is_near = self.shown > 0 && citation.end.is_some_and(near);
                let whole = citation.end.is_none();
                if let Some(number) = self.sources.number(citation)
                    && (is_near || whole)
                    && !self.pending.iter().any(|known| known.number == number)
                {
                    self.pending.push(Pending { number, whole });
                }
                String::new()
            }
            _ => {
                self.shown = 0;
                self.flush(None, true)
            }
        }
    }

    fn flush(&mut self, next: Option<char>, whole: bool) -> String {
        let pending = std::mem::take(&mut self.pending);
        let (now, later): (Vec<Pending>, _) =
            pending.into_iter().partition(|one| whole || !one.whole);
        self.pending = later;
        let numbers: Vec<usize> = now.iter().map(|one| one.number).collect();
        mark(&numbers, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use multillm::chat::TextPart;

    fn page(url: &str, end: Option<u32>) -> Citation {
        Citation {
            source: Some(CitationSource::Url(url.to_owned())),
            title: Some(format!("Page {url}")),
            end,
            ..Citation::default()
        }
    }

    fn part(text: &str, citations: Vec<Citation>) -> Part {
        Part::Text(TextPart {
            text: text.to_owned(),
            citations,
            ..TextPart::default()
        })
    }

    #[test]
    fn marks_stand_at_their_places_and_sources_once_below() {
        let mut sources = Sources::default();
        let parts = [
            part(
                "Grün ist es. Blau auch.\n",
                vec![
                    page("https://a", Some(12)),
                    page("https://b", None),
                    page("https://a", Some(12)),
                ],
            ),
            part(
                "(Ende)",
                vec![page("https://b", Some(0)), page("https://a", Some(99))],
            ),
        ];
        assert_eq!(
            marked(&parts, &mut sources),
            "Grün ist es.[1] Blau auch.[2]\n[2] (Ende)[1]"
        );
        assert_eq!(
            sources.lines(),
            [
                "[1] Page https://a — https://a",
                "[2] Page https://b — https://b"
            ]
        );
    }

    #[test]
    fn several_at_one_place_are_one_mark() {
        let mut sources = Sources::default();
        let parts = [part("x", vec![page("a", None), page("b", None)])];
        assert_eq!(marked(&parts, &mut sources), "x[1, 2]");
        assert_eq!(marked(&[Part::text("plain")], &mut sources), "plain");
    }

    #[test]
    fn a_source_is_named_by_whatever_is_known_of_it() {
        let mut sources = Sources::default();
        let of = |source, title: &str, text: &str| Citation {
            source,
            title: (!title.is_empty()).then(|| title.to_owned()),
            cited_text: (!text.is_empty()).then(|| text.to_owned()),
            ..Citation::default()
        };
        let long = "w".repeat(200);
        for citation in [
            of(Some(CitationSource::Document("0".into())), "", "x"),
            of(
                Some(CitationSource::File("f1".into())),
                "a\u{1b}[2J.pdf",
                "",
            ),
            of(None, "", &long),
            of(None, "T", ""),
            of(None, "", ""),
        ] {
            sources.number(&citation);
        }
        let lines = sources.lines();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert_eq!(lines[0], "[1] document 1");
        assert_eq!(lines[1], "[2] a[2J.pdf — file f1");
        assert_eq!(lines[2], format!("[3] \"{}…\"", "w".repeat(80)));
        assert_eq!(lines[3], "[4] T");
    }

    #[test]
    fn while_a_text_comes_marks_stand_behind_what_was_shown() {
        let mut citing = Citing::default();
        let text = |text: &str| ChatEvent::Text { text: text.into() };
        let mut shown = String::new();
        for event in [
            text("Green."),
            ChatEvent::Citation(page("a", None)),
            ChatEvent::Citation(page("b", Some(5))),
            ChatEvent::PartEnd {
                part: Part::text("Green."),
            },
            text("Blue and much more"),
            ChatEvent::Citation(page("c", Some(4))),
            text(", and "),
            ChatEvent::Citation(page("a", None)),
            text("red."),
            ChatEvent::PartEnd {
                part: Part::text("x"),
            },
        ] {
            shown += &citing.before(&event);
            if let ChatEvent::Text { text } = event {
                shown += &text;
            }
        }
        assert_eq!(shown, "Green.[1, 2]Blue and much more, and red.[1]");
        assert_eq!(citing.sources.lines().len(), 3);
    }
}
