import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import { views } from './views.ts'
import { browserTest } from './browser.ts'
import { startHost } from './rig.ts'

/** Defines `axe` in the page. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The rules that elements of the page break, each with these elements. */
const violations = `axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`

// Risk: a person who sees little, or has a phone, cannot use it.

for (const [name, options] of [
  ['light, wide', { colorScheme: 'light', viewport: { width: 1280, height: 900 } }],
  ['dark, on a phone', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }]
] as const)
  browserTest(`every view, ${name}: accessible, and nothing wider than the screen`, async (t, open) => {
    const host = await startHost(t)
    await host.settled(await host.send({ id: 'evt_1', data: { object: { id: 'x'.repeat(300) } } }))
    await host.settled(await host.send({ id: `evt_${'y'.repeat(200)}`, type: 'invoice.open' }))
    const bad = await host.sendRaw(Buffer.from('{"no":"event"}'))
    t.match(bad, { status: 400 })
    const page = await open(host.url, options)
    // Sent once. To send it again for each analysis takes longer than the analysis.
    await page.addInitScript(axe)
    for (const { path, heading } of views('evt_1')) {
      await page.goto(host.url + path)
      await page.getByRole('heading', { name: heading }).first().waitFor()
      await page.waitForLoadState('networkidle')
      t.same(await page.evaluate(violations), [], `${path} is accessible`)
      await page.setViewportSize({ ...options.viewport, width: options.viewport.width === 390 ? 320 : 1280 })
      const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      t.ok(Number(wider) <= 0, `${path} fits the screen`)
      await page.setViewportSize(options.viewport)
    }
  })

// Risk: a test event is taken for a real order.
for (const [name, path, options] of [
  ['beside an open event', 'events/digital-river/evt_1', { viewport: { width: 1280, height: 900 } }],
  ['on a phone', 'events', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }]
] as const)
  browserTest(`${name}, a test event is marked with the whole word`, async (t, open) => {
    const host = await startHost(t)
    const type = 'order.fulfillment.completed_with_a_backorder'
    for (const change of [{}, {}, { createdTime: '2026-01-02T03:04:05Z' }])
      await host.settled(await host.send({ id: 'evt_1', type, ...change }))
    await host.settled(await host.send({ id: 'evt_2', type: 'order.accepted' }))
    const page = await open(host.url + path, options)
    const badges = page.locator('.events .badge', { hasText: /^test$/ })
    await badges.nth(1).waitFor()
    const isWhole = `(word) => word.scrollWidth <= word.clientWidth &&
      word.getBoundingClientRect().right <= word.closest('td').getBoundingClientRect().right`
    const words = "[...document.querySelectorAll('.events .badge:not(:has(.icon)) .cut')]"
    t.same(await page.evaluate(`${words}.map(${isWhole})`), [true, true])
  })

// Risk: the page has no chart in a browser with a locale of POSIX, such as that of a machine without a language.
browserTest('a language that is no locale: the chart is drawn', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  const page = await open(`${host.url}events?since=1h`)
  await page.addInitScript("Object.defineProperty(Navigator.prototype, 'language', { value: 'en-US@posix' })")
  for (const { path, heading } of views('evt_1')) {
    await page.goto(host.url + path)
    await page.getByRole('heading', { name: heading }).first().waitFor()
  }
  await page.goto(`${host.url}events?since=1h`)
  await page.locator('.volume-plot canvas').waitFor()
  t.equal(await page.evaluate('navigator.language'), 'en-US@posix')
})
