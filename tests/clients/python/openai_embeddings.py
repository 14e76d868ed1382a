import openai

import kit

client = openai.OpenAI(base_url=kit.GATEWAY + "/v1", api_key=kit.KEY, max_retries=0)


def vectors():
    # The SDK asks for base64 by itself.
    made = client.embeddings.create(model="embeds", input=["one", "two"])
    plain = client.embeddings.create(model="embeds", input=["one", "two"], encoding_format="float")
    assert len(made.data) == 2 and len(made.data[0].embedding) > 0
    for one, other in zip(made.data, plain.data):
        assert all(abs(a - b) < 1e-6 for a, b in zip(one.embedding, other.embedding))


kit.run("openai embeddings (Python)", "openai", {"vectors": vectors})
