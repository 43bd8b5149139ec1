// A department whose interface nobody here wrote: the pet shop of many OpenAPI tutorials, from the npm package @readme/oas-examples.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { call, newStaff, tokenOf, waitUntil } from './stack.js'

export const pet = { id: 7, name: 'doggie', photoUrls: [], status: 'available' }
export const contract = () => readFileSync(`${process.env.SHIMIN_OAS_EXAMPLES}/3.0/json/petstore.json`)

/** The pet shop itself; whoever has no key is refused. */
export function openShop() {
  const server = createServer((request, response) => {
    const found = new URL(request.url, 'http://shop').pathname === '/pet/7'
    const [status, body] = request.headers.api_key !== 'right' ? [401, { message: 'who are you?' }] : found ? [200, pet] : [404, { message: 'no such pet' }]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() })))
}

export const definition = (slug, zh, en) => ({
  slug, name: { zh, en }, summary: { zh: '宠物登记查询。', en: 'Looks up a registered pet.' }, pinyin: 'cwdj', category: 'travel', archetype: 'query', level: 'L0', personal: false, promise: { working_days: 0 },
  operation: { id: 'getPetById', request: { petId: 'query.pet' }, items: '', masks: {}, cache: { fresh: 0, stale: 0 } },
  parameters: [{ name: 'pet', required: true, schema: { type: 'integer', minimum: 7 }, description: { zh: '编号', en: 'Number' } }],
})

/** An engineer's program: registers, connects, drafts and submits. */
export async function newDepartment(shop) {
  const token = await tokenOf(await newStaff('engineer', 'metro'))
  const system = 'pets' // these very bytes belong to one system for ever
  const slug = `metro-pets-${process.pid}`
  const ask = async (method, path, more) => {
    const answer = await call(method, `/department/v1${path}`, { token, ...more })
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }
  async function register() {
    await ask('POST', `/contracts?system=${system}`, { raw: contract() })
    const { headers } = await ask('GET', `/systems/${system}`)
    await ask('PUT', `/systems/${system}`, { body: { production: shop.url, test: shop.url }, headers: { 'if-match': headers.get('etag') } })
    for (const environment of ['test', 'production']) await ask('PUT', `/systems/${system}/credentials/${environment}`, { body: { api_key: 'right' } })
  }
  async function submit(zh, en) {
    await ask('PUT', `/services/${slug}`, { body: { system, definition: definition(slug, zh, en) } })
    const order = { environment: 'test', parameters: { pet: 7 } }
    await waitUntil(async () => (await ask('POST', `/services/${slug}/try`, { body: order })).body.outcome === 'ok', 'a try that succeeds')
    await waitUntil(async () => (await ask('POST', `/services/${slug}/submit`)).body.passed, 'the gate')
  }
  return { slug, system, register, submit }
}
