"""Makes the table that `shimin ledger verify` runs out of the section "Invariants" of the module's README: a line that ends in a colon says
what holds, the SQL under it gives the rows that break it.

usage: generate_invariants.py README.md output.c
"""
import json
import re
import sys


def c_text(text):
    return json.dumps(text, ensure_ascii=True)


def main():
    readme, output = sys.argv[1:]
    with open(readme, encoding="utf-8") as file:
        section = file.read().partition("\n## Invariants\n")[2].partition("\n## ")[0]
    invariants = re.findall(r"^([^\n]+):\n```sql\n(.*?)\n```$", section, re.DOTALL | re.MULTILINE)
    if not invariants or len(invariants) != section.count("```sql"):
        sys.exit(f"{readme}: an invariant must be a line that ends in a colon, with its SQL under it")
    with open(output, "w", encoding="ascii") as file:
        file.write('/* Made from services/payments/README.md. */\n#include "command_ledger.h"\n\n'
                   "const struct ledger_invariant ledger_invariants[] = {\n")
        for what, sql in invariants:
            file.write(f"    {{{c_text(what)},\n     {c_text(sql)}}},\n")
        file.write("};\nconst size_t ledger_invariant_count = sizeof ledger_invariants / sizeof *ledger_invariants;\n")


if __name__ == "__main__":
    main()
