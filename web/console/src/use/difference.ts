// What differs between two JSON values, leaf by leaf, each named by its JSON Pointer.
export interface Difference {
  pointer: string
  before?: string
  after?: string
}

type Leaves = Map<string, string>

function gather(value: unknown, pointer: string, leaves: Leaves): Leaves {
  if (value !== null && typeof value === 'object' && Object.keys(value).length)
    for (const [name, inner] of Object.entries(value)) gather(inner, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, leaves)
  else if (value !== undefined) leaves.set(pointer, typeof value === 'string' && value ? value : JSON.stringify(value))
  return leaves
}

export function differences(before: unknown, after: unknown): Difference[] {
  const [old, fresh] = [gather(before, '', new Map()), gather(after, '', new Map())]
  return [...new Set([...old.keys(), ...fresh.keys()])].filter((pointer) => old.get(pointer) !== fresh.get(pointer)).map((pointer) => ({ pointer, before: old.get(pointer), after: fresh.get(pointer) }))
}
