"""The page that shows people what the OpenAPI document shows programs: generated, and compared by test_openapi.py."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "Sources/SluiceServer/Documentation.docc/APIReference.md"
START, END = "<!-- generated: operations -->\n", "<!-- end -->"


def row(path: str, method: str, operation: dict) -> str:
    given = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query"]
    statuses = [status for status in operation["responses"] if status != "default"]
    cells = [
        f"`{method.upper()} {path}`", operation["summary"].replace("|", "\\|"),
        f"`{operation['x-permission']}`" if "x-permission" in operation else "",
        ", ".join(f"`{name}`" for name in given), ", ".join(statuses),
    ]
    return "| " + " | ".join(cells) + " |\n"


def render(document: dict) -> str:
    text = ""
    tags = []
    for operations in document["paths"].values():
        for operation in operations.values():
            for tag in operation["tags"]:
                if tag not in tags:
                    tags.append(tag)
    for tag in tags:
        text += f"\n## {tag.capitalize()}\n\n| operation | what it does | permission | query | answers |\n"
        text += "| --- | --- | --- | --- | --- |\n"
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if tag in operation["tags"]:
                    text += row(path, method, operation)
    return text


def replaced(page: str, document: dict) -> str:
    before, rest = page.split(START, 1)
    after = rest.split(END, 1)[1]
    return before + START + render(document) + "\n" + END + after
