import { readdirSync, readFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'

import t from 'tap'

import { browserTest } from './browser.ts'
import { startHost, startProxy } from './rig.ts'

// Risk: the page works at the root of a domain, and nowhere else.

for (const [name, mount, proxy] of [
  ['at the root', '', undefined],
  ['mounted below a path', '/ops/riverhook', undefined],
  ['behind a proxy that strips its prefix', '', { prefix: '/tools/hooks', isStripped: true }],
  ['behind a proxy that does not', '/tools/hooks', { prefix: '/tools/hooks', isStripped: false }]
] as const)
  browserTest(`${name}: links, reload, live feed`, async (t, open) => {
    const host = await startHost(t, { prefix: mount })
    await host.settled(await host.send({ id: 'evt_1' }))
    const url = proxy === undefined ? host.url : await startProxy(t, host, proxy)
    const page = await open(url)
    await page.locator('a[data-row]').click()
    await page.waitForURL(`${url}events/digital-river/evt_1`)
    await page.reload()
    await page.getByRole('heading', { name: 'Deliveries' }).waitFor()
    await page.getByRole('link', { name: 'Handlers' }).click()
    await page.waitForURL(`${url}handlers`)
    await page.getByRole('link', { name: 'erp' }).waitFor()
    await page.goto(`${url}events?tail=on`)
    await page.locator('.live.open').waitFor()
    await page.goto(`${url}no/such/view`)
    await page.getByRole('heading', { name: 'No such page' }).waitFor()
    if (proxy === undefined) {
      await page.goto(url.replace(/\/$/, ''))
      await page.locator('a[data-row]').waitFor()
    }
  })

browserTest('times in local time and in UTC, kept in the address', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  const page = await open(host.url)
  const time = page.locator('td.c-time time')
  const at = new Date((await time.getAttribute('datetime')) ?? '')
  const clock = (timeZone: string): string =>
    at.toLocaleTimeString('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit' })
  t.match(await time.innerText(), clock('Europe/Berlin'))
  await page.getByRole('button', { name: 'UTC' }).click()
  await page.waitForURL('**tz=utc')
  t.match(await time.innerText(), clock('UTC'))
  t.match(await time.getAttribute('title'), at.toISOString(), 'the exact time is there on hover')
  await page.locator('a[data-row]').click()
  await page.waitForURL('**/evt_1?tz=utc')
})

browserTest('the weight, as a browser loads it', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send())
  const sizes: Promise<{ requestHeadersSize: number; responseBodySize: number }>[] = []
  const page = await open('about:blank')
  page.on('requestfinished', (request) => {
    if (!request.url().includes('/api/')) sizes.push(request.sizes())
  })
  await page.goto(host.url)
  await page.locator('.u-over').waitFor()
  const all = await Promise.all(sizes)
  t.ok(all.length > 2 && all.length <= 5, `${all.length} requests`)
  const bytes = all.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0)
  t.ok(bytes > 10_000 && bytes <= 60 * 1024, `${bytes} bytes`)
})

t.test('the built files, compressed, are within the budget too', (t) => {
  const folder = new URL('../../dist/page/', import.meta.url)
  const files = readdirSync(new URL('assets/', folder)).filter((name) => name.endsWith('.br'))
  const bytes = files.reduce((sum, name) => sum + readFileSync(new URL(`assets/${name}`, folder)).length, 0)
  const html = brotliCompressSync(readFileSync(new URL('index.html', folder))).length
  t.ok(bytes + html <= 60 * 1024, `${bytes + html} bytes`)
  t.ok(files.length + 1 <= 5, `${files.length + 1} files`)
  t.end()
})
