// What the browser tests share: the stack that the environment names, accounts, authenticators, a browser that must see no violation.
import { spawn } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { chromium } from 'playwright-core'

export const url = process.env.SHIMIN_URL
export const password = 'Panda-Tea-1984-house'
const plain = process.env.SHIMIN_PLAIN_URL
const pictures = process.env.SHIMIN_PICTURES
let count = 0

/** A new account with a second factor. */
export function newStaff(role, department) {
  const name = `${role.split(',')[0]}.console${process.pid}-${++count}`
  const words = ['admin', 'create', name, '--role', role, ...(department ? ['--department', department] : [])]
  return new Promise((resolve, reject) => {
    const program = spawn(process.env.SHIMIN, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    program.stdout.on('data', (bytes) => (output += bytes))
    program.on('close', (status) => (status ? reject(new Error(output)) : resolve({ name, uri: /otpauth:\/\/\S+/.exec(output)[0] })))
    program.stdin.end(`${password}\n`)
  })
}

/** The six digits of RFC 6238 for an otpauth URI. */
export function totp(uri, step = 0) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...new URL(uri).searchParams.get('secret')].map((c) => letters.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + step))
  const mac = createHmac('sha1', key).update(counter).digest()
  const at = mac[19] & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** A call of the API by a program; `body` goes as JSON, `raw` as it is. */
export async function call(method, path, { token, body, raw, headers = {}, base = plain } = {}) {
  const answer = await fetch(base + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body || raw ? { 'content-type': 'application/json' } : {}), ...headers },
    body: raw ?? (body && JSON.stringify(body)),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null }
}

/** The token of a program's session. */
export async function tokenOf(staff) {
  const { status, body } = await call('POST', '/admin/v1/sessions', { body: { name: staff.name, password, code: totp(staff.uri) } })
  if (status !== 201) throw new Error(JSON.stringify(body))
  return body.token
}

export const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

/** Another gateway on the stack's stores, up when this resolves; `changes` of its environment may depend on its port. */
export async function anotherGateway(changes = () => ({})) {
  const [tls, own, operations] = [await freePort(), await freePort(), await freePort()]
  const environment = { ...process.env, SHIMIN_LISTEN_TLS_PORT: tls, SHIMIN_LISTEN_PLAIN_PORT: own, SHIMIN_LISTEN_OPERATIONS_PORT: operations, SHIMIN_WORKERS: 1, ...changes(tls) }
  const program = spawn(process.env.SHIMIN, ['serve'], { env: environment, stdio: 'ignore' })
  await waitUntil(() => fetch(`http://127.0.0.1:${operations}/readyz`).then(({ ok }) => ok, () => false), 'the other gateway')
  return { url: `https://localhost:${tls}`, program, close: () => new Promise((resolve) => { program.once('close', resolve); program.kill() }) }
}

/** What a citizen's app is told. */
export async function citizen(path, language = 'en') {
  const answer = await fetch(plain + path, { headers: { 'accept-language': language } })
  return { status: answer.status, body: await answer.json() }
}

export async function waitUntil(condition, what, milliseconds = 30000) {
  for (const end = Date.now() + milliseconds; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const value = await condition()
    if (value) return value
  }
  throw new Error(`not within ${milliseconds} ms: ${what}`)
}

export function openBrowser() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
}

/** A page of a browser of its own; `faults` gathers what its policy refused and what its scripts threw. Nothing moves in it. */
export async function newPage(browser, { locale = 'en-GB', colorScheme = 'light', viewport = { width: 1440, height: 900 } } = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale, colorScheme, viewport, timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(60000)
  const faults = []
  page.on('pageerror', (error) => faults.push(String(error.stack ?? error)))
  page.on('console', (message) => /Content Security Policy|\[Vue/.test(message.text()) && faults.push(message.text()))
  return { page, faults }
}

/** Chooses in a list by the keys: a click would aim at where it stood before the form around it moved. */
export async function choose(page, list, option) {
  await page.getByRole('combobox', { name: list, exact: true }).press('Enter')
  await page.getByRole('option', { name: option }).click()
}

const english = { name: 'User name', password: 'Password', code: 'Code', enter: 'Log in' }

/** Logs in; with a wrong code, waits for the refusal. */
export async function logIn(page, staff, words = english, code = totp(staff.uri), at = url) {
  await page.goto(`${at}/console/`)
  await page.getByLabel(words.name, { exact: true }).fill(staff.name)
  await page.getByLabel(words.password, { exact: true }).fill(password)
  await page.getByLabel(words.code, { exact: true }).fill(code)
  await page.getByRole('button', { name: words.enter, exact: true }).click()
  await page.locator('.frame, [role=alert]').first().waitFor()
  if (await page.locator('.frame').count()) await page.waitForURL(/#\/(?!me$)./) // it leads on to the first screen, which would end a walk begun before
}

/** Kept when SHIMIN_PICTURES names a folder, for people to look at. */
export async function picture(page, name) {
  if (!pictures) return
  mkdirSync(pictures, { recursive: true })
  const over = await page.locator('.el-overlay:visible').count() // a drawer covers what is seen, not the whole page
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: !over })
}
