// The whole way: an interface that nobody here wrote becomes a service, is switched off and on, and all of it is in the audit.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newDepartment, openShop, pet } from './department.js'
import { call, citizen, logIn, newPage, newStaff, openBrowser, picture, tokenOf, url, waitUntil } from './stack.js'

let browser, shop, department
before(async () => {
  browser = await openBrowser()
  shop = await openShop()
  department = await newDepartment(shop)
})
after(async () => {
  await call('DELETE', `/admin/v1/services/${department.slug}`, { token: await tokenOf(await newStaff('system')) })
  shop.close()
  await browser.close()
})

const asked = () => citizen(`/v1/services/${department.slug}/records?pet=7`)
const administrator = newStaff('system')
const open = async (who) => {
  const made = await newPage(browser)
  await logIn(made.page, await who)
  return made
}
/** The drawer that shows a submission or a service's versions. */
async function look(page, button) {
  await page.goto(`${url}/console/#/approvals`)
  await page.reload()
  await page.getByRole('button', { name: `${button}: ${department.slug}` }).click()
  return page.getByRole('dialog')
}

test('a foreign contract becomes a service when a second account has seen the gate and approves', async () => {
  await department.register()
  await department.submit('宠物登记', 'Pet register')
  assert.equal((await asked()).status, 404, 'not before the approval')
  const { page, faults } = await open(administrator)
  const drawer = await look(page, 'Look at it')
  await drawer.getByText('Gate report').waitFor()
  await drawer.getByText('Refuses wrong credentials').waitFor()
  assert.equal(await drawer.getByText('Failed', { exact: true }).count(), 0)
  await drawer.getByText('Pet register').waitFor()
  const approve = drawer.getByRole('button', { name: 'Approve' })
  assert.equal(await approve.isDisabled(), true, 'not without a reason')
  await drawer.getByLabel('Reason').fill('Mapping and masks looked at')
  await picture(page, 'way-approval')
  await approve.click()
  await page.getByText('Approved', { exact: true }).waitFor()
  const answer = await waitUntil(async () => { const a = await asked(); return a.status === 200 && a }, 'a citizen is served')
  assert.deepEqual(answer.body.items, [pet])
  assert.deepEqual(faults, [])
  await page.context().close()
})

test('it is switched off for a while, citizens are told until when and why, and an undo serves them again', async () => {
  const { page, faults } = await open(newStaff('system'))
  await page.getByRole('link', { name: 'Services & switches' }).click()
  await page.getByRole('textbox', { name: 'Search' }).fill('Pet register')
  await page.getByRole('button', { name: 'Switch: Pet register' }).click()
  const form = page.getByRole('dialog')
  await form.getByRole('radio', { name: /^Off/ }).check({ force: true })
  await form.getByLabel('Reason in Chinese').fill('宠物登记系统检修')
  await form.getByLabel('Reason in English').fill('The pet register is being repaired')
  const until = new Date(Date.now() + 86400_000)
  await form.getByLabel('Until').fill(`${until.toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' })} 18:00`)
  await form.getByLabel('Reason in English').click()
  await form.getByRole('button', { name: 'Preview' }).click()
  await form.getByText('It would hit').waitFor()
  await form.getByRole('button', { name: 'Put into effect' }).click()
  await page.getByText(/In effect · /).waitFor()
  const answer = await waitUntil(async () => { const a = await asked(); return a.status === 503 && a }, 'the switch holds')
  assert.match(JSON.stringify(answer.body), /The pet register is being repaired/)
  assert.match((await citizen(`/v1/services/${department.slug}/records?pet=7`, 'zh')).body.detail, /宠物登记系统检修/)
  await page.getByRole('link', { name: 'Switch history' }).click()
  await page.getByRole('row').filter({ hasText: department.slug }).getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click()
  await waitUntil(async () => (await asked()).status === 200, 'citizens are served again')
  assert.deepEqual(faults, [])
  await page.context().close()
})

test('all of it is found in the audit, by the object and by the person', async () => {
  const { page, faults } = await open(newStaff('audit'))
  await page.getByRole('link', { name: 'Audit' }).click()
  const seen = async (wanted) => {
    await page.getByRole('button', { name: 'Search', exact: true }).click()
    await page.getByRole('table').waitFor()
    const rows = await page.getByRole('row').allInnerTexts()
    return wanted.every((action) => rows.some((row) => row.includes(action)))
  }
  await page.getByRole('textbox', { name: 'Object' }).fill(`service:${department.slug}`)
  const actions = ['putServiceDraft', 'submitService', 'decideSubmission', 'setSwitch']
  await waitUntil(() => seen(actions), `each of ${actions.join(', ')}`)
  await picture(page, 'way-audit')
  await page.getByRole('row').filter({ hasText: 'decideSubmission' }).last().getByRole('button', { name: /^Details/ }).click()
  const { name: approver } = await administrator
  await page.getByRole('dialog').getByText(`staff:${approver}`).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'All of it' }).first().click()
  assert.equal(await page.getByRole('textbox', { name: 'Who' }).inputValue(), `staff:${approver}`)
  const only = async () => (await page.getByRole('row').allInnerTexts()).slice(1).every((row) => row.includes(approver))
  await waitUntil(async () => (await seen(['decideSubmission'])) && (await only()), 'the approver\'s own records and no others')
  assert.deepEqual(faults, [])
})
