//! Texts of others, made fit to be shown: what a vendor, a model or a plugin wrote must not steer the
//! terminal, hide something, change the order of what stands around it, or make lines that look like ours.
//!
//! Taken out are control characters; overrides, embeddings and isolates of the writing direction; what has
//! no width; tags. Four things stay where a script or an emoji needs them: ZWJ and ZWNJ between characters
//! of scripts that are no Latin (Devanagari, Persian, emoji), the marks LRM, RLM and ALM beside letters
//! that are written from right to left, and one variation selector behind what it varies.
//!
//! What is data and goes to a pipe is not looked at here: see [`Printer`](super::printer::Printer).

const ALM: char = '\u{61c}';
const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';
const LRM: char = '\u{200e}';
const RLM: char = '\u{200f}';

/// A text of several lines.
pub(super) fn text(text: &str) -> String {
    let mut flow = Flow::default();
    flow.push(text)
}

/// A text that has to stay on one line of ours: a name, a message, a cell of a table.
pub(super) fn line(text: &str) -> String {
    let broken = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    if !text.contains(broken) {
        return self::text(text);
    }
    let words: Vec<&str> = text
        .split(broken)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    self::text(&words.join(" "))
}

/// The same JSON, in which everything that a terminal would not be shown is escaped.
pub(super) fn json(text: &str) -> String {
    use std::fmt::Write as _;
    if text
        .bytes()
        .all(|byte| (b' '..0x7f).contains(&byte) || byte == b'\n')
    {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // Line ends are those of the form, as none stands in a string as it is.
        let stays = c == '\n'
            || (c != '\u{2028}' && c != '\u{2029}' && stays(before, c, rest.peek().copied()));
        match stays {
            true => out.push(c),
            false => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
        before = Some(c);
    }
    out
}

/// A text of one line that somebody is to judge: what could hide something is not taken out but shown
/// as an escape.
pub(super) fn escaped(text: &str) -> String {
    json(text).replace('\n', "\\n")
}

/// A text that comes in pieces, however it is cut.
#[derive(Debug, Default)]
pub(super) struct Flow {
    before: Option<char>,
    /// What the next character decides on.
    held: Option<char>,
}

impl Flow {
    /// Takes a piece, and gives what can be shown.
    pub(super) fn push(&mut self, piece: &str) -> String {
        if self.held.is_none()
            && piece
                .bytes()
                .all(|byte| (b' '..0x7f).contains(&byte) || byte == b'\n')
        {
            self.before = piece.chars().next_back().or(self.before);
            return piece.to_owned();
        }
        let mut out = String::with_capacity(piece.len());
        for c in piece.chars() {
            if let Some(held) = self.held.take()
                && stays(self.before, held, Some(c))
            {
                out.push(held);
                self.before = Some(held);
            }
            if needs_next(self.before, c) {
                self.held = Some(c);
            } else if stays(self.before, c, None) {
                let shown = match c {
                    '\u{2028}' | '\u{2029}' => '\n',
                    c => c,
                };
                out.push(shown);
                self.before = Some(shown);
            }
        }
        out
    }
}

/// Whether what follows decides on the character.
fn needs_next(before: Option<char>, c: char) -> bool {
    match c {
        ZWNJ | ZWJ => before.is_some_and(joins),
        ALM | LRM | RLM => !before.is_some_and(is_right_to_left),
        _ => false,
    }
}

/// Whether a character is shown between these two.
fn stays(before: Option<char>, c: char, next: Option<char>) -> bool {
    match c {
        '\n' | '\t' => true,
        c if c.is_control() => false,
        ZWNJ | ZWJ => before.is_some_and(joins) && next.is_some_and(joins),
        ALM | LRM | RLM => {
            before.is_some_and(is_right_to_left) || next.is_some_and(is_right_to_left)
        }
        // Variation selectors; those of Mongolian beside its letters.
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(before, Some('\u{1820}'..='\u{18aa}')),
        '\u{fe00}'..='\u{fe0f}' => before.is_some_and(|c| !c.is_whitespace() && !is_selector(c)),
        '\u{e0100}'..='\u{e01ef}' => before.is_some_and(is_ideograph),
        c => !is_hidden(c),
    }
}

/// What has no width or turns the writing round, and is needed for no script.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a joiner beside this character may mean something: it is no Latin letter, no mark of
/// punctuation and no space.
fn joins(c: char) -> bool {
    c >= '\u{300}'
        && !matches!(c, '\u{1e00}'..='\u{1eff}' | '\u{2000}'..='\u{206f}')
        && !c.is_whitespace()
        && !is_hidden(c)
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{61b}' | '\u{61d}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests;
