// A service's definition as an editor holds it: schema/catalogue/catalogue.schema.json says what it may be.
import type { components } from './api/client'
import type { Asked } from './document'

type Version = components['schemas']['ServiceVersion']
export type Archetype = 'query' | 'locate' | 'feed' | 'content'
export const archetypes: Archetype[] = ['query', 'locate', 'feed', 'content']
export const levels = ['L0', 'L1', 'L2', 'L3', 'L4'] as const
export const rules = ['id_number', 'phone_number', 'name', 'bank_card', 'plate'] as const
export const fieldsOf: Record<Archetype, { needed: string[]; more: string[] }> = {
  query: { needed: [], more: [] },
  locate: { needed: ['id', 'name', 'address', 'latitude', 'longitude'], more: ['opening_hours', 'phone_number', 'category'] },
  feed: { needed: ['id', 'title', 'updated_at'], more: [] },
  content: { needed: ['id', 'title', 'body', 'updated_at'], more: [] },
}

export interface Parameter {
  name: string
  required: boolean
  schema: { type: string; default?: unknown; enum?: unknown[] } & Record<string, unknown>
  description: { zh: string; en: string }
}
export interface Binding {
  id: string
  request: Record<string, string>
  items: string
  not_found?: string
  masks?: Record<string, string>
  cache?: { fresh: number; stale: number }
  fields?: Record<string, string>
  refresh?: number
  coord_sys?: string
  page?: { parameter: string; size_parameter: string; size: number; first: number }
}
export interface Definition {
  slug: string
  name: { zh: string; en: string }
  summary: { zh: string; en: string }
  pinyin: string
  category: string
  archetype: Archetype
  level: string
  personal: boolean
  area?: string
  promise?: { working_days: number }
  operation: Binding
  parameters?: Parameter[]
  [more: string]: unknown // what only the JSON view shows stays as it is
}

export const blank = (slug: string): Definition => ({
  slug, name: { zh: '', en: '' }, summary: { zh: '', en: '' }, pinyin: '', category: 'livelihood', archetype: 'query', level: 'L2', personal: true,
  operation: { id: '', request: {}, items: '', masks: {}, cache: { fresh: 60, stale: 3600 } },
})

/** What an archetype has of its own is added with its usual values, and what it may not have goes. */
export function become(definition: Definition, archetype: Archetype): void {
  const operation = definition.operation
  definition.archetype = archetype
  if (archetype === 'query') {
    delete operation.fields
    delete operation.refresh
    delete operation.coord_sys
    delete operation.page
    operation.masks ??= {}
    operation.cache ??= { fresh: 60, stale: 3600 }
    return
  }
  const { needed, more } = fieldsOf[archetype]
  delete operation.masks
  delete operation.cache
  operation.fields = Object.fromEntries([...needed, ...more].filter((name) => needed.includes(name) || operation.fields?.[name]).map((name) => [name, operation.fields?.[name] ?? '']))
  operation.refresh ??= 300
  definition.personal = false
  if (archetype !== 'locate') {
    delete operation.coord_sys
    delete operation.page
    return
  }
  operation.coord_sys ??= 'GCJ02'
  operation.page ??= { parameter: 'page', size_parameter: 'page_size', size: 100, first: 1 }
}

/** A parameter of the contract as one that citizens fill in. */
export const parameterOf = (name: string, asked: Asked | undefined): Parameter => ({
  name, required: asked?.required ?? true, schema: { type: ['integer', 'number', 'boolean'].includes(asked?.type ?? '') ? String(asked?.type) : 'string' }, description: { zh: '', en: '' },
})
export const queryName = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase().replace(/[^a-z0-9_]+/g, '_').replace(/^[^a-z]+/, '') || 'value'

/** What is sent: empty texts that are optional are left out. */
export function tidy(definition: Definition): Definition {
  const out = JSON.parse(JSON.stringify(definition)) as Definition
  if (!out.area) delete out.area
  if (!out.operation?.not_found) delete out.operation?.not_found
  if (out.promise && !Number.isInteger(out.promise.working_days)) delete out.promise
  if (out.parameters && !out.parameters.length) delete out.parameters
  if (out.operation?.fields) out.operation.fields = Object.fromEntries(Object.entries(out.operation.fields).filter(([name, pointer]) => pointer || fieldsOf[out.archetype]?.needed.includes(name)).map(([name, pointer]) => [name, pointer ?? '']))
  return out
}

const work = ['draft', 'testing', 'submitted', 'failed', 'refused']
export const atWork = (versions: Version[]) => versions.find((one) => work.includes(one.state))
export const inState = (versions: Version[], state: Version['state']) => versions.find((one) => one.state === state)
export const stateKind = { draft: 'info', testing: 'warning', submitted: 'warning', failed: 'danger', refused: 'danger', canary: 'primary', live: 'success', superseded: 'info', withdrawn: 'info', retired: 'info' } as const
