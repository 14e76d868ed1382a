//! The rules, each with its code, cause and fix. Codes are stable: reports and lists of expected failures name them.

/// A rule that components are checked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name; also its anchor in `docs/plugin-check.md`.
    pub code: &'static str,
    /// What must hold.
    pub holds: &'static str,
    /// Why it matters: what happens to a user where it does not hold.
    pub cause: &'static str,
    /// What to change.
    pub fix: &'static str,
}

macro_rules! rules {
    ($($code:literal: $holds:literal, $cause:literal, $fix:literal;)*) => {
        /// All rules, in the order in which they are tried.
        pub const RULES: &[Rule] = &[$(Rule { code: $code, holds: $holds, cause: $cause, fix: $fix }),*];
    };
}

rules! {
    "loads":
        "the component keeps the contract, imports nothing and compiles",
        "the host refuses it",
        "read the finding: it names the import, the version or the limit";
    "describe-name":
        "the name is short, in lower case and the file's",
        "users write the name into configurations; one that looks like another plugin's misleads them",
        "use a-z, 0-9 and -, and name the file after it";
    "describe-address":
        "the base URL is an absolute https address and its variables look like variables",
        "requests go nowhere, or keys travel in the open",
        "write the scheme, and variables as PARLEY_BASE_URL";
    "describe-secrets":
        "secrets are named once, with variables of their own",
        "a variable of another vendor would lead that vendor's key here, so the host does not give it",
        "name variables after the vendor, such as PARLEY_API_KEY";
    "describe-settings":
        "each setting has a name, a description and a JSON Schema that is one",
        "a wrong setting is told to the vendor instead of to the user",
        "write the schema of the value, such as {\"type\":\"string\"}";
    "describe-capabilities":
        "capabilities are known words, each once",
        "a misspelt word promises nothing to anybody",
        "use the words of docs/plugins.md; what is not named counts as no";
    "describe-wires":
        "at least one wire is named, in lower case",
        "open tails of callers and answers are kept by wire, and are lost without one",
        "give the wire a word of its own, or the known wire's name if it is spoken exactly";
    "encodes":
        "a plain question becomes a request",
        "nothing can be asked",
        "read the finding";
    "deterministic":
        "the same question gives the same request in every instance",
        "prompt caches of vendors and kept answers never hit",
        "use no order of a hash map and no counter";
    "stateless":
        "what was asked before leaves no trace in the next request",
        "one caller's words reach another caller",
        "keep nothing between calls";
    "json-body":
        "a POST has a body that is JSON, and a GET has none",
        "the vendor refuses it",
        "write the body with a JSON library, not by joining texts";
    "headers":
        "header names are in lower case and none of the host's",
        "the host refuses the request",
        "leave host, content-length, connection and the like to the host; content-type only where it is not JSON";
    "path-safe":
        "whatever the model is called, the path keeps its form",
        "a model's name leads to another endpoint",
        "put the name into one segment, not encoded: the host encodes it";
    "secret-placed":
        "each required secret is in a header, and no other secret is",
        "the vendor answers 401, or the request fails for want of a secret that was never declared",
        "place it with a secret reference in encode, whole and streamed";
    "stream-asked":
        "a streamed question differs from a whole one, and says how the answer is cut",
        "answers come whole where a stream was asked for, or cannot be read",
        "set the vendor's stream flag and the framing in stream mode alone";
    "model-sent":
        "the model's name is in the body or in the path, as it is written",
        "another model answers",
        "take target.model as it is";
    "text-kept":
        "instructions and turns are in the body as they were written, in their order",
        "the model does not see what the caller said",
        "send every part of every message, or refuse it as unsupported";
    "tools-kept":
        "names, descriptions, calls, arguments and results of tools are in the body",
        "the model calls tools wrongly or repeats itself",
        "send all of them, ids included, or refuse tools as unsupported";
    "schema-order":
        "schemas keep the order of their keys and the digits of their numbers",
        "models answer in the schema's order; another order is another question",
        "pass the JSON text through instead of a sorted map";
    "sampling-kept":
        "each value of sampling is sent or refused",
        "the caller believes in a temperature, a limit or a stop text that nobody was told",
        "send it, or refuse it as unsupported, by name";
    "effort-kept":
        "an effort of thinking changes the request or is refused",
        "the caller pays for thoughts that were not wanted, or waits for some that never come",
        "send it, or refuse it as unsupported";
    "format-kept":
        "JSON output changes the request or is refused, and a schema is sent",
        "the caller's parser fails",
        "send it, or refuse it as unsupported";
    "media-kept":
        "pictures are sent by their address or as a blob, or refused",
        "the model answers about a picture that it never saw",
        "send a blob reference where the bytes belong, or refuse media as unsupported";
    "extra-merged":
        "extra is merged into the body, last, with its order and digits",
        "what a caller needs of the vendor cannot be asked for",
        "merge request.extra last";
    "promise-kept":
        "what is promised is not refused, and what is not promised is",
        "the host shows users a capability that fails, or hides one that works",
        "correct the list of capabilities, or the encoder";
    "malformed-answer":
        "a body that is no answer is an error, without a trap",
        "a broken proxy's page is shown as an answer, or the exchange dies without a reason",
        "return malformed-response for what cannot be read";
    "unknown-not-zero":
        "counts that were not given are absent",
        "costs are shown as nothing and budgets never fill",
        "leave usage empty where the vendor says nothing";
    "cut-stream":
        "a stream without the vendor's end is an error",
        "half an answer is taken for a whole one",
        "report done only on the vendor's own end marker, and truncated in finish";
    "junk-frames":
        "frames that are no part of the wire neither trap nor end an answer",
        "one odd line of a proxy ends or spoils an answer",
        "ignore what is unknown, and fail for what is no JSON";
    "errors-classified":
        "failures have the kind of their status: 429 may be repeated, 401 is the key, 500 is the vendor's",
        "the host repeats what cannot succeed, or gives up what could",
        "look at the status first and at the vendor's code second";
    "error-words":
        "the vendor's own words are in the message",
        "nobody knows what was wrong",
        "take the message out of the body, or the body's beginning";
    "recorded-read":
        "a recorded answer is read as its author says",
        "users get something else than the vendor said",
        "read the finding";
    "recorded-batches":
        "the events of a stream do not depend on how frames are grouped",
        "answers differ with the network's mood",
        "keep all state in the decoder, none by call";
    "recorded-cuts":
        "a recorded stream that ends early is an error, wherever it ends",
        "half an answer is taken for a whole one",
        "report done only on the vendor's own end marker";
    "recorded-provenance":
        "texts, ids, names and counts come from the recording",
        "the answer holds what the vendor never said",
        "invent nothing; counts may be sums";
    "recorded-unknown":
        "members and events that are new change nothing",
        "the vendor's next release breaks the plugin",
        "ignore what is unknown";
    "recorded-missing":
        "members that are missing or null neither trap nor become values",
        "one field that the vendor leaves out breaks every answer",
        "make every member optional that the answer can do without";
    "filter-prepares":
        "a filter says of a question that it passes, or why not",
        "nothing can be asked through it",
        "read the finding; settings that it needs are given with --setting";
    "filter-deterministic":
        "the same question passes alike in every instance",
        "an attempt that is repeated asks something else, and kept answers never hit",
        "use no order of a hash map and no counter that outlives the exchange";
    "filter-malformed":
        "odd questions and answers neither trap nor change the end of an answer",
        "one odd line of a vendor ends an answer that was paid for",
        "pass on what is not understood";
    "filter-ends":
        "everything that is held back is said before the answer's end, and the end itself",
        "answers lose their last words, or never end",
        "say what is held back when done or failed comes, then the event itself";
    "filter-batches":
        "what is said of an answer does not depend on how its pieces are grouped or cut",
        "a streamed answer is another than a whole one",
        "keep all state in the answer's reader, and hold back what may become more";
}

/// The rule of a code.
pub(super) fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_words_and_each_stands_once() {
        for (place, rule) in RULES.iter().enumerate() {
            assert!(
                rule.code
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '-')
            );
            let twice = RULES
                .iter()
                .skip(place + 1)
                .any(|other| other.code == rule.code);
            assert!(!twice, "{} stands twice", rule.code);
        }
    }
}
