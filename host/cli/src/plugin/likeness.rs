//! Names that could be taken for another: those of what comes with the program, in other letters.

use multillm::config::{built_in_names, built_in_of};

/// How a name is like one that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is that name, or another name for it.
    Same(&'static str),
    /// It looks like it: letters of other scripts, digits for letters, another case, signs between.
    Looks(&'static str),
    /// One letter is another, is missing, is too much, or two have changed places.
    Near(&'static str),
}

impl Likeness {
    /// For people.
    pub(super) fn told(self, name: &str) -> String {
        match self {
            Likeness::Same(known) => format!(
                "{name:?} is a name of {known}, which comes with the program: no other plugin gets it"
            ),
            Likeness::Looks(known) => {
                format!("{name:?} looks like {known}, which comes with the program, and is not it")
            }
            Likeness::Near(known) => {
                format!("{name:?} is nearly {known}, which comes with the program, and is not it")
            }
        }
    }
}

/// What the name could be taken for.
pub(super) fn likeness(name: &str) -> Option<Likeness> {
    if let Some(known) = built_in_of(name) {
        return Some(Likeness::Same(known.name));
    }
    let own = skeleton(name);
    let mut names = built_in_names();
    let looks = names.find(|known| skeleton(known) == own);
    // Of short names every other one is near.
    let near = || {
        let plain = plain(name);
        let is_near = |known: &&str| known.len() >= 5 && strsim::osa_distance(&plain, known) == 1;
        built_in_names().find(is_near).map(Likeness::Near)
    };
    looks.map(Likeness::Looks).or_else(near)
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !is_sign(*c));
    letters.flat_map(char::to_lowercase).collect()
}

/// What remains when all that looks alike is the same (UTS #39), with digits and pairs of letters that people take
/// for others beside.
fn skeleton(name: &str) -> String {
    let alike: String = unicode_security::skeleton(&name.to_lowercase()).collect();
    let alike: String = unicode_security::skeleton(&alike.to_lowercase()).collect();
    let letters = alike.chars().filter(|c| !is_sign(*c)).map(|c| match c {
        '0' => 'o',
        '1' | 'i' | '|' | '!' => 'l',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '6' => 'b',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        c => c,
    });
    let letters: String = letters.collect();
    letters
        .replace("vv", "w")
        .replace("rn", "m")
        .replace("cl", "d")
}

/// Stands between letters, or is not seen.
fn is_sign(c: char) -> bool {
    matches!(c, '-' | '_' | '.' | ' ') || !(c.is_alphanumeric() || matches!(c, '|' | '!'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_be_taken_for_another_is_known() {
        use Likeness::{Looks, Near, Same};
        for (name, expected) in [
            ("openai", Some(Same("openai"))),
            ("OpenAI", Some(Same("openai"))),
            ("open_ai", Some(Same("openai"))),
            ("anthropic", Some(Same("claude"))),
            ("google", Some(Same("gemini"))),
            ("Groq", Some(Same("groq"))),
            ("llama.cpp", Some(Same("llamacpp"))),
            ("0penai", Some(Looks("openai"))),
            ("0pen-A1", Some(Looks("openai"))),
            ("openal", Some(Looks("openai"))),
            ("op\u{435}n\u{430}i", Some(Looks("openai"))),
            ("\u{43e}\u{440}\u{435}nai", Some(Looks("openai"))),
            ("cl\u{430}ude", Some(Looks("claude"))),
            ("c1aude", Some(Looks("claude"))),
            ("daude", Some(Looks("claude"))),
            ("rnistral", Some(Looks("mistral"))),
            ("open\u{200b}ai", Some(Looks("openai"))),
            ("\u{ff4f}penai", Some(Looks("openai"))),
            ("open.ai", Some(Looks("openai"))),
            ("opnai", Some(Near("openai"))),
            ("openia", Some(Near("openai"))),
            ("openai2", Some(Near("openai"))),
            ("acme", None),
            ("parley", None),
            ("xa", None),
            ("x1", None),
        ] {
            assert_eq!(likeness(name), expected, "{name}");
        }
    }

    #[test]
    fn what_comes_with_the_program_is_not_taken_for_another_of_it() {
        let names: Vec<&str> = built_in_names().collect();
        for one in &names {
            for other in &names {
                assert!(
                    one == other
                        || skeleton(one) != skeleton(other)
                        || built_in_of(one) == built_in_of(other),
                    "{one} {other}"
                );
            }
        }
    }
}
