// Pictures of every screen, for people to look at: SHIMIN_PICTURES=folder ./deploy/stack … -- node tests/pictures.js
import { logIn, newPage, newStaff, openBrowser, picture, url } from './stack.js'

const words = { zh: { name: '用户名', password: '密码', code: '验证码', enter: '登录' }, en: undefined }
const views = [
  ['en', 'light', 1440, 900],
  ['zh', 'dark', 1440, 900],
  ['zh', 'light', 390, 844],
  ['en', 'dark', 390, 844],
]
const browser = await openBrowser()
for (const [who, roles, department] of [['city', 'system', undefined], ['security', 'security', undefined], ['own', 'manager,engineer', 'metro']]) {
  for (const [language, colorScheme, width, height] of views) {
    const { page, faults } = await newPage(browser, { locale: language === 'zh' ? 'zh-CN' : 'en-GB', colorScheme, viewport: { width, height } })
    const name = (screen) => `${who}-${screen.replaceAll('/', '-')}-${width}-${language}-${colorScheme}`
    if (who === 'city') {
      await page.goto(`${url}/console/`)
      await page.waitForTimeout(300)
      await picture(page, name('login'))
    }
    await logIn(page, await newStaff(roles, department), words[language])
    if (width < 900) {
      await page.getByRole('button', { name: words[language] ? '菜单' : 'Menu', exact: true }).click()
      await page.waitForTimeout(500)
      await picture(page, name('menu'))
      await page.keyboard.press('Escape')
    }
    const links = await page.$$eval('nav a', (all) => [...new Set(all.map((a) => a.getAttribute('href').slice(2)))])
    for (const link of links.length ? links : ['me']) {
      await page.goto(`${url}/console/#/${link}`)
      await page.waitForTimeout(1200)
      await picture(page, name(link))
      const one = page.locator(`main table a[href^="#/${link}/"]`).first()
      if (!(await one.count())) continue
      await one.click()
      await page.waitForTimeout(1200)
      const tabs = await page.getByRole('tab').all()
      for (const tab of tabs.length ? tabs : [null]) {
        await tab?.click()
        await page.waitForTimeout(800)
        await picture(page, `${name(`${link}-one`)}${tab ? `-${await tab.getAttribute('id')}` : ''}`)
      }
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    console.log(who, language, width, links.join(' '), wide > 0 ? `TOO WIDE by ${wide}` : '', ...faults)
    await page.context().close()
  }
}
await browser.close()
