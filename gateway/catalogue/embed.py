"""Embeds a file in a C array: embed.py NAME input output.c"""
import sys

name, source, output = sys.argv[1:]
with open(source, "rb") as file:
    text = file.read()
with open(output, "w", encoding="ascii") as file:
    file.write(f"#include <stddef.h>\n\nextern const char {name}[];\nextern const size_t {name}_size;\n\nconst char {name}[] = {{\n")
    for start in range(0, len(text), 24):
        file.write("    " + " ".join(f"(char){byte}," for byte in text[start:start + 24]) + "\n")
    file.write(f"    0,\n}};\nconst size_t {name}_size = {len(text)};\n")
