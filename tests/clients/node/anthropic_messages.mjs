import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import * as kit from "./kit.mjs";

const client = new Anthropic({ baseURL: kit.GATEWAY, apiKey: kit.KEY, maxRetries: 0 });
const tools = [{ name: "get_weather", description: "The weather", input_schema: kit.SCHEMA }];
const user = (content) => ({ role: "user", content });
const textOf = (answer) => answer.content.map((block) => block.text ?? "").join("");
const ask = (model, messages, more = {}) => client.messages.create({ model, max_tokens: 500, messages, ...more });

await kit.run("anthropic (Node)", "@anthropic-ai/sdk", {
  async question(model) {
    kit.said(textOf(await ask(model, [user(kit.QUESTION)])));
  },
  async tool(model) {
    const answer = await ask(model, [user(kit.CALL)], { tools });
    const call = answer.content.find((block) => block.type === "tool_use");
    assert.deepEqual(call.input, { city: "Paris" });
    const messages = [
      user(kit.CALL),
      { role: "assistant", content: answer.content },
      user([{ type: "tool_result", tool_use_id: call.id, content: kit.WEATHER }]),
    ];
    kit.told(textOf(await ask(model, messages, { tools })));
  },
  async stream(model) {
    const stream = client.messages.stream({ model, max_tokens: 500, messages: [user(kit.WORDS)] });
    const final = await stream.finalMessage();
    kit.counted(textOf(final));
    assert.ok(final.usage.output_tokens > 0);
  },
  async error(model) {
    await kit.fails(() => ask(model, [user("Hello [[fault:429]]")]), 429);
    await kit.fails(() => {
      const messages = [user("write 200 words [[fault:drop k=3]]")];
      return client.messages.stream({ model, max_tokens: 900, messages }).finalMessage();
    });
  },
  async unknown() {
    await kit.fails(() => ask(kit.NOBODY, [user(kit.QUESTION)]), 404);
  },
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    kit.listed(names);
  },
});
