import assert from "node:assert/strict";
import { Ollama } from "ollama";
import * as kit from "./kit.mjs";

const client = new Ollama({ host: kit.GATEWAY, headers: { authorization: `Bearer ${kit.KEY}` } });
const user = (content) => [{ role: "user", content }];
const tools = [{ type: "function", function: { name: "get_weather", description: "The weather", parameters: kit.SCHEMA } }];

await kit.run("ollama (Node)", "ollama", {
  async question(model) {
    kit.said((await client.chat({ model, messages: user(kit.QUESTION) })).message.content);
  },
  async tool(model) {
    const messages = user(kit.CALL);
    const answer = await client.chat({ model, messages, tools });
    assert.deepEqual(answer.message.tool_calls[0].function.arguments, { city: "Paris" });
    messages.push(answer.message, { role: "tool", tool_name: "get_weather", content: kit.WEATHER });
    kit.told((await client.chat({ model, messages, tools })).message.content);
  },
  async stream(model) {
    let text = "";
    for await (const piece of await client.chat({ model, messages: user(kit.WORDS), stream: true })) text += piece.message.content;
    kit.counted(text);
  },
  async error() {
    await kit.fails(() => client.chat({ model: kit.NOBODY, messages: user("x") }), 404);
  },
  async models() {
    kit.listed((await client.list()).models.map((model) => model.name.replace(/:latest$/, "")));
  },
});
