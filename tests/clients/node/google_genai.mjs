import assert from "node:assert/strict";
import { GoogleGenAI } from "@google/genai";
import * as kit from "./kit.mjs";

const client = new GoogleGenAI({ apiKey: kit.KEY, httpOptions: { baseUrl: kit.GATEWAY } });

await kit.run("google-genai (Node)", "@google/genai", {
  async question(model) {
    const answer = await client.models.generateContent({ model, contents: kit.QUESTION });
    kit.said(answer.text);
    assert.ok(answer.usageMetadata.totalTokenCount > 0);
  },
  async tool(model) {
    const tools = [{ functionDeclarations: [{ name: "get_weather", description: "The weather", parametersJsonSchema: kit.SCHEMA }] }];
    const answer = await client.models.generateContent({ model, contents: kit.CALL, config: { tools } });
    const [call] = answer.functionCalls;
    assert.deepEqual(call.args, { city: "Paris" });
    const contents = [
      { role: "user", parts: [{ text: kit.CALL }] },
      answer.candidates[0].content,
      { role: "user", parts: [{ functionResponse: { name: call.name, id: call.id, response: { result: kit.WEATHER } } }] },
    ];
    kit.told((await client.models.generateContent({ model, contents, config: { tools } })).text);
  },
  async stream(model) {
    let text = "";
    for await (const chunk of await client.models.generateContentStream({ model, contents: kit.WORDS })) text += chunk.text ?? "";
    kit.counted(text);
  },
  async error() {
    await kit.fails(() => client.models.generateContent({ model: kit.NOBODY, contents: "x" }), 404);
  },
});
