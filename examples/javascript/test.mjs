// Everything is tried natively: no WebAssembly, no network, no key. Run with `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chat, metadata } from "./adapter.js";
import { merged, written } from "./wire.js";

const target = { model: "parley-2", settings: "{}", wire: "parley" };

function says(role, text, extra = null) {
  return { role, content: [{ tag: "text", val: { text, citations: [], signature: null, cache: null, extra: null } }], extra };
}

function ask(messages, sampling = {}, more = {}) {
  return {
    messages,
    tools: [],
    serverTools: [],
    toolChoice: { tag: "auto" },
    parallelToolCalls: null,
    responseFormat: { tag: "text" },
    outputs: [],
    sampling: {
      maxTokens: null,
      temperature: null,
      topP: null,
      topK: null,
      stop: [],
      seed: null,
      frequencyPenalty: null,
      presencePenalty: null,
      ...sampling,
    },
    reasoningEffort: null,
    user: null,
    dropUnsupported: false,
    extra: null,
    ...more,
  };
}

const response = (body, status = 200) => ({ status, headers: [], body });

function lines(...data) {
  const decoder = new chat.Decoder(target);
  const events = data.flatMap((line) => decoder.push([{ event: null, data: line }]));
  return [...events, ...decoder.finish()];
}

/** What a function throws. */
function thrown(inner) {
  try {
    inner();
  } catch (failure) {
    return failure;
  }
  return assert.fail("nothing was thrown");
}

test("it describes itself always in the same way", () => {
  assert.deepEqual(metadata.describe(), metadata.describe());
});

test("a question is written as Parley wants it", () => {
  const question = ask(
    [says("system", "Be kind."), says("user", "Good evening."), says("user", "How are you?", '{"aside": 1.50}')],
    { maxTokens: 50, stop: ["END"] },
    { extra: '{"mood":"calm"}' },
  );
  const request = chat.encode({ ...target, settings: '{"voice":"brisk"}' }, question, "stream");
  const text = request.body[0].val;
  assert.deepEqual(JSON.parse(text), {
    model: "parley-2",
    live: true,
    voice: "brisk",
    limit: 50,
    until: ["END"],
    mood: "calm",
    turns: [
      { by: "host", say: "Be kind." },
      { by: "guest", say: "Good evening.\nHow are you?", aside: 1.5 },
    ],
  });
  assert.ok(text.includes('"aside":1.50'), "the caller's digits");
  assert.deepEqual(request.path, ["v1", "talk"]);
  assert.equal(request.framing, "ndjson");
});

test("open tails are merged key by key, in their order", () => {
  const made = new Map([["a", '{"x":1,"y":2}'], ["b", "3"]]);
  const tail = ' { "a" : {"y":{}, "7":"\\"}", "z":9007199254740993} , "b":{"c":[0, "]"]}, "1": null } ';
  assert.equal(
    written(merged(made, tail)),
    '{"a":{"x":1,"y":{},"7":"\\"}","z":9007199254740993},"b":{"c":[0, "]"]},"1":null}',
  );
  assert.equal(thrown(() => merged(new Map(), "[]")).kind, "invalid-request");
});

test("what Parley cannot do is refused by name", () => {
  const hello = [says("user", "Hello")];
  for (const [request, named] of [
    [ask(hello, {}, { tools: [{}] }), "tools"],
    [ask(hello, { seed: 1 }), "seed"],
    [ask(hello, { topK: 3 }), "top_k"],
    [ask(hello, { presencePenalty: 0 }), "penalties"],
  ]) {
    const failure = thrown(() => chat.encode(target, request, "whole"));
    assert.equal(failure.kind, "unsupported");
    assert.ok(failure.message.includes(named), failure.message);
  }
});

test("a defect is told with its place", () => {
  const failure = thrown(() => chat.encode({ ...target, settings: "no JSON" }, ask([]), "whole"));
  assert.equal(failure.kind, "other");
  assert.match(failure.message, /adapter\.js:\d+: SyntaxError/);
});

test("a streamed answer is the whole one in pieces", () => {
  const body = '{"id":"t-1","say":"Good evening.","ended":"done","tokens":{"heard":7,"said":3}}';
  const whole = chat.decode(target, response(body));
  const events = lines(
    '{"id":"t-1"}',
    '{"say":"Good "}',
    '{"say":"evening.","note":"new fields are ignored"}',
    '{"ended":"done","tokens":{"heard":7,"said":3}}',
  );
  const said = events.filter(({ tag }) => tag === "text").map(({ val }) => val).join("");
  assert.equal(whole.content[0].val.text, said);
  assert.deepEqual(events.find(({ tag }) => tag === "usage").val, whole.usage);
  assert.deepEqual(events.find(({ tag }) => tag === "finished").val, whole.finish);
  assert.equal(events.at(-1).tag, "done");
});

test("an answer that leaves things out is still one", () => {
  const answer = chat.decode(target, response('{"say":"Hm.","tokens":null}'));
  assert.equal(answer.finish.reason, "other");
  assert.equal(answer.usage.promptTokens, null);
  for (const nothing of ["", "<html>", "[]", "{}", '{"say":1}', "null", "[".repeat(20_000)]) {
    assert.equal(thrown(() => chat.decode(target, response(nothing))).kind, "malformed-response", nothing);
  }
});

test("a cut stream and a broken one are errors", () => {
  assert.equal(lines('{"say":"Good "}').at(-1).val.kind, "truncated");
  const broken = lines('{"say":"Good "}', '{"problem":{"code":"crowded","text":"Too many guests."}}', '{"say":"!"}');
  assert.deepEqual(broken[0], { tag: "text", val: "Good " });
  assert.equal(broken[1].val.kind, "overloaded");
  assert.equal(broken.length, 2, "nothing follows a failure");
});

test("failures are classified whatever the body is", () => {
  const failure = (status, body) => chat.decodeError(target, response(body, status));
  const slow = failure(429, '{"problem":{"code":"slow_down","text":"Breathe.","wait_seconds":2.5}}');
  assert.equal(slow.kind, "rate-limited");
  assert.equal(slow.retryAfterMs, 2500);
  assert.equal(slow.message, "Breathe.");
  const broke = failure(429, '{"problem":{"code":"out_of_credit"}}');
  assert.deepEqual([broke.kind, broke.retryable], ["quota-exhausted", false]);
  for (const body of ["<html>bad gateway</html>", "", "[]", '{"problem":7}', "null"]) {
    assert.equal(failure(502, body).kind, "server", body);
  }
});
