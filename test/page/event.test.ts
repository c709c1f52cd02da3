import { browserTest } from './browser.ts'
import { startHost } from './rig.ts'

// Risk: the error of a delivery is not found, or a click repairs nothing.

browserTest('an event says what became of it, and is replayed by clicks', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  const page = await open(host.url)
  await page.locator('a[data-row]').click()
  await page.waitForURL('**/events/digital-river/evt_1')
  const panel = page.getByRole('region', { name: 'Event evt_1' })
  await panel.getByText('the warehouse answered 503 <b>Service Unavailable</b>').waitFor()
  t.match(
    await panel.innerText(),
    /Deliveries[\s\S]*erp[\s\S]*dead[\s\S]*attempt 1 failed, gave up[\s\S]*audit[\s\S]*done[\s\S]*Payload/
  )
  await page.reload()
  await panel.getByText('attempt 1 failed, gave up').waitFor()

  host.erp = () => undefined
  await panel.getByRole('button', { name: 'Replay…' }).click()
  const dialog = page.getByRole('dialog')
  t.notOk(await dialog.getByRole('checkbox', { name: 'audit' }).isChecked(), 'a done delivery is not chosen')
  await dialog.getByRole('checkbox', { name: 'audit' }).check()
  await dialog.getByText('audit succeeded already: what it does happens a second time').waitFor()
  await dialog.getByRole('checkbox', { name: 'audit' }).uncheck()
  await dialog.getByRole('button', { name: 'Replay 1 delivery' }).click()
  await dialog.getByText('1 delivery will run now').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await panel.getByText('attempt 1 succeeded').nth(1).waitFor()
  const found = await host.app.riverhook.inbox.event({ realm: 'digital-river', id: 'evt_1' })
  t.same(found?.deliveries.map(({ handler, state }) => `${handler} ${state}`).sort(), ['audit done', 'erp done'])
})

browserTest('the payload: a tree, raw with its digits, and what changed', async (t, open) => {
  const host = await startHost(t)
  const items = Array.from({ length: 250 }, (_, n) => ({ sku: `sku_${n}` }))
  await host.settled(await host.send({ id: 'evt_1', data: { object: { id: 'ord_1', state: 'accepted', total: 10 } } }))
  const body = `{"id":"evt_2","type":"order.fulfilled","liveMode":false,"createdTime":"${new Date().toISOString()}","data":{"object":{"id":"ord_1","state":"fulfilled","total":12345678901234567890.10,"items":${JSON.stringify(items)}}}}`
  await host.sendRaw(Buffer.from(body))
  await host.settled('evt_2')
  const page = await open(`${host.url}events/digital-river/evt_2`)
  const panel = page.getByRole('region', { name: 'Event evt_2' })
  const tree = panel.locator('.tree')
  await tree.getByText('12345678901234567890.10').waitFor()
  t.equal(await tree.getByText('sku_0').count(), 0, 'children are made when a branch is opened')
  await tree.locator('summary', { hasText: 'items' }).click()
  await tree.getByText('150 more').click()
  await tree.getByText('50 more').waitFor()
  await panel.getByRole('button', { name: 'Raw' }).click()
  t.match(await panel.locator('.raw').innerText(), /"total": 12345678901234567890\.10/)
  await panel.getByRole('button', { name: 'Changes' }).click()
  const changes = panel.locator('.changes')
  t.match(await changes.innerText(), /data\.object\.state[\s\S]*"accepted"[\s\S]*"fulfilled"/)
  t.match(await panel.innerText(), /Same resource[\s\S]*ord_1[\s\S]*order\.accepted[\s\S]*order\.fulfilled/)
})

browserTest('personal data is masked until it is revealed, for one event', async (t, open) => {
  const host = await startHost(t)
  for (const [id, email] of [
    ['evt_1', 'ann@x.example'],
    ['evt_2', 'kim.lee@x.example']
  ] as const)
    await host.settled(await host.send({ id, data: { object: { id: 'ord_1', email } } }))
  const page = await open(`${host.url}events/digital-river/evt_2`)
  const panel = page.getByRole('region', { name: 'Event evt_2' })
  await panel.locator('.tree').getByText('•••• (string, 17)').waitFor()
  await panel.getByRole('button', { name: 'Changes' }).click()
  await panel.locator('.changes').getByText('•••• (string, 13)').waitFor()
  t.notMatch(await panel.innerText(), /@x\.example/)
  await panel.getByRole('button', { name: 'Reveal' }).click()
  await panel.locator('.changes').getByText('ann@x.example').waitFor()
  t.match(await panel.innerText(), /kim\.lee@x\.example[\s\S]*Same resource[\s\S]*kim\.lee@x\.example/)
  const { entries } = await host.app.riverhook.inbox.audits({ limit: 10 })
  t.match(entries, [{ action: 'events.reveal', actor: 'alice', target: 'digital-river evt_2, digital-river evt_1' }])
  await page.goto(`${host.url}events/digital-river/evt_1`)
  await page.getByRole('region', { name: 'Event evt_1' }).locator('.tree').getByText('•••• (string, 13)').waitFor()
})

browserTest('where the payload differs from its schema, its fields say so', async (t, open) => {
  const host = await startHost(t)
  const object = { id: 'ord_1', totalAmount: 'ten', items: [{ id: 7, skuId: 'sku_1' }] }
  await host.settled(await host.send({ id: 'evt_1', data: { object } }))
  const page = await open(`${host.url}events/digital-river/evt_1`)
  const panel = page.getByRole('region', { name: 'Event evt_1' })
  const field = (name: string) => panel.locator('.tree li').filter({ hasText: new RegExp(`^${name} `) })
  await field('totalAmount').getByText('another type').waitFor()
  await field('skuId').waitFor()
  t.match(await field('id').last().innerText(), /7\s*another type/, 'in an entry of a list too')
  t.notMatch(await field('skuId').innerText(), /another/)
  t.match(await panel.locator('.disagreements').innerText(), /data\.object\.totalAmount another type/)
})

browserTest('the data of an event is erased by a click, by those who may', async (t, open) => {
  const alice = { name: 'alice', scopes: ['read', 'reveal', 'operate', 'erase'] as const }
  const host = await startHost(t, { authenticate: () => alice })
  await host.settled(await host.send({ id: 'evt_1', data: { object: { id: 'ord_1', note: 'Ada Lovelace' } } }))
  const page = await open(`${host.url}events/digital-river/evt_1`)
  const panel = page.getByRole('region', { name: 'Event evt_1' })
  await panel.getByRole('button', { name: 'Erase…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Deliveries that are not done never run').waitFor()
  await dialog.getByRole('button', { name: 'Erase it for good' }).click()
  await dialog.getByText('Erased.').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await panel.getByText('Its data was erased').waitFor()
  t.equal(await panel.getByRole('button', { name: 'Erase…' }).count(), 0)
  t.match(await host.app.riverhook.inbox.event({ realm: 'digital-river', id: 'evt_1' }), { state: 'erased' })
})

browserTest('no button erases for those who may not', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  const page = await open(`${host.url}events/digital-river/evt_1`)
  const panel = page.getByRole('region', { name: 'Event evt_1' })
  await panel.getByRole('button', { name: 'Replay…' }).waitFor()
  t.equal(await panel.getByRole('button', { name: 'Erase…' }).count(), 0)
})
