import assert from "node:assert/strict";
import OpenAI from "openai";
import * as kit from "./kit.mjs";

const client = new OpenAI({ baseURL: `${kit.GATEWAY}/v1`, apiKey: kit.KEY, maxRetries: 0 });
const tools = [{ type: "function", function: { name: "get_weather", description: "The weather", parameters: kit.SCHEMA } }];
const ask = (model, content, more = {}) => client.chat.completions.create({ model, messages: [{ role: "user", content }], ...more });

await kit.run("openai (Node)", "openai", {
  async question(model) {
    const answer = await ask(model, kit.QUESTION);
    kit.said(answer.choices[0].message.content);
    assert.ok(answer.usage.total_tokens > 0);
  },
  async tool(model) {
    const answer = await ask(model, kit.CALL, { tools });
    const message = answer.choices[0].message;
    const [call] = message.tool_calls;
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "Paris" });
    const messages = [
      { role: "user", content: kit.CALL },
      message,
      { role: "tool", tool_call_id: call.id, content: kit.WEATHER },
    ];
    kit.told((await client.chat.completions.create({ model, messages, tools })).choices[0].message.content);
  },
  async stream(model) {
    let text = "";
    let usage;
    for await (const chunk of await ask(model, kit.WORDS, { stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.delta?.content ?? "";
      usage = chunk.usage ?? usage;
    }
    kit.counted(text);
    assert.ok(usage.completion_tokens > 0);
  },
  async responses(model) {
    let text = "";
    let completed = false;
    for await (const event of await client.responses.create({ model, input: kit.WORDS, stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
      completed ||= event.type === "response.completed";
    }
    kit.counted(text);
    assert.ok(completed);
  },
  async error(model) {
    await kit.fails(() => ask(model, kit.LIMITED), 429);
    await kit.fails(async () => {
      for await (const _ of await ask(model, "write 200 words [[fault:drop k=2]]", { stream: true }));
    });
  },
  async unknown() {
    await kit.fails(() => ask(kit.NOBODY, kit.QUESTION), 404);
  },
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    kit.listed(names);
  },
});
