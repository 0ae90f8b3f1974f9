"""The SDKs of the matrix, each asking the same things in its own words."""

import json
from dataclasses import dataclass, field

import anthropic
import openai
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

from processes import APPLICATION_KEY

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@dataclass
class Tool:
    name: str
    properties: dict

    @property
    def schema(self) -> dict:
        return {
            "type": "object", "properties": self.properties, "required": list(self.properties), "additionalProperties": False}

    @property
    def function(self) -> dict:
        return {"name": self.name, "description": "What " + self.name + " does", "parameters": self.schema}


@dataclass
class Call:
    id: str
    name: str
    arguments: dict


@dataclass
class Answer:
    text: str = ""
    reasoning: str = ""
    calls: list[Call] = field(default_factory=list)
    # stop, tool_calls or length, whatever the dialect calls it.
    finish: str = ""
    usage: tuple[int, int] = (0, 0)
    model: str = ""
    pieces: int = 0
    # What the application keeps and sends again in the next turn.
    kept: list = field(default_factory=list)


class Speaker:
    """Notes what Sluice reports of the last response."""

    def __init__(self):
        self.headers = {}
        # What came of a stream before it broke.
        self.came = ""

    def note(self, response):
        self.headers = response.headers

    @property
    def hooks(self):
        return {"event_hooks": {"response": [self.note]}}


class Chat(Speaker):
    """openai, chat.completions."""

    name = "chat"
    package = openai

    def __init__(self, url: str):
        super().__init__()
        self.client = openai.OpenAI(
            base_url=url + "/v1", api_key=APPLICATION_KEY, max_retries=0, http_client=openai.DefaultHttpxClient(**self.hooks))

    def begin(self, text: str, system: str | None = None, image: str | None = None) -> list:
        head = [{"role": "system", "content": system}] if system else []
        if image:
            text = [
                {"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}}]
        return head + [{"role": "user", "content": text}]

    def ask(self, model, turns, stream=False, tools=(), schema=None, thinks=False, limit=None) -> Answer:
        request = {"model": model, "messages": turns}
        if limit:
            request["max_completion_tokens"] = limit
        if tools:
            request["tools"] = [{"type": "function", "function": tool.function} for tool in tools]
        if schema:
            request["response_format"] = {
                "type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}
        if thinks:
            request["reasoning_effort"] = "low"
        self.came = ""
        return self.streamed(request) if stream else self.whole(request)

    def whole(self, request) -> Answer:
        reply = self.client.chat.completions.create(**request)
        assert reply.object == "chat.completion" and reply.id and reply.created > 0 and len(reply.choices) == 1
        message = reply.choices[0].message
        assert message.role == "assistant" and reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
        kept = message.to_dict(exclude_none=True)
        return self.answer(kept, reply.choices[0].finish_reason, reply.usage, reply.model)

    def streamed(self, request) -> Answer:
        message, calls, details, finish, usage, pieces, model = {"role": "assistant"}, {}, {}, None, None, 0, ""
        for chunk in self.client.chat.completions.create(**request, stream=True, stream_options={"include_usage": True}):
            assert chunk.object == "chat.completion.chunk" and chunk.id
            model = chunk.model
            if not chunk.choices:
                assert finish and usage is None
                usage = chunk.usage
                continue
            choice = chunk.choices[0]
            delta = choice.delta.to_dict(exclude_none=True)
            assert not finish, "nothing comes after the finish reason"
            pieces += bool(delta.get("content"))
            self.came += delta.get("content", "")
            for name in ("content", "reasoning_content"):
                if delta.get(name):
                    message[name] = message.get(name, "") + delta[name]
            for piece in delta.get("tool_calls", []):
                index = piece["index"]
                if index not in calls:
                    assert index == len(calls) and piece["id"] and piece["function"]["name"]
                    calls[index] = {"id": piece["id"], "type": "function", "function": {"name": piece["function"]["name"], "arguments": ""}}
                else:
                    assert "id" not in piece or piece["id"] == calls[index]["id"]
                calls[index]["function"]["arguments"] += piece["function"].get("arguments", "")
            for piece in delta.get("reasoning_details", []):
                merge(details, piece)
            finish = choice.finish_reason
        assert finish and usage
        if calls:
            message["tool_calls"] = list(calls.values())
        if details:
            message["reasoning_details"] = [details[index] for index in sorted(details)]
        return self.answer(message, finish, usage, model, pieces)

    @staticmethod
    def answer(message, finish, usage, model, pieces=0) -> Answer:
        calls = [
            Call(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in message.get("tool_calls", [])]
        return Answer(
            message.get("content", ""), message.get("reasoning_content", ""), calls, finish,
            (usage.prompt_tokens, usage.completion_tokens), model, pieces, [message])

    def results(self, turns, answer, results) -> list:
        return turns + answer.kept + [
            {"role": "tool", "tool_call_id": call.id, "content": text} for call, text in zip(answer.calls, results)]


def merge(details: dict, piece: dict):
    """Pieces of one block have the same index; texts grow."""
    block = details.setdefault(piece.get("index", len(details)), {})
    for name, value in piece.items():
        grows = name in ("text", "summary", "data", "signature") and isinstance(value, str)
        block[name] = block.get(name, "") + value if grows else value


class Responses(Speaker):
    """openai, responses."""

    name = "responses"
    package = openai

    def __init__(self, url: str):
        super().__init__()
        self.client = openai.OpenAI(
            base_url=url + "/v1", api_key=APPLICATION_KEY, max_retries=0, http_client=openai.DefaultHttpxClient(**self.hooks))

    def begin(self, text, system=None, image=None) -> list:
        head = [{"role": "developer", "content": system}] if system else []
        if image:
            text = [
                {"type": "input_text", "text": text},
                {"type": "input_image", "image_url": f"data:image/png;base64,{image}", "detail": "auto"}]
        return head + [{"role": "user", "content": text}]

    def ask(self, model, turns, stream=False, tools=(), schema=None, thinks=False, limit=None) -> Answer:
        request = {"model": model, "input": turns}
        if limit:
            request["max_output_tokens"] = limit
        if tools:
            request["tools"] = [{"type": "function", "strict": True, **tool.function} for tool in tools]
        if schema:
            request["text"] = {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": schema}}
        if thinks:
            request["reasoning"] = {"effort": "low", "summary": "auto"}
            request["include"] = ["reasoning.encrypted_content"]
        pieces = 0
        self.came = ""
        if stream:
            kinds = []
            with self.client.responses.stream(**request) as events:
                for event in events:
                    kinds.append(event.type)
                    if event.type in ("error", "response.failed"):
                        raise openai.APIError(str(event), request=None, body=None)
                    if event.type in ("response.completed", "response.incomplete"):
                        reply = event.response
                    if event.type == "response.output_text.delta":
                        pieces += 1
                        self.came += event.delta
            assert kinds[0] == "response.created" and kinds[-1] == "response." + reply.status
        else:
            reply = self.client.responses.create(**request)
        assert reply.object == "response" and reply.error is None
        calls = [
            Call(item.call_id, item.name, json.loads(item.arguments)) for item in reply.output if item.type == "function_call"]
        reasoning = "".join(
            part.text for item in reply.output if item.type == "reasoning" for part in item.summary)
        finish = "length" if reply.status == "incomplete" else "tool_calls" if calls else "stop"
        made_up = {"parsed", "parsed_arguments"}
        kept = [without(item.to_dict(exclude_none=True), made_up) for item in reply.output]
        return Answer(
            reply.output_text, reasoning, calls, finish, (reply.usage.input_tokens, reply.usage.output_tokens), reply.model,
            pieces, kept)

    def results(self, turns, answer, results) -> list:
        return turns + answer.kept + [
            {"type": "function_call_output", "call_id": call.id, "output": text} for call, text in zip(answer.calls, results)]


def without(value, names):
    """What the SDK added for its user is not sent."""
    if isinstance(value, dict):
        return {name: without(member, names) for name, member in value.items() if name not in names}
    return [without(item, names) for item in value] if isinstance(value, list) else value


class Messages(Speaker):
    """anthropic, messages."""

    name = "messages"
    package = anthropic
    finishes = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length"}

    def __init__(self, url: str):
        super().__init__()
        self.client = anthropic.Anthropic(
            base_url=url, api_key=APPLICATION_KEY, max_retries=0, http_client=anthropic.DefaultHttpxClient(**self.hooks))

    def begin(self, text, system=None, image=None) -> list:
        content = [{"type": "text", "text": text}]
        if image:
            content.insert(0, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": image}})
        self.system = system
        return [{"role": "user", "content": content}]

    def ask(self, model, turns, stream=False, tools=(), schema=None, thinks=False, limit=None) -> Answer:
        request = {"model": model, "messages": turns, "max_tokens": limit or 4096}
        if self.system:
            request["system"] = self.system
        if tools:
            request["tools"] = [
                {"name": tool.name, "description": "What " + tool.name + " does", "input_schema": tool.schema} for tool in tools]
        if schema:
            request["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if thinks:
            request["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        pieces = 0
        self.came = ""
        if stream:
            kinds = []
            with self.client.messages.stream(**request) as events:
                for event in events:
                    kinds.append(event.type)
                    if event.type == "text":
                        pieces += 1
                        self.came += event.text
                reply = events.get_final_message()
            assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
        else:
            reply = self.client.messages.create(**request)
        assert reply.type == "message" and reply.role == "assistant" and reply.id
        calls = [Call(block.id, block.name, block.input) for block in reply.content if block.type == "tool_use"]
        text = "".join(block.text for block in reply.content if block.type == "text")
        reasoning = "".join(block.thinking for block in reply.content if block.type == "thinking")
        kept = [without(block.to_dict(exclude_none=True), {"parsed_output"}) for block in reply.content]
        return Answer(
            text, reasoning, calls, self.finishes[reply.stop_reason], (reply.usage.input_tokens, reply.usage.output_tokens),
            reply.model, pieces, [{"role": "assistant", "content": kept}])

    def results(self, turns, answer, results) -> list:
        blocks = [
            {"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in zip(answer.calls, results)]
        return turns + answer.kept + [{"role": "user", "content": blocks}]


class LangChain(Speaker):
    """langchain-openai, ChatOpenAI."""

    name = "langchain"
    package = openai

    def __init__(self, url: str):
        super().__init__()
        self.url = url + "/v1"
        self.http = openai.DefaultHttpxClient(**self.hooks)

    def begin(self, text, system=None, image=None) -> list:
        head = [SystemMessage(system)] if system else []
        if image:
            text = [
                {"type": "text", "text": text},
                {"type": "image", "base64": image, "mime_type": "image/png"}]
        return head + [HumanMessage(text)]

    def ask(self, model, turns, stream=False, tools=(), schema=None, thinks=False, limit=None) -> Answer:
        chain = ChatOpenAI(
            model=model, base_url=self.url, api_key=APPLICATION_KEY, max_retries=0, max_tokens=limit, stream_usage=True,
            http_client=self.http, reasoning_effort="low" if thinks else None)
        if tools:
            chain = chain.bind_tools([{"type": "function", "function": tool.function} for tool in tools])
        if schema:
            chain = chain.bind(response_format={
                "type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}})
        self.came = ""
        pieces = 0
        if stream:
            reply = None
            for chunk in chain.stream(turns):
                assert isinstance(chunk, AIMessageChunk)
                pieces += bool(chunk.text)
                self.came += chunk.text
                reply = chunk if reply is None else reply + chunk
        else:
            reply = chain.invoke(turns)
        assert not reply.invalid_tool_calls
        calls = [Call(call["id"], call["name"], call["args"]) for call in reply.tool_calls]
        usage = reply.usage_metadata
        return Answer(
            reply.text, "", calls, reply.response_metadata["finish_reason"], (usage["input_tokens"], usage["output_tokens"]),
            reply.response_metadata["model_name"], pieces, [reply])

    def results(self, turns, answer, results) -> list:
        return turns + answer.kept + [ToolMessage(text, tool_call_id=call.id) for call, text in zip(answer.calls, results)]
