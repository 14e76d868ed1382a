import assert from "node:assert/strict";
import { ChatAnthropic } from "@langchain/anthropic";
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";
import * as kit from "./kit.mjs";

const weather = tool(() => kit.WEATHER, {
  name: "get_weather",
  description: "The weather of a city",
  schema: z.object({ city: z.string() }),
});
const makers = {
  openai: (model) => new ChatOpenAI({ model, apiKey: kit.KEY, maxRetries: 0, configuration: { baseURL: `${kit.GATEWAY}/v1` } }),
  anthropic: (model) =>
    new ChatAnthropic({ model, apiKey: kit.KEY, maxRetries: 0, maxTokens: 500, anthropicApiUrl: kit.GATEWAY }),
};
const face = process.argv[2];
const chat = makers[face];

await kit.run(`@langchain/${face}`, `@langchain/${face}`, {
  async question(model) {
    const answer = await chat(model).invoke(kit.QUESTION);
    kit.said(answer.text);
    assert.ok(answer.usage_metadata.total_tokens > 0);
  },
  async tool(model) {
    const asking = chat(model).bindTools([weather]);
    const messages = [new HumanMessage(kit.CALL)];
    const answer = await asking.invoke(messages);
    const [call] = answer.tool_calls;
    assert.deepEqual(call.args, { city: "Paris" });
    messages.push(answer, new ToolMessage({ content: kit.WEATHER, tool_call_id: call.id }));
    kit.told((await asking.invoke(messages)).text);
  },
  async stream(model) {
    let whole;
    for await (const chunk of await chat(model).stream(kit.WORDS)) whole = whole ? whole.concat(chunk) : chunk;
    kit.counted(whole.text);
    assert.ok(whole.usage_metadata.output_tokens > 0);
  },
  async error(model) {
    await kit.fails(() => chat(model).invoke("Hello [[fault:429]]"), 429);
  },
});
