import { AxeBuilder } from '@axe-core/playwright'

import { views } from './views.ts'
import { browserTest } from './browser.ts'
import { startHost } from './rig.ts'

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
    for (const { path, heading } of views('evt_1')) {
      await page.goto(host.url + path)
      await page.getByRole('heading', { name: heading }).first().waitFor()
      await page.waitForLoadState('networkidle')
      const { violations } = await new AxeBuilder({ page }).analyze()
      t.same(
        violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
        [],
        `${path} is accessible`
      )
      await page.setViewportSize({ ...options.viewport, width: options.viewport.width === 390 ? 320 : 1280 })
      const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      t.ok(Number(wider) <= 0, `${path} fits the screen`)
      await page.setViewportSize(options.viewport)
    }
  })
