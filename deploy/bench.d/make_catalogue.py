#!/usr/bin/env python3
"""Writes the catalogue that is measured: the real one, where each department's last service is a query of the benchmark's backend.

usage: make_catalogue.py CHECKOUT TARGET TIMES [DEADLINE_MS]

The number of services stays what it is (187), times TIMES. No department asks for a signature, since no peer signs, and each
takes 256 calls at a time, so that what is measured is the gateway and not the departments' caps. A department's time to answer
is the catalogue's, unless one is given.
"""
import copy
import json
import pathlib
import shutil
import sys

import yaml

CONCURRENCY = 256
OPERATION = {
    "operationId": "benchRecords",
    "summary": "What the benchmark reads",
    "security": [],
    "parameters": [{"name": "phone", "in": "query", "required": True, "schema": {"type": "string", "maxLength": 20}}],
    "responses": {
        "200": {
            "description": "OK",
            "content": {"application/json": {"schema": {
                "type": "object",
                "required": ["code", "data"],
                "properties": {
                    "code": {"type": "integer", "enum": [0]},
                    "data": {
                        "type": "object",
                        "required": ["records"],
                        "properties": {"records": {"type": "array", "items": {
                            "type": "object",
                            "required": ["no", "phone_number", "state", "amount", "updated_on"],
                            "additionalProperties": False,
                            "properties": {
                                "no": {"type": "string", "maxLength": 32},
                                "phone_number": {"type": "string", "pattern": "^[+][0-9]{6,15}$"},
                                "state": {"type": "string", "enum": ["已受理", "办理中", "已办结"]},
                                "amount": {"type": "number", "minimum": 0},
                                "updated_on": {"type": "string", "format": "date"},
                            }}}},
                    }}}}}},
    },
}


def make_bench_service(service):
    kept = ("slug", "name", "summary", "pinyin", "category")
    return {name: service[name] for name in kept} | {
        "archetype": "query",
        "level": "L1",
        "switch": {"position": "open"},
        "personal": True,
        "operation": {
            "id": "benchRecords",
            "request": {"phone": "citizen.phone_number"},
            "items": "/data/records",
            "masks": {"/phone_number": "phone_number"},
            "cache": {"fresh": 0, "stale": 0},
        },
    }


def write_contract(source, target):
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    document["security"] = []
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    document["paths"]["/bench/records"] = {"get": OPERATION}
    target.write_text(json.dumps(document, ensure_ascii=False, default=str), encoding="utf-8")


def multiplied(services, times):
    for copy_number in range(times):
        for service in services:
            if copy_number == 0:
                yield service
                continue
            other = copy.deepcopy(service)
            other.pop("aliases", None)
            other["slug"] = f"{service['slug']}-{copy_number + 1}"
            yield other


def main():
    checkout, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    times, deadline = int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else None
    (target / "catalogue").mkdir(parents=True, exist_ok=True)
    (target / "contracts").mkdir(exist_ok=True)
    shutil.copy(checkout / "schema/catalogue/catalogue.schema.json", target / "catalogue")
    slugs = []
    for source in sorted((checkout / "schema/catalogue").glob("*.yaml")):
        entry = yaml.safe_load(source.read_text(encoding="utf-8"))
        if "department" not in entry:
            shutil.copy(source, target / "catalogue" / source.name)
            continue
        department = entry["department"]
        contract = department["contract"]
        department["contract"] = department["slug"] + ".json"
        department["backend"] |= {"concurrency": CONCURRENCY} | ({"deadline_ms": deadline} if deadline else {})
        write_contract(checkout / "schema/contracts" / contract, target / "contracts" / department["contract"])
        entry["services"][-1] = make_bench_service(entry["services"][-1])
        slugs.append((department["slug"], entry["services"][-1]["slug"]))
        entry["services"] = list(multiplied(entry["services"], times))
        text = yaml.dump(entry, allow_unicode=True, sort_keys=False, width=200,
                         Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
        (target / "catalogue" / source.name).write_text(text, encoding="utf-8")
    (target / "services.tsv").write_text("".join(f"{d}\t{s}\n" for d, s in slugs), encoding="utf-8")


main()
