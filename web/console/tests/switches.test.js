import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { choose, citizen, logIn, newPage, newStaff, openBrowser, waitUntil } from './stack.js'

const service = 'metro-line-timetable'
const position = async () => (await citizen(`/v1/services/${service}`)).body.switch.position
let browser
before(async () => (browser = await openBrowser()))
afterEach(() => Promise.all(browser.contexts().map((context) => context.close()))) // what is open goes on asking
after(() => browser.close())

test('a wrong code is refused with what to do, and the right one opens the overview', async () => {
  const { page, faults } = await newPage(browser)
  const staff = await newStaff('system')
  await logIn(page, staff, undefined, '000000')
  assert.match(await page.getByRole('alert').innerText(), /good once/)
  await logIn(page, staff)
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  assert.equal(await page.evaluate(() => document.cookie), '', 'no script may read the session')
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...localStorage })), /[A-Za-z0-9_-]{43}/)
  assert.deepEqual(faults, [])
})

test('a service is switched off for a while after a preview, citizens are told why, and undoing opens it and stands in the history', async () => {
  const { page, faults } = await newPage(browser)
  await logIn(page, await newStaff('system'))
  await page.getByRole('link', { name: 'Services & switches' }).click()
  await page.getByRole('textbox', { name: 'Search' }).fill('metro')
  await page.getByRole('row').filter({ hasText: service }).getByRole('button').click()
  const form = page.getByRole('dialog')
  await form.getByRole('radio', { name: /^Off/ }).press('Space')
  await form.getByLabel('Reason in Chinese').fill('信号升级')
  await form.getByLabel('Reason in English').fill('The signals are being renewed')
  const until = new Date(Date.now() + 86400_000)
  await form.getByLabel('Until').fill(`${until.toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' })} 18:00`)
  await form.getByLabel('Reason in English').click()
  const apply = form.getByRole('button', { name: 'Put into effect' })
  assert.equal(await apply.isDisabled(), true, 'not before the preview')
  await form.getByRole('button', { name: 'Preview' }).click()
  await form.getByText('It would hit').waitFor()
  assert.equal(await position(), 'open', 'a preview changes nothing')
  await apply.click()
  await page.getByText(/In effect · 1 gateways/).waitFor()
  await waitUntil(async () => (await position()) === 'off', 'the switch holds')
  const told = (await citizen(`/v1/services/${service}`)).body.switch
  assert.equal(told.reason.en, 'The signals are being renewed')
  assert.ok(told.until)
  await page.goto(page.url().replace('/services', '/switches'))
  await page.getByRole('row').filter({ hasText: service }).getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click()
  await waitUntil(async () => (await position()) === 'open', 'it is open again')
  await page.getByText('All history').click()
  await page.getByRole('row').filter({ hasText: 'The signals are being renewed' }).getByText('Undone').waitFor()
  assert.deepEqual(faults, [])
})

test('a department is closed only when a second person confirms', async () => {
  const first = await newPage(browser)
  const second = await newPage(browser, { locale: 'zh-CN', viewport: { width: 390, height: 844 } })
  await logIn(first.page, await newStaff('system'))
  await first.page.getByRole('link', { name: 'Services & switches' }).click()
  await first.page.getByRole('button', { name: 'Switch more than one' }).click()
  const form = first.page.getByRole('dialog')
  await choose(first.page, 'Reach', 'Whole city')
  await form.getByRole('radio', { name: /^Read only/ }).press('Space')
  await form.getByLabel('Reason in Chinese').fill('演练')
  await form.getByLabel('Reason in English').fill('A drill')
  await form.getByRole('button', { name: 'Preview' }).click()
  await form.getByRole('button', { name: 'Ask a second person' }).click()
  await first.page.getByText('Sent: somebody else must confirm it').waitFor()
  assert.equal(await position(), 'open')
  await logIn(second.page, await newStaff('system'), { name: '用户名', password: '密码', code: '验证码', enter: '登录' })
  await second.page.goto(`${second.page.url().split('#')[0]}#/approvals`)
  await second.page.getByRole('button', { name: '否决' }).click()
  await second.page.getByText('全部', { exact: true }).click()
  await second.page.getByText('已否决').first().waitFor()
  assert.equal(await position(), 'open')
  assert.deepEqual([...first.faults, ...second.faults], [])
})

test('a department makes a client and its secret is shown once', async () => {
  const { page, faults } = await newPage(browser)
  await logIn(page, await newStaff('manager', 'metro'))
  await page.getByRole('link', { name: 'Clients' }).click()
  await page.getByRole('button', { name: 'New client' }).click()
  const name = `console-${process.pid}`
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByText('Traffic', { exact: true }).last().click()
  await page.getByRole('button', { name: 'Save' }).click()
  const row = page.getByRole('row').filter({ hasText: `metro.${name}` })
  await row.getByRole('button', { name: 'New credential' }).click()
  await choose(page, 'Method', /Secret/)
  await page.getByRole('button', { name: 'Save' }).click()
  assert.match(await page.getByRole('status').getByRole('code').innerText(), /^[A-Za-z0-9_-]{43}$/)
  assert.deepEqual(faults, [])
})

test('nobody is shown a screen that their roles may not use, and no screen is wider than a phone', async () => {
  const { page, faults } = await newPage(browser, { viewport: { width: 360, height: 740 } })
  await logIn(page, await newStaff('engineer', 'metro'))
  const links = await page.$$eval('aside nav a', (all) => all.map((a) => a.getAttribute('href')))
  assert.ok(links.length && links.every((link) => /^#\/(department\/|me$)/.test(link)), links.join(' '))
  for (const link of links) {
    await page.goto(page.url().split('#')[0] + link)
    await page.getByRole('heading', { level: 1 }).waitFor()
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${link} is too wide`)
  }
  assert.deepEqual(faults, [])
})
