// Calls of the gateway's API. Addresses, parameters, bodies and answers are those of its contract: schema.d.ts is generated from it.
import { language } from '../preferences'
import { session } from '../session'
import { Problem, problemOf } from './problem'
import type { paths } from './schema'

export type { components } from './schema'
export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

type With<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never }[keyof paths]
type Content<T> = T extends { content: infer C } ? C[keyof C] : undefined
type Good<R> = Content<R[keyof R & (200 | 201 | 202)]>
type Parameters<O> = O extends { parameters: infer P } ? P : never
type Sent<O> = O extends { requestBody?: infer B } ? Content<NonNullable<B>> : never

export interface Wish<O> {
  path?: Parameters<O> extends { path: infer T } ? T : never
  query?: Parameters<O> extends { query?: infer T } ? T : never
  body?: Sent<O>
  match?: string // If-Match
  raw?: { type: string; body: BodyInit } // a body that is not JSON
  plain?: boolean // the answer is text as it came
}

export interface Answer<T> {
  status: number
  data: T
  etag: string
}

function address(path: string, wish: { path?: object; query?: object }): string {
  const values = (wish.path ?? {}) as Record<string, string | number>
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
  const given = Object.entries(wish.query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
  return given.length ? `${filled}?${query}` : filled
}

export async function call<M extends Method, P extends With<M>>(
  method: M,
  path: P,
  wish: Wish<paths[P][M]> = {},
): Promise<Answer<Good<paths[P][M] extends { responses: infer R } ? R : never>>> {
  const headers: Record<string, string> = { 'accept-language': language.value === 'zh' ? 'zh-CN' : 'en' }
  if (method !== 'get' && session.value) headers['x-csrf-token'] = session.value.csrf_token
  if (wish.match) headers['if-match'] = wish.match
  if (wish.raw) headers['content-type'] = wish.raw.type
  else if (wish.body !== undefined) headers['content-type'] = method === 'patch' ? 'application/merge-patch+json' : 'application/json'
  const body = wish.raw?.body ?? (wish.body === undefined ? undefined : JSON.stringify(wish.body))
  const answer = await fetch(address(path as string, wish as object), { method: method.toUpperCase(), headers, body, credentials: 'same-origin' }).catch(() => {
    throw new Problem(0, 'unreachable', '')
  })
  if (!answer.ok) {
    const problem = await problemOf(answer)
    if (problem.status === 401) session.value = null
    throw problem
  }
  const text = await answer.text()
  return { status: answer.status, data: wish.plain ? text : text ? JSON.parse(text) : undefined, etag: answer.headers.get('etag') ?? '' }
}
