//! How text looks: bold, italic and so on, and where a link leads. What changes from one form to the
//! next is said to the terminal, and nothing else.

use std::sync::Arc;

/// How a piece of text looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) bold: bool,
    pub(super) faint: bool,
    pub(super) italic: bool,
    pub(super) underlined: bool,
    pub(super) struck: bool,
    pub(super) code: bool,
    pub(super) link: Option<Link>,
}

/// A link that the terminal follows. Lines of the same number are parts of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) number: u32,
    /// Printable ASCII: an address as the URL library writes it.
    pub(super) address: Arc<str>,
}

/// The text that is at the margin of things.
pub(super) const FAINT: Form = Form {
    faint: true,
    ..PLAIN
};
/// Code in blocks.
pub(super) const CODE: Form = Form {
    code: true,
    ..PLAIN
};
pub(super) const PLAIN: Form = Form {
    bold: false,
    faint: false,
    italic: false,
    underlined: false,
    struck: false,
    code: false,
    link: None,
};

impl Form {
    /// What makes a terminal go from this form to another.
    pub(super) fn change(&self, to: &Form, out: &mut String) {
        if self == to {
            return;
        }
        if self.link.is_some() && self.link != to.link {
            *out += "\x1b]8;;\x1b\\";
        }
        // One code ends both.
        let lighter = self.bold && !to.bold || self.faint && !to.faint;
        if lighter {
            *out += "\x1b[22m";
        }
        if to.bold && (lighter || !self.bold) {
            *out += "\x1b[1m";
        }
        if to.faint && (lighter || !self.faint) {
            *out += "\x1b[2m";
        }
        for (was, is, on, off) in [
            (self.italic, to.italic, "\x1b[3m", "\x1b[23m"),
            (self.underlined, to.underlined, "\x1b[4m", "\x1b[24m"),
            (self.struck, to.struck, "\x1b[9m", "\x1b[29m"),
            (self.code, to.code, "\x1b[36m", "\x1b[39m"),
        ] {
            if was != is {
                *out += if is { on } else { off };
            }
        }
        if let Some(link) = to.link.as_ref().filter(|_| self.link != to.link) {
            *out += &format!("\x1b]8;id={};{}\x1b\\", link.number, link.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: &Form, to: &Form) -> String {
        let mut out = String::new();
        from.change(to, &mut out);
        out
    }

    #[test]
    fn only_what_differs_is_said() {
        let bold = Form {
            bold: true,
            ..PLAIN
        };
        let both = Form {
            italic: true,
            ..bold.clone()
        };
        assert_eq!(change(&bold, &bold), "");
        assert_eq!(change(&PLAIN, &both), "\x1b[1m\x1b[3m");
        assert_eq!(change(&both, &bold), "\x1b[23m");
        assert_eq!(change(&bold, &FAINT), "\x1b[22m\x1b[2m");
        assert_eq!(change(&FAINT, &bold), "\x1b[22m\x1b[1m");
        assert_eq!(change(&both, &PLAIN), "\x1b[22m\x1b[23m");
    }

    #[test]
    fn a_link_is_closed_before_another_is_opened() {
        let to = |number, address: &str| Form {
            link: Some(Link {
                number,
                address: address.into(),
            }),
            ..PLAIN
        };
        let (one, two) = (to(1, "https://a.org/"), to(2, "https://b.org/"));
        assert_eq!(
            change(&one, &two),
            "\x1b]8;;\x1b\\\x1b]8;id=2;https://b.org/\x1b\\"
        );
        assert_eq!(change(&one, &PLAIN), "\x1b]8;;\x1b\\");
    }
}
