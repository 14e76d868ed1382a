//! What a model can, by its name. Nothing else is asked: an adapter has no memory.
//!
//! Names of other vendors' models (gateways speak this API too) count as an early Claude that
//! takes everything.

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// It cannot think before it answers.
    Never,
    /// By a number of tokens.
    Budget,
    /// By an effort; it decides itself when to think.
    Adaptive,
}

/// A model, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    /// Major and minor version; absent where the name is no Claude's.
    version: Option<(u8, u8)>,
    opus: bool,
    always_thinks: bool,
    signs_thoughts: bool,
}

impl Model {
    /// The model of this name: `claude-3-5-haiku-20241022`, `claude-opus-4-1`,
    /// `anthropic/claude-sonnet-4.5`, `us.anthropic.claude-opus-4-6-v1:0`, …
    pub(crate) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let version = name.split_once("claude").map(|(_, rest)| version(rest));
        let families = ["sonnet", "opus", "haiku", "fable", "mythos"];
        Model {
            version,
            opus: name.contains("opus"),
            always_thinks: version.is_some() && (name.contains("fable") || name.contains("mythos")),
            signs_thoughts: version.is_some() || families.iter().any(|of| name.contains(of)),
        }
    }

    fn is_before(self, major: u8, minor: u8) -> bool {
        self.version.is_none_or(|version| version < (major, minor))
    }

    /// How it is told to think.
    pub(crate) fn style(self) -> Style {
        match self.version {
            None => Style::Budget,
            Some(version) if version < (3, 7) => Style::Never,
            Some(version) if version < (4, 6) => Style::Budget,
            Some(_) => Style::Adaptive,
        }
    }

    /// Whether it accepts to be told not to think (adaptive models only).
    pub(crate) fn can_stop_thinking(self) -> bool {
        !self.always_thinks
    }

    /// Whether its thoughts are signed, and none is taken back without. A gateway may have shortened
    /// the name.
    pub(crate) fn signs_thoughts(self) -> bool {
        self.signs_thoughts
    }

    /// Whether it takes sampling parameters other than the defaults.
    pub(crate) fn takes_sampling(self) -> bool {
        self.is_before(4, 7)
    }

    /// Whether it takes `temperature` and `top_p` in one request.
    pub(crate) fn takes_two_samplers(self) -> bool {
        self.is_before(4, 1)
    }

    /// Room for an answer without thoughts where nobody names a limit, in tokens.
    pub(crate) fn default_answer(self) -> u32 {
        if self.is_before(3, 5) { 4096 } else { 8192 }
    }

    /// The most tokens that it may be asked for, as far as known: a lower bound.
    pub(crate) fn output_limit(self) -> u32 {
        match self.version {
            Some(version) if version < (3, 5) => 4096,
            Some(version) if version < (3, 7) => 8192,
            None => 32_000,
            Some((4, 0 | 1)) if self.opus => 32_000,
            Some(_) => 64_000,
        }
    }
}

/// Reads the first number of one or two digits, and the one right after it. Longer numbers are
/// dates. A Claude without a number is one of the newest.
fn version(rest: &str) -> (u8, u8) {
    let mut tokens = rest.split(|c: char| !c.is_ascii_alphanumeric());
    let number = |token: &str| match token.len() {
        1 | 2 => token.parse::<u8>().ok(),
        _ => None,
    };
    let major = tokens
        .by_ref()
        .find_map(|token| number(token.strip_prefix('v').unwrap_or(token)));
    match major {
        Some(major) => (major, tokens.next().and_then(number).unwrap_or(0)),
        None => (5, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::{Model, Style};

    #[test]
    fn versions_are_read_from_every_way_of_naming() {
        for (name, version) in [
            ("claude-2.1", (2, 1)),
            ("claude-instant-1.2", (1, 2)),
            ("anthropic.claude-v2:1", (2, 1)),
            ("claude-3-opus-20240229", (3, 0)),
            ("claude-3-5-sonnet-latest", (3, 5)),
            ("claude-3-7-sonnet-20250219", (3, 7)),
            ("claude-4-opus-20250514", (4, 0)),
            ("claude-opus-4@20250514", (4, 0)),
            ("claude-opus-4-1-20250805", (4, 1)),
            ("anthropic/claude-sonnet-4.5", (4, 5)),
            ("us.anthropic.claude-opus-4-6-v1:0", (4, 6)),
            ("Claude-Opus-4-8", (4, 8)),
            ("claude-haiku-5-5", (5, 5)),
            ("claude-mythos-preview", (5, 0)),
            ("claude-opus-10-12", (10, 12)),
        ] {
            assert_eq!(Model::of(name).version, Some(version), "{name}");
        }
        assert_eq!(Model::of("deepseek-chat-3").version, None);
    }

    #[test]
    fn thinking_follows_the_generation() {
        for (name, style) in [
            ("claude-3-5-haiku-20241022", Style::Never),
            ("claude-3-7-sonnet-latest", Style::Budget),
            ("claude-opus-4-5", Style::Budget),
            ("claude-sonnet-4-6", Style::Adaptive),
            ("claude-fable-5", Style::Adaptive),
            ("minimax-m2", Style::Budget),
        ] {
            assert_eq!(Model::of(name).style(), style, "{name}");
        }
        assert!(Model::of("prod-sonnet").signs_thoughts());
        assert!(!Model::of("deepseek-v4-pro").signs_thoughts());
        assert!(Model::of("claude-opus-5").can_stop_thinking());
        assert!(!Model::of("claude-fable-5").can_stop_thinking());
    }

    #[test]
    fn sampling_follows_the_generation() {
        let of = |name| {
            let model = Model::of(name);
            (model.takes_sampling(), model.takes_two_samplers())
        };
        assert_eq!(of("claude-sonnet-4-20250514"), (true, true));
        assert_eq!(of("claude-opus-4-1"), (true, false));
        assert_eq!(of("claude-opus-4-6"), (true, false));
        assert_eq!(of("claude-opus-4-7"), (false, false));
        assert_eq!(of("claude-mythos-preview"), (false, false));
        assert_eq!(of("kimi-k2"), (true, true));
    }
}
