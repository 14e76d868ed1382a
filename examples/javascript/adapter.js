// The adapter of Parley, a vendor that does not exist, in JavaScript.
//
// Put your vendor's facts in the place of Parley's: `metadata` says what the plugin is, `chat` builds requests and reads
// answers; `wire.js` holds what it needs of Parley's JSON.
//
// A plugin performs nothing. It has no network, no clock and no files, and no key ever reaches it: it says into which
// header the host shall put one. So every function here is a pure one, and `node --test` tries them all.
//
// What is peculiar to JavaScript:
//
// - Names are written in camel case, enums as their words, variants as `{ tag, val }`.
// - What is absent is `null`. `undefined` is refused, and so is a record that lacks a member.
// - Counts (u64) are numbers in components of componentize-qjs, exact up to 2^53, and BigInts in those of jco.
// - What is thrown must be the contract's error; anything else ends the exchange without a word. `telling` sees to it.
// - `JSON.parse` keeps no digit of `1.50` or beyond 2^53, and an object's own keys that look like numbers come first:
//   what belongs to somebody else goes through as text (`members`, `merged`).
// - What is deep (`[[[[…`) ends the engine's stack, which is a trap and no exception: `json` looks first.
// - Everything at the top of a module runs once, when the component is made.

import {
  error,
  finish,
  isObject,
  json,
  kindOf,
  merged,
  ofProblem,
  parsed,
  refined,
  telling,
  textOf,
  told,
  unsupported,
  usage,
  written,
} from "./wire.js";

const can = (support, names) => names.map((name) => ({ name, support }));

export const metadata = {
  /** What the plugin says of itself. */
  describe: () => ({
    name: "parley",
    title: "Parley",
    version: "0.1.0",
    documentation: "https://parley.example/docs/talk",
    // Where requests go unless the configuration says otherwise. The path of a request is appended to it.
    defaultBaseUrl: "https://api.parley.example",
    baseUrlEnv: ["PARLEY_BASE_URL"],
    // The host reads it from the first of these variables that is set, or from where the configuration says.
    secrets: [{ name: "api_key", env: ["PARLEY_API_KEY"], required: true }],
    settings: [
      {
        name: "voice",
        description: "The voice that answers, `calm` or `brisk`. Default: the vendor's.",
        schema: '{"enum":["calm","brisk"]}',
      },
    ],
    // The truth, please: what is not named here, or `no`, must be an `unsupported` error in `encode`.
    capabilities: [
      ...can("yes", ["streaming", "system", "stop"]),
      ...can("no", ["tools", "image-file", "json", "reasoning"]),
    ],
    // What this wire is called: a word that no other vendor's has.
    wires: ["parley"],
    passes: [],
  }),
};

/** Reads one stream: lines of JSON, the last of which has `ended`. */
class Decoder {
  constructor(_target) {
    // What a line needs to know of those before it is kept here, and nowhere else.
    this.over = false;
  }

  push(frames) {
    const events = [];
    try {
      for (const frame of frames) {
        if (!this.over) this.read(frame, events);
      }
    } catch (defect) {
      this.over = true;
      events.push({ tag: "failed", val: told(defect) });
    }
    return events;
  }

  read(frame, events) {
    // The host has cut the lines already: a frame is a whole one, however the bytes came.
    const line = parsed(frame.data, "a line");
    if (line.problem != null) throw ofProblem(line.problem);
    const id = textOf(line, "id");
    const model = textOf(line, "model");
    if (id !== null || model !== null) events.push({ tag: "started", val: { id, model } });
    const say = textOf(line, "say");
    if (say) events.push({ tag: "text", val: say });
    if (line.tokens != null) events.push({ tag: "usage", val: usage(line.tokens) });
    const ended = textOf(line, "ended");
    if (ended !== null) {
      events.push({ tag: "finished", val: finish(ended) });
      // Parley's end marker. `done` is said exactly when the vendor said so.
      events.push({ tag: "done" });
      this.over = true;
    }
  }

  finish() {
    if (this.over) return [];
    // A cut answer is an error, although all of its text was fine so far.
    const words = "the stream ended before the vendor's end marker";
    return [{ tag: "failed", val: error("truncated", words, true) }];
  }
}

export const chat = {
  encode: telling((target, request, mode) => {
    refuse(request);
    const settings = JSON.parse(target.settings);
    const sampling = request.sampling;
    const body = new Map([
      ["model", JSON.stringify(target.model)],
      ["turns", `[${turns(request.messages).map(written).join(",")}]`],
      ["live", JSON.stringify(mode === "stream")],
    ]);
    // What the caller did not ask for is left out, so that the vendor's default counts.
    const wishes = {
      voice: settings.voice,
      limit: sampling.maxTokens,
      warmth: sampling.temperature,
      breadth: sampling.topP,
      until: sampling.stop.length > 0 ? sampling.stop : null,
    };
    for (const [name, wish] of Object.entries(wishes)) {
      if (wish != null) body.set(name, JSON.stringify(wish));
    }
    return {
      method: "post",
      // Segments, not a path: a `/` in one of them stays inside it.
      path: ["v1", "talk"],
      query: [],
      // The host puts the key here, after everything else is settled.
      headers: [{ name: "x-parley-key", value: { tag: "secret", val: { name: "api_key", prefix: "", optional: false } } }],
      body: [{ tag: "text", val: written(merged(body, request.extra)) }],
      // How the host cuts the answer: lines of JSON here, `sse` for server-sent events.
      framing: mode === "stream" ? "ndjson" : "whole",
      warnings: [],
    };
  }),

  decode: telling((_target, response) => {
    const answer = parsed(response.body, "the answer");
    if (answer.problem != null) throw ofProblem(answer.problem);
    const text = textOf(answer, "say");
    // JSON of some other kind would read as an answer without anything in it.
    if (text === null) throw error("malformed-response", "the answer says nothing");
    return {
      id: textOf(answer, "id"),
      model: textOf(answer, "model"),
      content: [{ tag: "text", val: { text, citations: [], signature: null, cache: null, extra: null } }],
      finish: finish(textOf(answer, "ended")),
      usage: usage(answer.tokens),
      extra: null,
    };
  }),

  /** It must find an answer whatever the body is: proxies answer with HTML, and with nothing at all. */
  decodeError: (_target, response) => {
    let problem = {};
    try {
      const found = json(response.body).problem;
      if (isObject(found)) problem = found;
    } catch {
      // It is none of Parley's.
    }
    const [kind, usual] = kindOf(response.status);
    const should = response.headers.find(([name]) => name === "x-should-retry")?.[1];
    const retryable = should === "true" || (should !== "false" && usual);
    const own = typeof problem.text === "string" ? problem.text.trim() : "";
    const body = response.body.split(/\s+/).filter(Boolean).join(" ").slice(0, 2000);
    const failure = error(kind, own || body || `HTTP status ${response.status} without a body`, retryable);
    failure.status = response.status;
    return refined(failure, problem);
  },

  Decoder,
};

/** Nothing that the caller asked for is dropped in silence: what Parley cannot do is refused by name. */
function refuse(request) {
  const sampling = request.sampling;
  const asked = [
    [request.tools.length > 0, "tools"],
    [request.serverTools.length > 0, "tools that it runs itself"],
    [request.responseFormat.tag !== "text", "JSON output"],
    [request.reasoningEffort != null, "reasoning effort"],
    [request.outputs.some((output) => output !== "text"), "answers other than text"],
    [sampling.topK != null, "top_k"],
    [sampling.seed != null, "a seed"],
    [sampling.frequencyPenalty != null || sampling.presencePenalty != null, "penalties"],
  ];
  const found = asked.find(([isAsked]) => isAsked);
  if (found) throw unsupported(found[1]);
}

const SPEAKERS = { system: "host", user: "guest", assistant: "parley" };

/** The conversation. Parley wants the speakers to alternate: what one says in several messages becomes one turn. */
function turns(messages) {
  const found = [];
  for (const { role, content, extra } of messages) {
    const by = SPEAKERS[role];
    if (by === undefined) throw unsupported("tools");
    let say = "";
    const tails = [];
    for (const { tag, val } of content) {
      if (tag === "text") {
        say += val.text;
        tails.push(val.extra);
      } else if (tag === "media") {
        throw unsupported("pictures and files");
      } else if (tag !== "reasoning" && tag !== "opaque") {
        // Only what this plugin returned comes back as those two, and it never returns any.
        throw unsupported("tools");
      }
    }
    // Parley has a turn and nothing smaller, so open tails are merged into that.
    tails.push(extra);
    const last = found.at(-1);
    if (last?.by === by) {
      last.says.push(say);
      last.tails.push(...tails);
    } else {
      found.push({ by, says: [say], tails });
    }
  }
  return found.map(({ by, says, tails }) => {
    const turn = new Map([
      ["by", JSON.stringify(by)],
      ["say", JSON.stringify(says.join("\n"))],
    ]);
    return tails.filter((tail) => tail != null).reduce(merged, turn);
  });
}
