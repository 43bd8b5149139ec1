// Makes src/api/schema.d.ts from a gateway's contract: node types.js [openapi.json]; without a file, from SHIMIN_URL.
import { readFile, writeFile } from 'node:fs/promises'
import openapiTypescript, { astToString } from 'openapi-typescript'

const [file] = process.argv.slice(2)
const url = `${process.env.SHIMIN_PLAIN_URL ?? 'http://127.0.0.1:8080'}/openapi.json`
const contract = JSON.parse(file ? await readFile(file, 'utf8') : await (await fetch(url)).text())
await writeFile(new URL('src/api/schema.d.ts', import.meta.url), astToString(await openapiTypescript(contract)))
