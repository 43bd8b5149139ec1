// A contract's text: the line that a pointer leads to, and what its operations ask for and answer. Loaded only where it is needed.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml'

export interface Spot {
  line: number
  text: string
}
export interface Asked {
  name: string
  place: string // query, path, header, body
  required: boolean
  type: string
  words: string
}
export interface Shape {
  parameters: Asked[]
  lists: { pointer: string; members: string[]; list: boolean }[] // what can be taken as the items of the answer
}
export interface Scheme {
  name: string
  type: string
}
type Tree = Record<string, unknown>

const tree = (value: unknown): Tree => (value && typeof value === 'object' && !Array.isArray(value) ? (value as Tree) : {})
const steps = (pointer: string) => {
  const path = pointer.startsWith('#') ? decodeURIComponent(pointer.slice(1)) : pointer
  return path.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}
const escaped = (step: string) => step.replaceAll('~', '~0').replaceAll('/', '~1')

/** A function from pointers to lines: the deepest node of the path that is there. */
export function locator(text: string): { spot: (pointer: string) => Spot; syntax: Spot[] } {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: false, logLevel: 'silent' })
  const lines = text.split('\n')
  const at = (offset: number): Spot => {
    const { line } = counter.linePos(offset)
    return { line, text: (lines[line - 1] ?? '').trim().slice(0, 160) }
  }
  function spot(pointer: string): Spot {
    let node: Node | null | undefined = document.contents
    let offset = node?.range?.[0] ?? 0
    for (const step of steps(pointer)) {
      if (isAlias(node)) node = node.resolve(document as Document)
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step)
        if (!pair) break
        offset = (pair.key as Node).range?.[0] ?? offset
        node = pair.value as Node | null
      } else if (isSeq(node)) {
        node = node.items[Number(step)] as Node | undefined
        offset = node?.range?.[0] ?? offset
      } else break
    }
    return at(offset)
  }
  return { spot, syntax: document.errors.slice(0, 1).map((error) => at(error.pos[0])) }
}

/** The document as a value; an empty one when it is no YAML at all. */
export const readDocument = (text: string): Tree => tree(parseDocument(text, { uniqueKeys: false, logLevel: 'silent' }).toJS({ maxAliasCount: 10_000 }))

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

function resolve(root: Tree, value: unknown): Tree {
  let found = tree(value)
  for (let i = 0; i < 16 && typeof found.$ref === 'string' && found.$ref.startsWith('#'); i++) found = tree(steps(found.$ref).reduce<unknown>((at, step) => tree(at)[step], root))
  return found
}

/* The members of a schema, those of allOf among them. */
function members(root: Tree, schema: Tree, depth = 0): Tree {
  const parts = Array.isArray(schema.allOf) && depth < 4 ? schema.allOf.map((part) => members(root, resolve(root, part), depth + 1)) : []
  return Object.assign({}, ...parts, tree(schema.properties)) as Tree
}

const typeOf = (schema: Tree) => String(Array.isArray(schema.type) ? (schema.type as string[]).find((one) => one !== 'null') : (schema.type ?? ''))

function leaves(root: Tree, schema: Tree, pointer: string, depth: number, found: string[]): string[] {
  for (const [name, value] of Object.entries(members(root, schema))) {
    const member = resolve(root, value)
    const path = `${pointer}/${escaped(name)}`
    if (found.length >= 200) break
    if (Object.keys(members(root, member)).length && depth < 4) leaves(root, member, path, depth + 1, found)
    else found.push(path)
  }
  return found
}

function lists(root: Tree, schema: Tree, pointer = '', depth = 0, found: Shape['lists'] = []): Shape['lists'] {
  const array = typeOf(schema) === 'array' || 'items' in schema
  if (array || Object.keys(members(root, schema)).length) found.push({ pointer, list: array, members: leaves(root, array ? resolve(root, schema.items) : schema, '', 0, []) })
  if (!array && depth < 4) for (const [name, value] of Object.entries(members(root, schema))) lists(root, resolve(root, value), `${pointer}/${escaped(name)}`, depth + 1, found)
  return found
}

const json = (root: Tree, content: unknown) => {
  const [, media] = Object.entries(tree(content)).find(([type]) => /[/+]json\b|^(application|\*)\/\*/.test(type)) ?? []
  return resolve(root, tree(media).schema)
}

function operationOf(root: Tree, id: string): { item: Tree; operation: Tree } | undefined {
  for (const [path, value] of Object.entries(tree(root.paths))) {
    const item = resolve(root, value)
    for (const method of methods) if (item[method] && (tree(item[method]).operationId ?? `${method.toUpperCase()} ${path}`) === id) return { item, operation: tree(item[method]) }
  }
  return undefined
}

/** What an operation asks for, and what of its answer can be taken. */
export function shapeOf(root: Tree, id: string): Shape {
  const found = operationOf(root, id)
  if (!found) return { parameters: [], lists: [] }
  const { item, operation } = found
  const given = [...(Array.isArray(item.parameters) ? item.parameters : []), ...(Array.isArray(operation.parameters) ? operation.parameters : [])].map((one) => resolve(root, one))
  const parameters = new Map<string, Asked>()
  for (const one of given) parameters.set(`${one.in}/${one.name}`, { name: String(one.name), place: String(one.in), required: one.required === true, type: typeOf(resolve(root, one.schema)), words: String(one.description ?? '') })
  const body = json(root, resolve(root, operation.requestBody).content)
  const required = Array.isArray(body.required) ? (body.required as string[]) : []
  for (const [name, value] of Object.entries(members(root, body))) parameters.set(`body/${name}`, { name, place: 'body', required: required.includes(name), type: typeOf(resolve(root, value)), words: String(resolve(root, value).description ?? '') })
  const answers = Object.entries(tree(operation.responses))
  const [, answer] = answers.find(([status]) => /^2/.test(status)) ?? answers.find(([status]) => status === 'default') ?? []
  return { parameters: [...parameters.values()].sort((a, b) => Number(b.required) - Number(a.required)), lists: lists(root, json(root, resolve(root, answer).content)) }
}

/** The security schemes that the document declares, as credentials are named here. */
export function schemesOf(root: Tree): Scheme[] {
  return Object.entries(tree(tree(root.components).securitySchemes)).map(([name, value]) => {
    const scheme = resolve(root, value)
    return { name, type: scheme.type === 'http' ? String(scheme.scheme) : String(scheme.type) }
  })
}
