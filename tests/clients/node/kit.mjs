// What the scripts share: where the gateway is, what is asked, and a line of JSON for each check.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const GATEWAY = process.env.GATEWAY;
export const KEY = process.env.GATEWAY_KEY;
export const OWN = process.env.OWN;
export const OTHER = process.env.OTHER;

export const QUESTION = "Say hi";
export const CALL = "Please use get_weather city=Paris";
export const WEATHER = "21 degrees and sunny";
export const WORDS = "write 12 words";
export const LIMITED = "Hello [[fault:429-no-retry]]";
export const NOBODY = "nobody-knows-this-model";
export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
};

// The simulator repeats what it was told.
export const said = (text) => assert.ok(text.includes(`You said: ${QUESTION}`), text);
// After the result of a tool it quotes that.
export const told = (text) => assert.ok(text.includes(WEATHER), text);
export const counted = (text) => assert.equal(text.trim().split(/\s+/).length, 12, text);

export function listed(names) {
  assert.ok(names.includes(OWN) && names.includes(OTHER), names.join(", "));
}

// The call fails, with this status where it is known.
export async function fails(call, status) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    const known = error.status ?? error.statusCode ?? error.status_code ?? error.lastError?.statusCode;
    if (status !== undefined) assert.equal(known, status, String(error));
    return error;
  }
  assert.fail(`it did not fail: ${JSON.stringify(answer)}`);
}

function versionOf(name) {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file)).version;
}

export async function run(client, name, checks) {
  let failed = false;
  for (const [check, body] of Object.entries(checks)) {
    for (const model of body.length ? [OWN, OTHER] : [null]) {
      const line = { client, version: versionOf(name), check, model };
      try {
        await body(...(body.length ? [model] : []));
        line.ok = true;
      } catch (error) {
        failed = true;
        line.ok = false;
        line.why = `${error.name}: ${error.message} ${(error.stack ?? "").split("\n").find((at) => at.includes(".mjs")) ?? ""}`.slice(0, 600);
      }
      console.log(JSON.stringify(line));
    }
  }
  process.exit(failed ? 1 : 0);
}
