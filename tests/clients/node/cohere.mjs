import assert from "node:assert/strict";
import { CohereClientV2 } from "cohere-ai";
import * as kit from "./kit.mjs";

const client = new CohereClientV2({ token: kit.KEY, environment: kit.GATEWAY, baseUrl: kit.GATEWAY });
const user = (content) => [{ role: "user", content }];

await kit.run("cohere (Node)", "cohere-ai", {
  async question(model) {
    kit.said((await client.chat({ model, messages: user(kit.QUESTION) })).message.content[0].text);
  },
  async stream(model) {
    let text = "";
    for await (const event of await client.chatStream({ model, messages: user(kit.WORDS) })) {
      if (event.type === "content-delta") text += event.delta.message.content.text;
    }
    kit.counted(text);
  },
  async error() {
    const failed = await kit.fails(() => client.chat({ model: kit.NOBODY, messages: user("x") }));
    assert.equal(failed.statusCode, 404);
  },
});
