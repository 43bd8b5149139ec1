"""The table of ratios, as text and as docs/performance.md keeps it."""
import datetime
import os
import pathlib
import platform
import re
import subprocess

BEGIN, END = "<!-- written by deploy/bench: begin -->", "<!-- written by deploy/bench: end -->"


def first(pattern, path, fallback="unknown"):
    match = re.search(pattern, pathlib.Path(path).read_text(), re.M)
    return match.group(1).strip() if match else fallback


def version(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def machine():
    memory = int(first(r"^MemTotal:\s+(\d+)", "/proc/meminfo", "0")) / 1024 / 1024
    processor = first(r"^model name\s*:\s*(.*)", "/proc/cpuinfo")
    system = first(r'^PRETTY_NAME="?([^"\n]*)', "/etc/os-release")
    servers = ", ".join([version("nginx", "-v").split(": ")[-1], version("redis-server", "--version").split(" sha")[0],
                         version("psql", "--version").split(" (D")[0].replace("psql (PostgreSQL)", "Postgres")])
    return f"{os.cpu_count()} × {processor}, {memory:.0f} GiB, Linux {platform.release()}, {system}; {servers}"


def shown(value, unit):
    return f"{value:.2f}{unit}" if unit == "×" else f"{value:.1f}{unit}" if unit else f"{value:.0f}"


def verdict(row):
    if row.met:
        return "met"
    if not row.floor:
        return "missed"
    return f"missed by {abs(row.figure - row.floor) / row.floor:.0%}"


def table(rows, how):
    lines = [f"{datetime.date.today().isoformat()}, {how}. {machine()}.", "",
             "| | measured | figure | floor | | behind it |", "|---|---|---|---|---|---|"]
    for row in rows:
        sign = "≤" if row.at_most else "≥"
        lines.append(f"| {row.part} | {row.what} | **{shown(row.figure, row.unit)}** | {sign} {shown(row.floor, row.unit)} | "
                     f"{verdict(row)} | {row.behind} |")
    return "\n".join(lines)


def write_document(path, text):
    """Between the two marks; what people wrote around them stays."""
    document = path.read_text(encoding="utf-8")
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")
