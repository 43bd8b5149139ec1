"""Embeds a module's contract: openapi.yaml joined with the shared components, as JSON in a C array.

usage: generate_contract.py NAME openapi.yaml common.yaml output.c
"""
import json
import sys

import yaml

SHARED = ("schemas", "parameters", "headers", "responses", "securitySchemes")


class Loader(yaml.SafeLoader):
    """YAML 1.2's idea of plain scalars, as the gateway reads them: no dates, and `off` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile(r"^(?:true|false)$"), list("tf"))


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def main():
    name, own_path, common_path, output = sys.argv[1:]
    contract, common = read(own_path), read(common_path)
    components = contract.setdefault("components", {})
    for kind in SHARED:
        for key, value in common["components"].get(kind, {}).items():
            if components.setdefault(kind, {}).setdefault(key, value) != value:
                sys.exit(f"{own_path}: components/{kind}/{key} is shared already")
    text = json.dumps(contract, ensure_ascii=False).encode()
    with open(output, "w", encoding="ascii") as file:
        file.write(f"/* Made from {name}/openapi.yaml. */\n#include <stddef.h>\n\n")
        file.write(f"extern const char {name}_contract[];\nextern const size_t {name}_contract_size;\n\n")
        file.write(f"const char {name}_contract[] = {{\n")
        for start in range(0, len(text), 24):
            file.write("    " + " ".join(f"(char){byte}," for byte in text[start : start + 24]) + "\n")
        file.write(f"    0,\n}};\nconst size_t {name}_contract_size = {len(text)};\n")


main()
