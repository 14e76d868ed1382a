//! The vendor's counts, and what they say of the price.
//!
//! <https://platform.claude.com/docs/en/api/messages>, `usage`; prices:
//! <https://platform.claude.com/docs/en/about-claude/pricing>.

use multillm_plugin_sdk::json::Json;
use multillm_plugin_sdk::usage::count_name;
use multillm_plugin_sdk::{Usage, outcome};

/// What was counted so far. In a stream a later count replaces the former, but no zero does:
/// compatible servers end with zeros for what they counted at the beginning.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    tokens: Tokens,
    tier: Option<String>,
    speed: Option<String>,
    place: Option<String>,
    /// Tokens that stay in the cache for an hour, which costs more than the usual five minutes.
    hour_writes: u64,
    /// The vendor's own tools that were used, each with how often.
    tools: Vec<(String, u64)>,
    /// Models that were asked by the model, at prices of their own.
    advisors: Vec<String>,
    ran_code: bool,
}

/// Tokens by kind; of input only what no cache had to do with.
#[derive(Clone, Copy, Debug, Default)]
struct Tokens {
    input: Option<u64>,
    cached: Option<u64>,
    written: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

impl Tokens {
    fn of(usage: &Json<'_>) -> Self {
        let count = |path: &[&str]| usage.at(path).and_then(Json::count);
        Tokens {
            input: count(&["input_tokens"]),
            cached: count(&["cache_read_input_tokens"]),
            written: count(&["cache_creation_input_tokens"]),
            output: count(&["output_tokens"]),
            thinking: count(&["output_tokens_details", "thinking_tokens"]),
        }
    }

    /// Both, field by field.
    fn with(self, other: Self, field: impl Fn(Option<u64>, Option<u64>) -> Option<u64>) -> Self {
        Tokens {
            input: field(self.input, other.input),
            cached: field(self.cached, other.cached),
            written: field(self.written, other.written),
            output: field(self.output, other.output),
            thinking: field(self.thinking, other.thinking),
        }
    }
}

impl Counts {
    /// Takes over the `usage` of the beginning of a stream. Its output is that of one token or
    /// so, and no count of the answer.
    pub(crate) fn begin(&mut self, message: &Json<'_>) {
        let output = self.tokens.output;
        self.update(message);
        self.tokens.output = output;
    }

    /// Takes over what is present in the `usage` of a message or an event.
    pub(crate) fn update(&mut self, of: &Json<'_>) {
        let Some(usage) = of.get("usage") else { return };
        let iterations = usage.get("iterations").map(Json::list).unwrap_or_default();
        // The counts beside the iterations leave out some of them.
        let sum = iterations
            .iter()
            .map(Tokens::of)
            .fold(Tokens::default(), |all, one| {
                all.with(one, |a, b| outcome::sum(&[a, b]))
            });
        let told = Tokens::of(usage).with(sum, Option::max);
        self.tokens = self.tokens.with(told, |before, now| {
            now.filter(|count| *count > 0).or(before).or(now)
        });
        self.advisors(iterations);
        self.hour_writes = hour_writes(usage)
            .max(iterations.iter().map(hour_writes).sum())
            .max(self.hour_writes);
        let word = |key, plain: &[&str]| {
            let word = usage.text(key).filter(|word| !plain.contains(word));
            word.map(str::to_owned)
        };
        self.tier = word("service_tier", &["standard", "default", "auto"]).or(self.tier.take());
        self.speed = word("speed", &["standard", "default", "normal"]).or(self.speed.take());
        let anywhere = ["global", "not_available", "unknown"];
        self.place = word("inference_geo", &anywhere).or(self.place.take());
        if let Some(Json::Object(tools)) = usage.get("server_tool_use") {
            for (name, count) in tools {
                let count = count.count().unwrap_or(0);
                match self.tools.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => *known = count.max(*known),
                    None => self.tools.push((name.to_string(), count)),
                }
            }
        }
    }

    fn advisors(&mut self, iterations: &[Json<'_>]) {
        for iteration in iterations {
            let kind = iteration.text("type").unwrap_or("message");
            if !matches!(kind, "message" | "compaction") {
                let name = iteration.text("model").unwrap_or(kind).to_owned();
                if !self.advisors.contains(&name) {
                    self.advisors.push(name);
                }
            }
        }
    }

    /// Notes a block of the vendor's own: code that it runs is paid by time.
    pub(crate) fn own_block(&mut self, block: &Json<'_>) {
        let name = block.text("name").unwrap_or_default();
        self.ran_code |=
            block.text("type") == Some("server_tool_use") && name.contains("code_execution");
    }

    /// In unified counts: the vendor leaves tokens read from and written to the cache out of the
    /// input. No prompt has no tokens, and nothing that was `said` either: then nobody counted.
    pub(crate) fn unified(&self, said: bool) -> Usage {
        let Tokens {
            input,
            cached,
            written,
            output,
            thinking,
        } = self.tokens;
        if outcome::sum(&[input, cached, written, output]).unwrap_or(0) == 0 {
            return Usage::UNKNOWN;
        }
        Usage {
            prompt_tokens: input
                .and_then(|input| outcome::sum(&[Some(input), cached, written]))
                .filter(|prompt| *prompt > 0),
            completion_tokens: output.filter(|output| *output > 0 || !said),
            cached_tokens: cached,
            cache_write_tokens: written,
            reasoning_tokens: thinking,
            ..Usage::UNKNOWN
        }
    }

    /// The same with what the counts do not say of the price.
    pub(crate) fn billed(&self, said: bool) -> Usage {
        let mut usage = Usage {
            tier: self.tier.clone().or_else(|| self.speed.clone()),
            ..self.unified(said)
        };
        if let (Some(_), Some(speed)) = (&self.tier, &self.speed) {
            usage.unpriced(format!("speed {speed}"));
        }
        if let Some(place) = &self.place {
            usage.unpriced(format!("inference in {place}"));
        }
        usage.count("cache-write-1h-tokens", self.hour_writes);
        for (tool, count) in &self.tools {
            match tool.as_str() {
                "web_search_requests" => usage.count("web-searches", *count),
                "web_fetch_requests" => usage.count("web-fetches", *count),
                other => usage.count(&count_name(other), *count),
            }
        }
        if self.ran_code {
            usage.unpriced("code execution");
        }
        for name in &self.advisors {
            usage.unpriced(format!("tokens of {name}"));
        }
        usage
    }
}

fn hour_writes(usage: &Json<'_>) -> u64 {
    let count = usage.at(&["cache_creation", "ephemeral_1h_input_tokens"]);
    count.and_then(Json::count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Counts;
    use multillm_plugin_sdk::Usage;
    use multillm_plugin_sdk::json::Json;

    fn counted(usages: &[&str]) -> Counts {
        let mut counts = Counts::default();
        for usage in usages {
            let message = format!(r#"{{"usage":{usage}}}"#);
            counts.update(&Json::parse(&message).unwrap());
        }
        counts
    }

    fn billed(usage: &str) -> Usage {
        counted(&[usage, "{}"]).billed(true)
    }

    #[test]
    fn all_input_is_counted() {
        let usage = counted(&[r#"{"input_tokens":3,"cache_read_input_tokens":10,
            "cache_creation_input_tokens":100.0,"output_tokens":7,
            "output_tokens_details":{"thinking_tokens":5},"speed":"fast"}"#])
        .unified(true);
        assert_eq!(usage.prompt_tokens, Some(113));
        assert_eq!(usage.cached_tokens, Some(10));
        assert_eq!(usage.cache_write_tokens, Some(100));
        assert_eq!(usage.completion_tokens, Some(7));
        assert_eq!(usage.reasoning_tokens, Some(5));
        assert_eq!(usage.total_tokens, None);
    }

    #[test]
    fn unknown_stays_unknown() {
        for nothing in [
            "null",
            "\"many\"",
            "[]",
            r#"{"output_tokens":null}"#,
            r#"{"input_tokens":0,"output_tokens":0,"cache_read_input_tokens":0}"#,
        ] {
            assert!(counted(&[nothing]).unified(true).is_unknown(), "{nothing}");
        }
        let partial =
            counted(&[r#"{"cache_read_input_tokens":4,"output_tokens":-1}"#]).unified(true);
        assert_eq!(
            (partial.prompt_tokens, partial.cached_tokens),
            (None, Some(4))
        );
        assert_eq!(partial.completion_tokens, None);
    }

    #[test]
    fn no_tokens_beside_what_was_said_are_unknown() {
        let output_only = counted(&[r#"{"input_tokens":0,"output_tokens":20}"#]).unified(true);
        assert_eq!(
            (output_only.prompt_tokens, output_only.completion_tokens),
            (None, Some(20))
        );
        let silent = counted(&[r#"{"input_tokens":9,"output_tokens":0}"#]);
        assert_eq!(silent.unified(true).completion_tokens, None);
        assert_eq!(silent.unified(false).completion_tokens, Some(0));
    }

    #[test]
    fn later_counts_replace_what_they_name_and_zeros_do_not() {
        let usage = counted(&[
            r#"{"input_tokens":1128,"cache_read_input_tokens":2,"output_tokens":1}"#,
            r#"{"input_tokens":2411,"output_tokens":90}"#,
            r#"{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":91}"#,
        ])
        .unified(true);
        assert_eq!(usage.prompt_tokens, Some(2413));
        assert_eq!(usage.completion_tokens, Some(91));
    }

    #[test]
    fn a_beginning_does_not_count_the_answer() {
        let mut counts = Counts::default();
        let begins = r#"{"usage":{"input_tokens":12,"output_tokens":1}}"#;
        counts.begin(&Json::parse(begins).unwrap());
        let usage = counts.unified(true);
        assert_eq!(
            (usage.prompt_tokens, usage.completion_tokens),
            (Some(12), None)
        );
    }

    #[test]
    fn iterations_are_summed() {
        let usage = r#"{"input_tokens":45,"output_tokens":12,"iterations":[
            {"type":"compaction","input_tokens":180000,"output_tokens":3500},
            {"type":"message","input_tokens":45,"output_tokens":12,"cache_read_input_tokens":7}]}"#;
        let counts = counted(&[usage]);
        let sum = counts.unified(true);
        assert_eq!(
            (sum.prompt_tokens, sum.completion_tokens, sum.cached_tokens),
            (Some(180_052), Some(3512), Some(7))
        );
        assert!(counts.billed(true).is_plain());

        let advised = r#"{"input_tokens":10,"output_tokens":5,"iterations":[
            {"type":"message","input_tokens":10,"output_tokens":5},
            {"type":"advisor_message","model":"claude-opus-4-7","input_tokens":90,"output_tokens":40}]}"#;
        assert_eq!(
            counted(&[advised]).unified(true).completion_tokens,
            Some(45)
        );
        assert_eq!(billed(advised).unpriced, ["tokens of claude-opus-4-7"]);
    }

    #[test]
    fn the_usual_service_has_the_usual_price() {
        for usage in [
            r#"{"service_tier":"standard","inference_geo":"global","speed":"standard"}"#,
            r#"{"service_tier":null,"inference_geo":"not_available"}"#,
            r#"{"cache_creation":{"ephemeral_5m_input_tokens":9,"ephemeral_1h_input_tokens":0},
                "server_tool_use":{"web_search_requests":0}}"#,
        ] {
            assert!(billed(usage).is_plain(), "{usage}");
        }
    }

    #[test]
    fn whatever_has_a_price_of_its_own_is_named() {
        for (usage, tier, unpriced) in [
            (r#"{"service_tier":"priority"}"#, Some("priority"), &[][..]),
            (r#"{"service_tier":"batch"}"#, Some("batch"), &[]),
            (r#"{"speed":"fast"}"#, Some("fast"), &[]),
            (
                r#"{"service_tier":"priority","speed":"fast","inference_geo":"us"}"#,
                Some("priority"),
                &["speed fast", "inference in us"],
            ),
        ] {
            let billed = billed(usage);
            assert_eq!(billed.tier.as_deref(), tier, "{usage}");
            assert_eq!(billed.unpriced, unpriced, "{usage}");
        }
        for (usage, name, count) in [
            (
                r#"{"cache_creation":{"ephemeral_1h_input_tokens":2048}}"#,
                "cache-write-1h-tokens",
                2048,
            ),
            (
                r#"{"server_tool_use":{"web_search_requests":3,"web_fetch_requests":1}}"#,
                "web-searches",
                3,
            ),
            (
                r#"{"server_tool_use":{"web_fetch_requests":1}}"#,
                "web-fetches",
                1,
            ),
            (
                r#"{"server_tool_use":{"code_execution_requests":2}}"#,
                "code-execution-requests",
                2,
            ),
        ] {
            assert_eq!(billed(usage).counted(name), Some(count), "{usage}");
        }
        let mut counts = Counts::default();
        for block in [
            r#"{"type":"server_tool_use","name":"web_search"}"#,
            r#"{"type":"server_tool_use","name":"bash_code_execution"}"#,
        ] {
            counts.own_block(&Json::parse(block).unwrap());
        }
        assert_eq!(counts.billed(true).unpriced, ["code execution"]);
    }
}
