import { PermanentError } from '../../src/index.ts'
import { createDigitalRiver } from '../../src/testing/index.ts'
import { browserTest } from './browser.ts'
import { listHas } from './list.ts'
import { startHost } from './rig.ts'

// Risk: a number that hides what fails, or leads nowhere.

browserTest('handlers: counts that lead to their events', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  await host.settled(await host.send({ id: 'evt_2', type: 'invoice.open' }))
  const page = await open(`${host.url}handlers`)
  const row = page.getByRole('row', { name: /erp/ })
  await row.getByRole('img', { name: '0 done, 1 failed' }).waitFor()
  t.match(await row.innerText(), /order\.\*[\s\S]*\d ms\s+\d+ ms/)
  await row.getByRole('link', { name: '1' }).click()
  await page.waitForURL('**/events?handler=erp&state=dead&since=all')
  await page.getByText('evt_1').waitFor()
  t.equal(await page.locator('a[data-row]').count(), 1)
})

browserTest('failures: those of one kind are together, and lead to their events', async (t, open) => {
  const host = await startHost(t)
  for (const id of ['evt_1', 'evt_2']) {
    host.erp = () => {
      throw new PermanentError(`no stock of ${id === 'evt_1' ? 4711 : 4712}`)
    }
    await host.settled(await host.send({ id }))
  }
  const page = await open(`${host.url}failures?handler=erp`)
  const card = page.locator('.card')
  await card.getByText('2 dead').waitFor()
  t.match(await card.innerText(), /erp[\s\S]*no stock of[\s\S]*The last one: evt_2/)
  t.notMatch(await card.innerText(), /4711/)
  await card.getByRole('link', { name: 'Events' }).click()
  await listHas(page, 2)
  t.match(page.url(), /handler=erp&state=dead&since=/)
  await page.goBack()
  await page.getByRole('link', { name: 'Remove the filter handler' }).click()
  await page.waitForURL('**/failures')
})

browserTest('a handler is paused and resumed by clicks', async (t, open) => {
  const host = await startHost(t)
  const page = await open(`${host.url}handlers`)
  await page.getByRole('button', { name: 'Pause erp' }).click()
  await page.getByRole('button', { name: 'Pause it' }).click()
  await page.getByRole('row', { name: /erp/ }).getByText('paused').waitFor()
  t.match(await host.app.riverhook.inbox.pauses(), [{ handler: 'erp' }])
  await page.getByRole('button', { name: 'Resume erp' }).click()
  await page.getByRole('button', { name: 'Resume it' }).click()
  await page.getByRole('button', { name: 'Pause erp' }).waitFor()
  t.same(await host.app.riverhook.inbox.pauses(), [])
})

browserTest('quarantine: the reason, the request, and its removal', async (t, open) => {
  const host = await startHost(t)
  await host.sendRaw(Buffer.from('{"no":"event"}'))
  const page = await open(`${host.url}quarantine`)
  const card = page.locator('.card')
  await card.waitFor()
  t.match(await card.innerText(), /digital-river[\s\S]*id/)
  await card.getByRole('link').first().click()
  await page.getByRole('heading', { name: 'Quarantined request' }).waitFor()
  await page.getByRole('button', { name: 'Reveal' }).click()
  await page.getByText('"event"').waitFor()
  await page.goBack()
  await card.getByRole('button', { name: 'Read it again' }).click()
  await card.getByText('It still cannot be read').waitFor()
  await card.getByRole('button', { name: 'Remove…' }).click()
  await page.getByRole('button', { name: 'Remove it for good' }).click()
  await page.getByRole('heading', { name: 'Nothing is quarantined' }).waitFor()
})

browserTest('mismatches: the place, and an example', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  const at = new Date()
  const kind = { realm: 'digital-river', type: 'order.accepted', path: 'data.object.id', rule: 'type', handler: '' }
  await host.app.riverhook.inbox.flag([{ ...kind, count: 3, firstAt: at, lastAt: at, eventId: 'evt_1' }])
  const page = await open(`${host.url}mismatches`)
  const row = page.getByRole('row', { name: /data\.object\.id/ }).first()
  t.match(await row.innerText(), /order\.accepted[\s\S]*type[\s\S]*provider/)
  await row.getByRole('button', { name: 'Acknowledge' }).click()
  await row.getByRole('button', { name: 'Reopen' }).waitFor()
  t.match(await host.app.riverhook.inbox.drifts(), [{ path: kind.path, acknowledgedAt: Date }])
  await row.getByRole('button', { name: 'Reopen' }).click()
  await row.getByRole('button', { name: 'Acknowledge' }).waitFor()
  await row.getByRole('link').click()
  await page.getByRole('region', { name: 'Event evt_1' }).waitFor()
})

browserTest('inbox: the requests that were refused, and why', async (t, open) => {
  const host = await startHost(t)
  const at = new Date()
  await host.app.riverhook.inbox.countRequests([
    { endpoint: '/webhooks/<b>', outcome: 'RIVERHOOK_RECEIVE_UNAUTHENTICATED', at, count: 7 }
  ])
  const page = await open(`${host.url}inbox`)
  const row = page.getByRole('row', { name: /RIVERHOOK_RECEIVE_UNAUTHENTICATED/ })
  t.match(await row.innerText(), /\/webhooks\/<b>[\s\S]*7/)
})

browserTest('the alarms that are raised are above every view, as text', async (t, open) => {
  const host = await startHost(t, { receiver: { alarms: false } })
  const { inbox } = host.app.riverhook
  await host.app.ready()
  const { token = 0 } = await inbox.holdAlarms({ owner: 'server', leaseMs: 60_000 })
  const entry = { condition: 'dead', subject: '<b>erp', level: 'warn', text: '1 dead letter', step: 1, since: 1 }
  const known = { ...entry, subject: 'mail' }
  const reported = { at: 1, step: 1 }
  const state = JSON.stringify({ entries: [entry, known].map((each) => ({ ...each, reported })) })
  await inbox.saveAlarms({ token, leaseMs: 60_000, state })
  const acknowledged = { condition: 'dead', subject: 'mail', since: new Date(known.since) } as const
  t.equal(await host.app.riverhook.acknowledgeAlarms([acknowledged]), 1)
  const page = await open(`${host.url}handlers`)
  const line = page.getByRole('status').filter({ hasText: 'dead <b>erp 1 dead letter' })
  await line.waitFor()
  t.match(await line.innerText(), /erp 1 dead letter\s+dead mail 1 dead letter \(acknowledged\)$/)
  await page.getByRole('link', { name: 'Inbox' }).click()
  await page.getByRole('heading', { name: 'Inbox', level: 1 }).waitFor()
  t.equal(await line.count(), 1)
})

browserTest('inbox and audit: the numbers, and who looked at a payload', async (t, open) => {
  const host = await startHost(t)
  await host.settled(await host.send({ id: 'evt_1' }))
  const page = await open(`${host.url}events/digital-river/evt_1`)
  await page.getByRole('button', { name: 'Reveal' }).click()
  await page.getByRole('link', { name: 'Download the exact bytes' }).waitFor()
  await page.getByRole('link', { name: 'Audit', exact: true }).click()
  const row = page.getByRole('row', { name: /events\.reveal/ }).first()
  t.match(await row.innerText(), /alice[\s\S]*evt_1/)
  await page.getByRole('link', { name: 'Inbox', exact: true }).click()
  await page.locator('.tile', { hasText: 'Dead deliveries' }).getByRole('link', { name: '1' }).click()
  await page.waitForURL('**/events?state=dead&since=all')
  await page.getByText('evt_1').waitFor()
})

browserTest('registration: the plan is shown, and then made', async (t, open) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const register = { address: 'https://shop.example/hook', apiUrl: river.url, apiKey: river.apiKey }
  const host = await startHost(t, { receiver: { register } })
  const page = await open(`${host.url}registration`)
  const card = page.locator('.card')
  const inSync = card.getByText('in sync')
  while (river.webhooks.length === 0 || !(await inSync.isVisible())) await page.reload({ waitUntil: 'networkidle' })
  await fetch(`${river.url}/webhooks/${river.webhooks[0]?.id ?? ''}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${river.apiKey}` },
    body: '{"enabled":false}'
  })
  t.match(river.webhooks, [{ enabled: false }], 'somebody has disabled it')
  await card.getByRole('button', { name: 'Synchronise…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('The webhook is changed at the provider').waitFor()
  t.match(await dialog.locator('.plan').innerText(), /~\s*enabled/)
  t.match(river.webhooks, [{ enabled: false }], 'a plan changes nothing')
  await dialog.getByRole('button', { name: 'Make 1 change' }).click()
  await dialog.getByText('The webhook is updated').waitFor()
  t.match(river.webhooks, [{ enabled: true }])
})

browserTest('backfill: what is missing is shown, and then stored', async (t, open) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const host = await startHost(t, { receiver: { backfill: { apiUrl: river.url, apiKey: river.apiKey } } })
  const { id } = river.list('order.accepted')
  const { inbox } = host.app.riverhook
  const page = await open(`${host.url}backfill`)
  await page.getByRole('button', { name: 'Find what is missing' }).click()
  const store = page.getByRole('button', { name: 'Store 1 event, and run the handlers' })
  await store.waitFor()
  t.equal(await inbox.event({ realm: 'digital-river', id }), undefined, 'a look changes nothing')
  await store.click()
  await page.getByText('1 event stored').waitFor()
  t.match(await inbox.event({ realm: 'digital-river', id }), { backfilled: true })
  t.notMatch(await page.locator('main').innerText(), /served/, 'a mark of the server alone is not shown')
})
