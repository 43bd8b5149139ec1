// The city's screens: first login, accounts, settings, gateways, the identity provider, and all of it by keyboard.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { anotherGateway, freePort, logIn, newPage, newStaff, openBrowser, picture, totp, url, waitUntil } from './stack.js'

let browser
before(async () => (browser = await openBrowser()))
after(() => browser.close())
const go = async (page, path, title) => {
  await page.goto(`${url}/console/#${path}`)
  await page.getByRole('heading', { level: 1, name: title }).waitFor()
}

test('an account that is made here changes its password, enrols by a QR code, is let in, and is locked out at once', async () => {
  const security = await newPage(browser)
  await logIn(security.page, await newStaff('security'))
  await security.page.getByRole('link', { name: 'Accounts' }).click()
  await security.page.getByRole('button', { name: 'New account' }).click()
  const name = `made.here.${process.pid}`
  const form = security.page.getByRole('dialog')
  await form.getByLabel('User name').fill(name)
  await form.getByText('System administrator').click()
  await form.getByRole('button', { name: 'Save' }).click()
  const first = await form.getByRole('status').getByRole('code').innerText()
  await security.page.keyboard.press('Escape')

  const { page, faults } = await newPage(browser, { viewport: { width: 390, height: 844 } })
  await page.goto(`${url}/console/`)
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password', { exact: true }).fill(first)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'First change the initial password' }).waitFor()
  await picture(page, 'setup-password-390')
  await page.getByLabel('Current password').fill(first)
  await page.getByLabel('New password', { exact: true }).fill('Lotus-Pond-1937-moon')
  await page.getByLabel('New password once more').fill('Lotus-Pond-1937-moon')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'Enrol your authenticator' }).waitFor()
  await page.getByRole('img', { name: 'QR' }).waitFor()
  await picture(page, 'setup-factor-390')
  const secret = (await page.locator('form code').innerText()).replaceAll(' ', '')
  await page.getByLabel('Code').fill(totp(`otpauth://totp/x?secret=${secret}`))
  await page.getByRole('button', { name: 'Enrol' }).click()
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()

  await security.page.getByRole('button', { name: `Change: ${name}` }).click()
  const panel = security.page.getByRole('dialog', { name: 'Change an account' })
  await panel.getByText('HeadlessChrome').first().waitFor()
  await picture(security.page, 'account-panel-1440')
  await panel.getByRole('button', { name: 'Lock' }).click()
  await security.page.getByRole('dialog', { name }).getByRole('button', { name: 'Lock' }).click()
  await panel.getByText('Locked').waitFor()
  await page.goto(`${url}/console/#/gateways`)
  await page.reload()
  await page.getByRole('heading', { name: 'Log in', level: 1 }).waitFor()
  assert.deepEqual([...security.faults, ...faults], [])
})

test('a setting is changed, holds, and is undone; its history says who did both', async () => {
  const { page, faults } = await newPage(browser)
  await logIn(page, await newStaff('system'))
  await page.getByRole('link', { name: 'Limits & deadlines' }).click()
  const reason = `A slow week ${process.pid}`
  await page.getByRole('button', { name: 'Change a setting' }).click()
  const form = page.getByRole('dialog')
  await form.getByRole('combobox', { name: 'Of' }).fill('Rail Transit')
  await page.getByRole('option').first().click()
  await form.getByLabel('Value').fill('4500')
  await form.getByLabel('Reason').fill(reason)
  await picture(page, 'setting-form-1440')
  await form.getByRole('button', { name: 'Save' }).click()
  const row = page.getByRole('row').filter({ hasText: reason })
  await row.getByText('4,500').waitFor()
  await row.getByText('In force').waitFor()
  await row.getByRole('button', { name: /^Undo/ }).click()
  await page.getByRole('dialog', { name: 'Undo' }).getByRole('button', { name: 'Undo' }).click()
  await row.waitFor({ state: 'detached' })
  await page.getByText('History', { exact: true }).click()
  await row.getByText('Undone').waitFor()
  assert.deepEqual(faults, [])
})

test('a gateway that is cut off is told of first, with the snapshot that it still serves', async () => {
  const { page, faults } = await newPage(browser)
  await logIn(page, await newStaff('system'))
  await go(page, '/gateways', 'Gateways')
  await page.getByText('All gateways run it.').waitFor()
  const other = await anotherGateway()
  try {
    await waitUntil(async () => (await page.getByRole('row').count()) === 3, 'both gateways are listed')
    other.program.kill('SIGSTOP')
    await page.getByRole('alert').getByText('A silent gateway').waitFor()
    await page.getByRole('row').nth(1).getByText('Silent', { exact: true }).waitFor()
    await picture(page, 'gateways-silent-1440')
  } finally {
    other.program.kill('SIGCONT')
    await other.close()
  }
  assert.deepEqual(faults, [])
})

test('where an identity provider is configured, its button leads there and back, and a stranger is told', { skip: !process.env.SHIMIN_NODE_MODULES && 'SHIMIN_NODE_MODULES names no folder' }, async () => {
  const secret = join(mkdtempSync(join(tmpdir(), 'shimin-')), 'secret')
  writeFileSync(secret, 'a-secret-of-the-tests\n')
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  let back
  const gateway = await anotherGateway((tls) => {
    back = `https://localhost:${tls}/console/`
    return { SHIMIN_STAFF_OIDC_ISSUER: issuer, SHIMIN_STAFF_OIDC_SECRET_FILE: secret, SHIMIN_STAFF_OIDC_REDIRECT_URI: back }
  })
  const provider = spawn(process.execPath, [fileURLToPath(new URL('../../../tests/api/oidc_provider.mjs', import.meta.url)), process.env.SHIMIN_NODE_MODULES, String(port), 'a-secret-of-the-tests', back], { stdio: 'ignore' })
  try {
    await waitUntil(() => fetch(`${issuer}/.well-known/openid-configuration`).then(({ ok }) => ok, () => false), 'the provider')
    const staff = await newStaff('system')
    for (const [who, met] of [['nobody-here', /no account for it/], [staff.name, null]]) {
      const { page, faults } = await newPage(browser)
      await page.context().route(({ hostname }) => !['localhost', '127.0.0.1'].includes(hostname), (route) => route.abort()) // its pages ask for fonts from elsewhere
      await page.goto(back)
      await page.getByRole('button', { name: 'Log in with the city\'s identity' }).click()
      await page.locator('input[name=login]').fill(who)
      await page.locator('input[name=password]').fill('x')
      await page.getByRole('button', { name: /Sign-in/ }).click()
      await page.getByRole('button', { name: /Continue/ }).click()
      if (met) assert.match(await page.getByRole('alert').innerText(), met)
      else await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
      assert.ok(!page.url().includes('code='), 'the address keeps nothing of it')
      assert.deepEqual(faults, [])
      await page.context().close()
    }
  } finally {
    provider.kill()
    await gateway.close()
  }
})

test('everything is reached by Tab with a visible focus, and a drawer keeps the focus and gives it back', async () => {
  const { page, faults } = await newPage(browser)
  await logIn(page, await newStaff('security'))
  await go(page, '/accounts', 'Accounts')
  await page.getByRole('button', { name: 'New account' }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('User name').waitFor()
  const inside = () => page.evaluate(() => !!document.activeElement?.closest('[role=dialog]'))
  await waitUntil(inside, 'the focus is in the drawer')
  for (let step = 0; step < 30; step++) {
    await page.keyboard.press('Tab')
    assert.ok(await inside(), `the focus left the drawer at step ${step}`)
  }
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
  await waitUntil(() => page.evaluate(() => document.activeElement?.textContent === 'New account'), 'the focus is back')
  for (const [path, title] of [['/accounts', 'Accounts'], ['/gateways', 'Gateways'], ['/me', 'My account']]) {
    await go(page, path, title)
    await page.waitForLoadState('networkidle')
    const unseen = new Set()
    const reached = new Set()
    const wanted = await page.$$eval('button:not([disabled]), a[href], input:not([type=radio])', (all) => all.filter((one) => one.offsetParent && one.tabIndex >= 0).length)
    await page.evaluate(() => { document.body.tabIndex = -1; document.body.focus() })
    for (let step = 0; step < wanted + 12; step++) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const one = document.activeElement
        if (!one || one === document.body) return null
        const seen = [one, one.parentElement, one.nextElementSibling].some((near) => near && (getComputedStyle(near).outlineStyle !== 'none' || getComputedStyle(near).boxShadow !== 'none'))
        return { name: `${one.tagName} ${one.getAttribute('aria-label') ?? one.textContent?.trim().slice(0, 30)}`, seen, key: [...document.querySelectorAll('*')].indexOf(one) }
      })
      if (!at) continue
      reached.add(at.key)
      if (!at.seen) unseen.add(at.name)
    }
    assert.deepEqual([...unseen], [], `${path}: focus that nobody sees`)
    assert.ok(reached.size >= wanted, `${path}: ${reached.size} of ${wanted} reached`)
  }
  assert.deepEqual(faults, [])
})

test('auditors find the checkpoints, and the export is a file whose last line is signed', async () => {
  const { page, faults } = await newPage(browser)
  await logIn(page, await newStaff('audit'))
  await go(page, '/audit', 'Audit')
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export (signed)' }).click()])
  assert.equal(download.suggestedFilename(), 'audit.jsonl')
  const lines = []
  for await (const chunk of await download.createReadStream()) lines.push(chunk)
  const last = JSON.parse(Buffer.concat(lines).toString().trim().split('\n').at(-1))
  assert.ok(last.signature, JSON.stringify(last))
  await page.getByText('Checkpoints', { exact: true }).click()
  await page.getByText('End of the chain').waitFor()
  assert.deepEqual(faults, [])
})
