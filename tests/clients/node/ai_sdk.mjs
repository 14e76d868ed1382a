import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import * as kit from "./kit.mjs";

const at = { baseURL: `${kit.GATEWAY}/v1`, apiKey: kit.KEY };
const makers = {
  openai: () => createOpenAI(at),
  anthropic: () => createAnthropic(at),
  "openai-compatible": () => createOpenAICompatible({ name: "multillm", includeUsage: true, ...at }),
};
const face = process.argv[2];
const provider = makers[face]();
const tools = {
  get_weather: tool({
    description: "The weather of a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      assert.equal(city, "Paris");
      return kit.WEATHER;
    },
  }),
};
const steps = stepCountIs(3);
const asked = (model, prompt, more = {}) => ({ model: provider(model), prompt, maxRetries: 0, maxOutputTokens: 500, ...more });

await kit.run(`@ai-sdk/${face}`, `@ai-sdk/${face}`, {
  async question(model) {
    const answer = await generateText(asked(model, kit.QUESTION));
    kit.said(answer.text);
    assert.ok(answer.usage.outputTokens > 0);
  },
  async tool(model) {
    const answer = await generateText(asked(model, kit.CALL, { tools, stopWhen: steps }));
    kit.told(answer.text);
    assert.equal(answer.steps.length, 2);
  },
  async stream(model) {
    const answer = streamText(asked(model, kit.WORDS, { onError: () => {} }));
    kit.counted(await answer.text);
    assert.ok((await answer.usage).outputTokens > 0);
    assert.equal(await answer.finishReason, "stop");
  },
  async stream_tool(model) {
    const answer = streamText(asked(model, kit.CALL, { tools, stopWhen: steps, onError: () => {} }));
    kit.told(await answer.text);
  },
  async error(model) {
    await kit.fails(() => generateText(asked(model, "Hello [[fault:429]]")), 429);
    // What is cut ends with an error and no reason to end well.
    const parts = [];
    const answer = streamText(asked(model, "write 200 words [[fault:drop k=3]]", { onError: () => {} }));
    try {
      for await (const part of answer.fullStream ?? answer.stream) parts.push(part);
    } catch (error) {
      parts.push({ type: "error", error });
    }
    assert.ok(parts.some((part) => part.type === "error"), JSON.stringify(parts.slice(-3)));
  },
  async unknown() {
    await kit.fails(() => generateText(asked(kit.NOBODY, kit.QUESTION)), 404);
  },
});
