"""The platforms of the matrix: built-in adapters that point at the mock, with the credentials that it checks."""

import json
import urllib.request
from dataclasses import dataclass

# No key is like another, and each has the mark that must not be written: what strays is found.
from processes import MARK

VERTEX = "/vertex/v1/projects/mock-project/locations/us-central1"
WENXIN = "/baidu-v1/rpc/2.0/ai_custom/v1/wenxinworkshop"


@dataclass(frozen=True)
class Platform:
    """What one provider is, and which of its models are asked."""

    name: str
    path: str
    model: str
    credentials: dict
    # The same, in the hands of somebody whom the platform does not know.
    refused: dict
    # What no other platform may ever see.
    secrets: tuple
    # What nobody may see: only what is signed with it is sent.
    hidden: tuple = ()
    thinking: str | None = None
    vision: str | None = None
    embedding: str | None = None
    # Whether an answer that fits a JSON schema is made by the mock out of the schema; else it says what it is told.
    answers_schemas: bool = True
    # Whether results of tools have a role of their own; else they are told in words.
    has_results: bool = True
    # Whether it says that an answer ended at a limit.
    tells_length: bool = True
    scheme: str = "http"

    def provider(self, mock: str, behaviour: str = "", refused: bool = False) -> dict:
        """Behaviour is said in a field: of some platforms the model's name is one of a list."""
        credentials = self.refused if refused else self.credentials
        provider = {"adapter": self.name, "base_url": mock.replace("http", self.scheme, 1) + self.path, **credentials}
        return provider | ({"headers": {"x-mock": behaviour}} if behaviour else {})


def key(name: str) -> str:
    return f"sk-{name}-{MARK}-1"


def by_key(name: str) -> dict:
    return {
        "credentials": {"api_key": key(name)}, "refused": {"api_key": f"{MARK}-{name}-sk-refused"}, "secrets": (key(name),)}


def by_settings(secrets: tuple, good: dict, bad: dict, hidden: tuple = ()) -> dict:
    return {
        "credentials": {"auth_settings": good}, "refused": {"auth_settings": {**good, **bad}}, "secrets": secrets,
        "hidden": hidden + tuple(value for value in bad.values() if value.startswith("wrong")),
    }


def platforms(mock: str) -> list[Platform]:
    account = urllib.request.urlopen(mock + "/vertex/service-account.json").read().decode()
    stranger = json.dumps({**json.loads(account), "client_email": "nobody@mock-project.iam.gserviceaccount.com"})
    aws = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "region": "us-east-1"}
    tencent = {"secret_id": "AKIDEXAMPLE0000000000000000000000000", "secret_key": "EXAMPLEKEY0000000000000000000000"}
    iflytek = {"app_id": "testapp1", "api_key": "testkey0123456789abcdef012345678", "api_secret": "testsecret0123456789"}
    baidu = {
        "client_id": key("baidu-id"), "client_secret": key("baidu-secret"), "token_url": mock + "/baidu-v1/oauth/2.0/token"}
    wrong = f"wrong-{MARK}"
    return [
        Platform("openai", "/v1", "gpt-4.1-mini", vision="gpt-4.1-mini", embedding="text-embedding-3-small", **by_key("openai")),
        Platform(
            "anthropic", "/anthropic/v1", "claude-sonnet-4-6", thinking="claude-sonnet-4-6", vision="claude-sonnet-4-6",
            **by_key("anthropic")),
        Platform(
            "gemini", "/gemini/v1beta", "gemini-3-flash-preview", thinking="gemini-3-flash-preview",
            vision="gemini-3-flash-preview", embedding="gemini-embedding-001", **by_key("gemini")),
        Platform(
            "vertex", VERTEX, "gemini-3-flash-preview", thinking="gemini-3-flash-preview", vision="gemini-3-flash-preview",
            **by_settings(("ya29.",), {"service_account": account}, {"service_account": stranger}, ("PRIVATE KEY",))),
        Platform(
            "bedrock", "/bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0",
            thinking="anthropic.claude-sonnet-4-5-20250929-v1:0", vision="anthropic.claude-sonnet-4-5-20250929-v1:0",
            **by_settings(("AKIDEXAMPLE/",), aws, {"secret_access_key": wrong}, (aws["secret_access_key"],))),
        Platform(
            "ernie-v1", WENXIN, "ernie-4.0-turbo-8k", embedding="embedding-v1", answers_schemas=False,
            **by_settings((key("baidu-id"), key("baidu-secret"), "access_token="), baidu, {"client_secret": f"{MARK}-sk-refused"})),
        Platform(
            "dashscope", "/dashscope/api/v1", "qwen-plus", thinking="qwen-plus", vision="qwen-vl-plus", embedding="text-embedding-v4",
            answers_schemas=False, **by_key("dashscope")),
        Platform(
            "hunyuan-native", "/hunyuan-native", "hunyuan-turbos-latest", thinking="hunyuan-t1-latest",
            vision="hunyuan-vision", embedding="hunyuan-embedding", answers_schemas=False,
            **by_settings((tencent["secret_id"],), tencent, {"secret_key": wrong}, (tencent["secret_key"],))),
        Platform(
            "spark-ws", "/spark-ws", "4.0Ultra", thinking="x1", has_results=False, tells_length=False, scheme="ws", answers_schemas=False,
            **by_settings(("authorization=",), iflytek, {"api_secret": wrong}, (iflytek["api_secret"],))),
    ]
