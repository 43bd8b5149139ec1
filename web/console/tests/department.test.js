import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, afterEach, before, test } from 'node:test'
import { choose, logIn, newPage, newStaff, openBrowser } from './stack.js'

const contract = `openapi: 3.0.3
info: {title: Arrivals, version: 1.0.${process.pid}}
security: [{key: []}]
paths:
  /arrivals:
    get:
      operationId: listArrivals
      parameters:
        - name: station
          in: query
          required: true
          schema: {type: string}
      responses:
        '200':
          description: Arrivals
          content:
            application/json:
              schema:
                type: object
                required: [arrivals]
                properties:
                  arrivals:
                    type: array
                    items: {$ref: '#/components/schemas/Arrival'}
  /files:
    post:
      operationId: upload
      requestBody: {required: true, content: {multipart/form-data: {schema: {type: object}}}}
      responses: {'204': {description: Done}}
components:
  schemas:
    Arrival: {type: object, required: [line, minutes], properties: {line: {type: string}, minutes: {type: integer}, reporter: {type: string}}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Api-Key}
`
let browser, backend, address
let reporter = '13800000001'
before(async () => {
  browser = await openBrowser()
  backend = createServer((request, response) => {
    const [status, value] = request.headers['x-api-key'] !== 'right' ? [401, {}] : request.url.startsWith('/arrivals?station=') ? [200, { arrivals: [{ line: '1', minutes: 3, reporter }] }] : [404, {}]
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  })
  await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${backend.address().port}`
})
afterEach(() => Promise.all(browser.contexts().map((context) => context.close()))) // what is open goes on asking
after(async () => {
  await browser.close()
  backend.close()
})

test('a department brings an interface to the gate: faults lead to their lines, and what fails says what to do', async () => {
  const { page, faults } = await newPage(browser)
  const system = `arrivals-${process.pid}`
  const service = `metro-${system}`
  await logIn(page, await newStaff('engineer', 'metro'))

  await page.getByRole('link', { name: 'Contracts' }).click()
  await page.getByRole('button', { name: 'Register a document' }).click()
  await page.getByRole('dialog').getByLabel('System', { exact: true }).fill(system)
  const text = page.getByLabel('Document', { exact: true })
  await text.fill(contract.replace('in: query', 'in: body').replace('#/components/schemas/Arrival', '#/nowhere'))
  await page.getByRole('button', { name: 'Check and register' }).click()
  await page.getByText('2 to correct').first().waitFor()
  await page.getByRole('button', { name: 'Go to line 24' }).waitFor()
  await page.getByRole('button', { name: 'Go to line 10' }).click()
  assert.equal(await text.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd).trim()), 'in: body')
  await text.fill(contract)
  await page.getByRole('button', { name: 'Check and register' }).click()
  await page.getByRole('row').filter({ hasText: 'listArrivals' }).getByText('Good for a service').waitFor()
  await page.getByRole('row').filter({ hasText: 'upload' }).getByText('it needs a body that is not JSON').waitFor()

  await page.getByRole('link', { name: 'Systems', exact: true }).click()
  const card = page.getByRole('region', { name: system })
  await card.getByRole('button', { name: 'Addresses' }).click()
  await page.getByLabel('Production address').fill('https://u@b.example')
  await page.getByLabel('Test address').fill(address)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.is-error').filter({ hasText: 'Production address' }).getByText(/must be http/).waitFor()
  await page.getByLabel('Production address').fill(address)
  await page.getByRole('button', { name: 'Save' }).click()
  await card.getByText(address).nth(1).waitFor()
  for (const environment of ['Production', 'Test']) {
    await card.getByRole('button', { name: `Credentials: ${system} ${environment}` }).click()
    await page.getByText('The contract declares key (apiKey)').waitFor()
    await page.locator('#credential-api_key').fill('right')
    await page.getByRole('button', { name: 'Save' }).click()
    await card.getByRole('button', { name: `Replace: ${system} ${environment}` }).waitFor()
  }
  assert.doesNotMatch(await card.innerText(), /right/)

  await page.getByRole('link', { name: 'Service registry' }).click()
  await page.getByRole('button', { name: 'New service' }).click()
  await page.getByLabel('Slug of the service').fill(service)
  await page.getByRole('button', { name: 'Begin the draft' }).click()
  await choose(page, 'System', system)
  for (const [label, words] of [['Name in Chinese', '地铁到站'], ['Name in English', 'Metro arrivals'], ['Summary in Chinese', '几时到站。'], ['Summary in English', 'When the train comes.'], ['Pinyin initials', 'Not pinyin']]) await page.getByLabel(label).fill(words)
  await choose(page, 'Identity level', /^L0/)
  await page.getByText('Answers are personal data').click()
  await choose(page, 'Operation', /listArrivals/)
  await choose(page, 'Source: station', 'Citizen fills in')
  await page.getByLabel('In Chinese', { exact: true }).fill('车站')
  await page.getByLabel('In English', { exact: true }).fill('Station')
  await page.getByLabel('Default').fill('天府广场')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.locator('.el-form-item.is-error').filter({ hasText: 'Pinyin initials' }).waitFor()
  await page.getByLabel('Pinyin initials').fill('dtdz')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.getByText('1 · Draft').waitFor()

  await page.getByRole('tab', { name: 'Try-out' }).click()
  await page.getByRole('button', { name: 'Try', exact: true }).click()
  await page.getByText('Outcome: OK').waitFor()
  await page.getByText('Test address', { exact: true }).click()
  await page.getByRole('button', { name: 'Try', exact: true }).click()
  await page.getByText(`${address}/arrivals?station=`).waitFor()
  await page.getByText('(not shown)').waitFor()
  await page.getByText(/Took \d/).waitFor()

  await page.getByRole('tab', { name: 'Submit' }).click()
  await page.getByRole('button', { name: 'Check and submit' }).click()
  await page.getByText('1 failed, and it was not submitted').waitFor()
  await page.getByRole('listitem').filter({ hasText: 'Masks' }).getByText('Mask the members that it names.').waitFor()
  await page.getByRole('tab', { name: 'Definition' }).click()
  await page.getByRole('button', { name: 'Add a mask' }).click()
  await choose(page, 'Member', '/reporter')
  await choose(page, 'Rule', 'Phone number')
  const saved = page.waitForResponse((answer) => answer.request().method() === 'PUT')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await saved // the words for a draft stand there already
  await page.getByRole('tab', { name: 'Submit' }).click()
  await page.getByRole('button', { name: 'Check and submit' }).click()
  await page.getByText('All passed: submitted').waitFor()
  await page.getByText('1 · Waits for approval').waitFor()
  assert.deepEqual(faults, [])
})

test('a manager makes an account for a colleague, whose password is shown once, and locks it', async () => {
  const { page, faults } = await newPage(browser)
  const name = `colleague.${process.pid}`
  await logIn(page, await newStaff('manager', 'metro'))
  await page.getByRole('link', { name: 'Department accounts' }).click()
  await page.getByRole('button', { name: 'New account' }).click()
  await page.getByLabel('User name').fill(name)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('status').getByText('Password of the first login').waitFor()
  await page.keyboard.press('Escape')
  const row = page.getByRole('row').filter({ hasText: name })
  await row.getByRole('button', { name: 'Lock', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Lock', exact: true }).click()
  await row.getByText('Locked').waitFor()
  assert.deepEqual(faults, [])
})

test('a webhook that cannot be reached is refused at its field', async () => {
  const { page, faults } = await newPage(browser)
  await logIn(page, await newStaff('manager', 'metro'))
  await page.getByRole('link', { name: 'Webhooks' }).click()
  await page.getByRole('button', { name: 'New webhook' }).click()
  await page.getByLabel('Address').fill('https://127.0.0.1:9/hook')
  await page.getByRole('button', { name: 'All events' }).click()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.el-form-item.is-error').filter({ hasText: 'Address' }).waitFor()
  assert.deepEqual(faults, [])
})
