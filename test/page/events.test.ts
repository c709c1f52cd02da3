import { browserTest } from './browser.ts'
import { listHas } from './list.ts'
import { startHost } from './rig.ts'

// Risk: at three in the morning, somebody asks what happened to an order, and the page does not say.

browserTest('the list: rows, filters in the address, back, reload', async (t, open) => {
  const host = await startHost(t)
  const dead = await host.send({ id: 'evt_dead', data: { object: { id: 'ord_4711' } } })
  const done = await host.send({ id: 'evt_done', type: 'invoice.open', data: { object: { id: 'inv_1' } } })
  await host.settled(dead)
  await host.settled(done)
  const page = await open(host.url)
  const rows = page.locator('tbody tr', { has: page.locator('a[data-row]') })
  await rows.nth(1).waitFor()
  t.match(await rows.first().innerText(), /invoice\.open[\s\S]*evt_done[\s\S]*audit/, 'the newest is first')
  t.match(await rows.nth(1).innerText(), /order\.accepted[\s\S]*erp\s*dead/, 'a state that needs a person has a word')

  await page.getByRole('link', { name: 'Dead' }).click()
  await page.waitForURL('**/events?state=dead')
  await listHas(page, 1)
  await page.getByRole('button', { name: 'Filter' }).click()
  await page.getByLabel('Type').fill('order.*')
  await page.getByRole('button', { name: 'Apply' }).click()
  const chips = page.getByRole('list', { name: 'Filters' })
  await chips.getByText('order.*').waitFor()
  await page.reload()
  await chips.getByText('order.*').waitFor()
  await listHas(page, 1)
  await chips.getByRole('link', { name: 'Remove the filter type' }).click()
  await page.waitForURL('**/events?state=dead')
  await page.goBack()
  await chips.getByText('order.*').waitFor()
  t.match(page.url(), /type=order\.\*/, 'the back button brings the filter back')

  await page.goto(`${host.url}events?state=alive&since=yesterday`)
  t.match(await page.getByRole('alert').innerText(), /"since" is not a time: yesterday/, 'a wrong value is named')
})

browserTest('search by an order, and by the id of an event', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1', data: { object: { id: 'ord_4711' } } }))
  await host.settled(await host.send({ id: 'evt_2', data: { object: { id: 'ord_4712' } } }))
  const page = await open(host.url)
  const search = page.getByRole('searchbox')
  await page.locator('a[data-row]').first().waitFor()
  await page.keyboard.press('/')
  await search.fill('ord_4711')
  await page.keyboard.press('Enter')
  await listHas(page, 1)
  t.match(await page.locator('tbody').last().innerText(), /evt_1/)
  await search.fill('evt_2')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/events/digital-river/evt_2?**')
  await page.getByRole('region', { name: 'Event evt_2' }).waitFor()
  await page.getByRole('link', { name: 'Close' }).click()
  await search.fill('nothing')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'No event matches' }).waitFor()
})

browserTest('events of a mode and of an endpoint', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_test' }))
  await host.settled(await host.send({ id: 'evt_live', liveMode: true }))
  const page = await open(host.url)
  await listHas(page, 2)
  await page.getByRole('button', { name: 'Filter' }).click()
  await page.getByLabel('Mode').selectOption('live')
  await page.getByLabel('Endpoint').fill('/webhooks/digital-river')
  await page.getByRole('button', { name: 'Apply' }).click()
  await listHas(page, 1)
  t.match(await page.locator('tbody').last().innerText(), /evt_live/)
  await page.getByRole('button', { name: 'Replay…' }).click()
  const dialog = page.getByRole('dialog')
  t.match(
    await dialog.getByRole('row', { name: /erp/ }).innerText(),
    /dead\s+1\s+runs again/,
    'a replay takes the filter'
  )
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  const chips = page.getByRole('list', { name: 'Filters' })
  t.match(await chips.innerText(), /endpoint\s*\/webhooks\/digital-river\s*mode\s*live/)
  await chips.getByRole('link', { name: 'Remove the filter mode' }).click()
  await listHas(page, 2)
})

browserTest(
  'the form of the filters has the focus before it can be seen, so that nothing typed moves',
  async (t, open) => {
    const host = await startHost(t)
    const page = await open(host.url)
    await page.getByRole('button', { name: 'Filter' }).waitFor()
    const focused = await page.evaluate(
      `new Promise((resolve) => {
      new MutationObserver(() => {
        if (document.querySelector('.menu-box') !== null) resolve(document.activeElement.name)
      }).observe(document.body, { childList: true, subtree: true })
      document.querySelector('.menu button').click()
    })`
    )
    t.equal(focused, 'type')
  }
)

browserTest('a search by error and by fields', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1', data: { object: { id: 'ord_1', total: 99.5, state: 'open' } } }))
  await host.settled(await host.send({ id: 'evt_2', data: { object: { id: 'ord_2', total: 101, state: 'open' } } }))
  await host.settled(await host.send({ id: 'evt_3', type: 'invoice.open' }))
  const page = await open(host.url, { allowed: /status of 400/ })
  await listHas(page, 3)
  await page.getByRole('button', { name: 'Filter' }).click()
  await page.getByLabel('Error contains').fill('answered 503')
  await page.getByRole('button', { name: 'Apply' }).click()
  await listHas(page, 2)
  await page.getByRole('button', { name: 'Filter' }).click()
  await page.getByLabel('Field').fill('data.object.total>100 && data.object.state=open')
  await page.getByRole('button', { name: 'Apply' }).click()
  await listHas(page, 1)
  await page.reload()
  await listHas(page, 1)
  t.match(await page.locator('tbody').last().innerText(), /evt_2/)
  await page.getByRole('button', { name: 'Replay…' }).click()
  t.match(await page.getByRole('dialog').getByRole('row', { name: /erp/ }).innerText(), /dead\s+1\s+runs again/)
  await page.goto(`${host.url}events?where=nonsense`)
  t.match(await page.getByRole('alert').innerText(), /"where" .*must be a path, an operator/)
})

browserTest('a long search says how far it looked, and continues from there', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  const page = await open(host.url)
  await listHas(page, 1)
  await page.route('**/api/v1/events?*where=*', async (route) => {
    const isFirst = !route.request().url().includes('after=')
    const answer = await route.fetch({ url: `${host.url}api/v1/events?limit=1` })
    const { events } = (await answer.json()) as { events: unknown[] }
    const looked = { events: [], next: '5.abc', searchedTo: '2026-11-26T13:32:00.000Z' }
    await route.fulfill({ json: isFirst ? looked : { events } })
  })
  await page.goto(`${host.url}events?where=data.object.id=o1&since=all`)
  await page.getByText(/Searched back to .*14:32.*0 events found/).waitFor()
  t.equal(await page.getByText('No event matches').count(), 0, 'a search that is not at its end is not empty')
  await page.getByRole('link', { name: 'Continue' }).click()
  await listHas(page, 1)
})

browserTest('older and newer pages', async (t, open) => {
  const host = await startHost(t)
  let last = ''
  for (let n = 0; n < 52; n++) last = await host.send({ id: `evt_${n}`, type: 'invoice.open' })
  await host.settled(last)
  const page = await open(host.url)
  await page.getByRole('link', { name: 'Older' }).click()
  await listHas(page, 2)
  t.match(await page.locator('tbody').last().innerText(), /evt_1[\s\S]*evt_0/)
  await page.reload()
  await listHas(page, 2)
  await page.getByRole('link', { name: 'Newest' }).click()
  await listHas(page, 50)
})

browserTest('the live tail shows new events, and counts them while somebody reads', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_old' }))
  const page = await open(host.url)
  await page.locator('a[data-row]').first().waitFor()
  await page.getByRole('button', { name: 'Live' }).click()
  await page.locator('.live.open').waitFor()
  await host.send({ id: 'evt_new' })
  await page.getByText('evt_new').waitFor()
  t.match(
    await page
      .locator('tbody tr', { has: page.locator('a[data-row]') })
      .first()
      .innerText(),
    /evt_new/,
    'it is at the top, without a reload'
  )

  await page.locator('a[data-row]').last().click()
  await page.getByRole('region', { name: 'Event evt_old' }).waitFor()
  await host.send({ id: 'evt_later' })
  await page.getByRole('button', { name: '1 new' }).click()
  t.match(
    await page
      .locator('tbody tr', { has: page.locator('a[data-row]') })
      .first()
      .innerText(),
    /order\.accepted/
  )
  t.equal(await page.locator('a[data-row]').count(), 3, 'the row waited until it was asked for')
})

browserTest('a drag over the chart chooses the time', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send())
  const page = await open(`${host.url}events?since=1h`)
  const plot = page.locator('.u-over')
  const box = (await plot.boundingBox()) ?? t.fail('there is no chart')
  if (typeof box !== 'object') return
  await page.mouse.move(box.x + box.width * 0.4, box.y + 20)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.99, box.y + 20, { steps: 5 })
  await page.mouse.up()
  await page.waitForURL(/since=2\d{3}-/)
  const { searchParams } = new URL(page.url())
  const [since = 0, until = 0] = ['since', 'until'].map((name) => Date.parse(searchParams.get(name) ?? ''))
  t.ok(until - since > 20 * 60_000 && until - since < 50 * 60_000, 'of about the dragged length')
  await page.getByRole('link', { name: 'Remove the filter time' }).click()
  await page.waitForURL('**/events')
})

browserTest('the keyboard is enough', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_a' }))
  await host.settled(await host.send({ id: 'evt_b' }))
  const page = await open(host.url)
  await page.locator('a[data-row]').first().waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Event evt_a' }).waitFor()
  await page.keyboard.press('k')
  await page.getByRole('region', { name: 'Event evt_b' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('region', { name: 'Event evt_b' }).waitFor({ state: 'detached' })
  await page.keyboard.press('g')
  await page.keyboard.press('h')
  await page.getByRole('heading', { name: 'Handlers', level: 1 }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await page.keyboard.press('Escape')
  t.equal(await page.getByRole('dialog').count(), 0)
})
