"""Writes the documentation's table of dialects, platforms and features from what the tests saw."""

from processes import ROOT

PAGE = ROOT / "Sources/SluiceServer/Documentation.docc/ProviderMatrix.md"

TITLES = {
    "chat": ("Chat completions", "`openai`, `chat.completions.create`; embeddings by `embeddings.create`"),
    "responses": ("Responses", "`openai`, `responses.create` and `responses.stream`"),
    "messages": ("Anthropic's Messages", "`anthropic`, `messages.create` and `messages.stream`"),
    "langchain": ("LangChain", "`langchain-openai`, `ChatOpenAI` with `bind_tools`; it neither shows reasoning nor sends it back"),
    "pydantic-ai, openai": ("pydantic-ai with OpenAI's chat completions", "`OpenAIChatModel`"),
    "pydantic-ai, responses": ("pydantic-ai with OpenAI's responses", "`OpenAIResponsesModel`"),
    "pydantic-ai, anthropic": ("pydantic-ai with Anthropic's Messages", "`AnthropicModel`"),
}

HEAD = """# Provider matrix

What comes of each feature, for each dialect that applications speak and each platform that has a dialect of its own.

## Overview

The tables are written from a run of the tests: official SDKs talk to Sluice, and behind it `sluice mock` is each platform, with its own
dialect, and checks signatures, tokens and the seals of thoughts. Each cell is a test that looks at everything that came: text, calls
with their ids and arguments, finish reasons, usage, classes of errors, whole and streamed.

- `yes`: it is there, and nothing of the request was changed.
- `adapted`: it is there, by other means, or without a detail. The reply's `x-sluice-adapted-fields` or `x-sluice-dropped-fields` says so;
  the list at the end tells which.
- `refused`: 400, before the platform is asked.
- `–`: the platform, or the model that was asked, has no such thing; what was left out is named in the reply.
- `without the wait`: 429; the platform does not tell how long to wait, so `retry-after` is the second for which Sluice leaves it alone.

With `unsupported: "strict"` what is lost is refused in place of being left out (<doc:ConfigurationReference>).

"""


def page(seen: dict, names: list[str]) -> str:
    """What was seen: (SDK, platform, feature) to (outcome, changes)."""
    text = HEAD
    for sdk, (title, what) in TITLES.items():
        features = list(dict.fromkeys(feature for one, _, feature in seen if one == sdk))
        text += f"## {title}\n\n{what}\n\n| | {' | '.join(f'`{name}`' for name in names)} |\n|{' --- |' * (len(names) + 1)}\n"
        for feature in features:
            cells = [seen[sdk, name, feature][0].replace("not offered", "–") for name in names]
            text += f"| {feature} | {' | '.join(cells)} |\n"
        text += "\n"
    return text + "## What is changed\n\n" + changes(seen, names)


def changes(seen: dict, names: list[str]) -> str:
    """By platform: what the replies named, and where."""
    text = "| platform | change | when |\n| --- | --- | --- |\n"
    for name in names:
        found = {}
        for (_, platform, feature), (_, made) in seen.items():
            if platform == name:
                for change in made:
                    found.setdefault(change, []).append(feature)
        for change in sorted(found):
            text += f"| `{name}` | {change} | {'; '.join(dict.fromkeys(found[change]))} |\n"
    return text
