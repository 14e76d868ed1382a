// Parley's JSON and words, in both directions.
//
// In answers everything is optional, whatever the vendor's documentation promises: a field that is missing one day
// must not lose the answer. Fields that are not named here are ignored.

/** A failure, as the contract has it. `null` is what is absent: `undefined` is refused. */
export function error(kind, message, retryable = false) {
  return { kind, message, status: null, vendorCode: null, retryAfterMs: null, retryable };
}

export function unsupported(what) {
  return error("unsupported", `parley does not know ${what}`);
}

/** An error of the contract's is thrown as it is; of a defect one is made, with its place. */
export function told(defect) {
  if (defect !== null && typeof defect === "object" && "kind" in defect) return defect;
  const place = /([\w.-]+\.js:\d+)/.exec(defect?.stack ?? "")?.[1] ?? "an unknown place";
  return error("other", `${place}: ${defect}`);
}

/** The same function, whose defects are told instead of ending the exchange without a word. */
export function telling(inner) {
  return (...given) => {
    try {
      return inner(...given);
    } catch (defect) {
      throw told(defect);
    }
  };
}

/** Deeper things are nobody's answer, and the engine's own stack ends before the text does: a trap, and no exception. */
const DEEPEST = 200;

function isTooDeep(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at];
    if (c === '"') {
      for (at += 1; at < text.length && text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
    } else if (c === "{" || c === "[") {
      depth += 1;
      if (depth > DEEPEST) return true;
    } else if (c === "}" || c === "]") {
      depth -= 1;
    }
  }
  return false;
}

/** `JSON.parse` that throws for what is too deep as well. */
export function json(text) {
  if (isTooDeep(text)) throw new SyntaxError("it is too deep");
  return JSON.parse(text);
}

export function parsed(text, what) {
  let value;
  try {
    value = json(text);
  } catch (fault) {
    throw error("malformed-response", `${what} cannot be read: ${fault.message}`);
  }
  if (!isObject(value)) throw error("malformed-response", `${what} is no object`);
  return value;
}

export function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** A member that is a text; absent and null are the same. */
export function textOf(object, name) {
  const value = own(object, name) ?? null;
  if (value !== null && typeof value !== "string") throw error("malformed-response", `"${name}" is no text`);
  return value;
}

/** A member of the object's own: `{}` has a `constructor` that nobody sent. */
function own(object, name) {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** What the vendor does not say stays unknown. It is not zero. */
export function usage(tokens) {
  const count = (name) => {
    const value = isObject(tokens) ? own(tokens, name) : null;
    return Number.isSafeInteger(value) && value >= 0 ? value : null;
  };
  return {
    promptTokens: count("heard"),
    completionTokens: count("said"),
    totalTokens: null,
    cachedTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
    details: [],
    cost: null,
    tier: null,
    unpriced: [],
  };
}

const ENDS = new Map([
  ["done", "stop"],
  ["until", "stop"],
  ["limit", "length"],
  ["withheld", "content-filter"],
]);

/** Parley's word for why it stopped. A new word is `other`, never an error. */
export function finish(ended) {
  return { reason: ENDS.get((ended ?? "").toLowerCase()) ?? "other", raw: ended };
}

const STATUSES = new Map([
  [401, ["authentication", false]],
  [402, ["billing", false]],
  [403, ["permission", false]],
  [404, ["not-found", false]],
  [408, ["timeout", true]],
  [409, ["invalid-request", true]],
  [413, ["payload-too-large", false]],
  [429, ["rate-limited", true]],
  [503, ["overloaded", true]],
  [504, ["timeout", true]],
  [529, ["overloaded", true]],
]);

/** What a status means everywhere, and whether the same request may succeed later. */
export function kindOf(status) {
  return STATUSES.get(status) ?? (status < 500 ? ["invalid-request", false] : ["server", true]);
}

const CODES = new Map([
  ["too_long", ["context-length", false]],
  ["out_of_credit", ["quota-exhausted", false]],
  ["slow_down", ["rate-limited", true]],
  ["crowded", ["overloaded", true]],
]);

/** What the vendor's own code says beyond the status. */
export function refined(failure, problem) {
  const { code, wait_seconds: wait } = problem;
  if (typeof code === "string") {
    [failure.kind, failure.retryable] = CODES.get(code) ?? [failure.kind, failure.retryable];
    failure.vendorCode = code;
  }
  // Hints in headers (`retry-after`) are the host's to read; only the body's belong here.
  if (typeof wait === "number" && wait > 0 && wait < 1e9) failure.retryAfterMs = Math.round(wait * 1000);
  return failure;
}

/** The error inside an answer that began as a success: it has no status. */
export function ofProblem(problem) {
  const known = isObject(problem) ? problem : {};
  const words = typeof known.text === "string" ? known.text : "the vendor failed";
  return refined(error("server", words, true), known);
}

/** The members of a JSON object, each as it was written: with its order of keys and its digits. */
export function members(text) {
  const found = new Map();
  let at = blank(text, 0) + 1;
  for (;;) {
    at = blank(text, at);
    if (text[at] === "}") return found;
    const name = end(text, at);
    const key = JSON.parse(text.slice(at, name));
    at = blank(text, blank(text, name) + 1);
    const last = end(text, at);
    found.set(key, text.slice(at, last));
    at = blank(text, last);
    if (text[at] === ",") at += 1;
  }
}

function blank(text, at) {
  while (" \t\r\n".includes(text[at] || "?")) at += 1;
  return at;
}

/** Where a value ends that begins here; the text is known to be JSON. */
function end(text, at) {
  let depth = 0;
  do {
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
      at += 1;
    } else if ("{[".includes(text[at])) {
      depth += 1;
      at += 1;
    } else if ("}]".includes(text[at])) {
      depth -= 1;
      at += 1;
    } else if (depth > 0 && ",: \t\r\n".includes(text[at])) {
      at += 1;
    } else {
      while (at < text.length && !",:]} \t\r\n".includes(text[at])) at += 1;
    }
  } while (depth > 0);
  return at;
}

/** An open tail, merged last: objects key by key, anything else replaces. */
export function merged(made, tail) {
  if (tail === null) return made;
  let value;
  try {
    value = json(tail);
  } catch (fault) {
    throw error("invalid-request", `extra cannot be read: ${fault.message}`);
  }
  if (!isObject(value)) throw error("invalid-request", "extra is no object");
  for (const [name, text] of members(tail)) {
    const known = made.get(name) ?? "";
    const both = known.startsWith("{") && text.startsWith("{");
    made.set(name, both ? written(merged(members(known), text)) : text);
  }
  return made;
}

export function written(object) {
  return `{${[...object].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
}
