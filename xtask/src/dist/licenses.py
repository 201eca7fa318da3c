"""Writes the licences of everything that the command is linked from.

Called by `cargo xtask dist` as: licenses.py OUT, with the output of `cargo metadata` for the target on standard input.
Equal texts are written once, below the names of all packages that have them.
"""

import json
import sys
from pathlib import Path

NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE")


def linked(metadata: dict) -> list[dict]:
    """The packages outside the workspace that `synix` needs at run time."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    start = next(one for one in metadata["workspace_members"] if packages[one]["name"] == "synix")
    seen, waiting = set(), [start]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for dependency in nodes[one]["deps"]:
            # `kind` is null for what is linked, and `dev` or `build` for the rest.
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                waiting.append(dependency["pkg"])
    outside = seen - set(metadata["workspace_members"])
    return sorted((packages[one] for one in outside), key=lambda package: (package["name"], package["version"]))


def texts(package: dict) -> list[str]:
    folder = Path(package["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name.upper().startswith(NAMES))
    return [path.read_text("utf-8", "replace").replace("\r\n", "\n").strip() for path in files]


def main() -> None:
    packages = linked(json.load(sys.stdin))
    owners: dict[str, list[str]] = {}
    lines = ["synix is linked from these packages:", ""]
    for package in packages:
        name = f"{package['name']} {package['version']}"
        lines.append(f"- {name}: {package['license'] or 'see below'}")
        for text in texts(package):
            owners.setdefault(text, []).append(name)
    for text, names in owners.items():
        lines += ["", "=" * 80, ", ".join(names), "=" * 80, "", text]
    Path(sys.argv[1]).write_bytes(("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
