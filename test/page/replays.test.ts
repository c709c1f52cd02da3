import { browserTest } from './browser.ts'
import { listHas } from './list.ts'
import { startHost, type Host } from './rig.ts'

// Risk: a click replays other deliveries than those that were shown, or one that succeeded, without a question.

/** Sends events whose delivery to `erp` is dead, and then repairs the handler. */
async function breakThenRepair(host: Host, ids: readonly string[]): Promise<void> {
  for (const id of ids) await host.settled(await host.send({ id }))
  host.erp = () => undefined
}

const statesOf = async ({ app }: Host, id: string): Promise<string[]> => {
  const found = await app.riverhook.inbox.event({ realm: 'digital-river', id })
  return (
    found?.deliveries.map(({ handler, state, attemptLog }) => `${handler} ${state} ${attemptLog.length}`).sort() ?? []
  )
}

browserTest('all that match: the plan by handler and state, then the progress', async (t, open) => {
  const host = await startHost(t)
  await breakThenRepair(host, ['evt_1', 'evt_2'])
  const page = await open(`${host.url}events`)
  await page.getByRole('button', { name: 'Replay…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Replay all that match' })
  const row = (name: RegExp) => dialog.getByRole('row', { name })
  t.match(await row(/erp/).innerText(), /dead\s+2\s+runs again/)
  t.match(await row(/audit/).innerText(), /done\s+2\s+skipped/)

  await dialog.getByLabel('Include done deliveries').check()
  await dialog.getByText('2 deliveries succeeded already').waitFor()
  const replayFour = dialog.getByRole('button', { name: 'Replay 4 deliveries' })
  t.ok(await replayFour.isDisabled(), 'a done delivery runs again only after the count is typed')
  await dialog.getByLabel('Type 4 to agree').fill('4')
  t.notOk(await replayFour.isDisabled())
  await dialog.getByLabel('Include done deliveries').uncheck()

  await dialog.getByRole('button', { name: 'Replay 2 deliveries' }).click()
  await dialog.getByText('2 of 2 deliveries').waitFor()
  await dialog.getByText('done', { exact: true }).waitFor()
  for (const id of ['evt_1', 'evt_2']) await host.settled(id)
  t.same(await statesOf(host, 'evt_1'), ['audit done 1', 'erp done 3'])
  await dialog.getByRole('link', { name: 'All replays' }).click()
  const card = page.locator('.card')
  await card.getByText('2 of 2 deliveries').waitFor()
  t.match(await card.innerText(), /by alice/)
})

browserTest('selected rows alone, by key and by click', async (t, open) => {
  const host = await startHost(t)
  await breakThenRepair(host, ['evt_1', 'evt_2', 'evt_3'])
  const page = await open(`${host.url}events`)
  await listHas(page, 3)
  const bar = page.getByRole('region', { name: 'Selected events' })
  await page.getByLabel('Select all rows').check()
  await bar.getByText('3 events selected').waitFor()
  await bar.getByRole('button', { name: 'Clear' }).click()
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await bar.getByText('1 event selected').waitFor()
  await page.getByLabel('Select evt_2').check()
  await bar.getByText('2 events selected').waitFor()
  await page.keyboard.press('x')
  await bar.getByText('1 event selected').waitFor()
  await page.keyboard.press('x')
  await bar.getByText('2 events selected').waitFor()
  await bar.getByRole('button', { name: 'Replay…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Replay 2 deliveries' }).click()
  await dialog.getByText('2 of 2 deliveries').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await bar.waitFor({ state: 'detached' })
  for (const id of ['evt_2', 'evt_3']) await host.settled(id)
  t.same(await statesOf(host, 'evt_1'), ['audit done 1', 'erp dead 1'], 'an event that was not selected stays')
  t.same(await statesOf(host, 'evt_2'), ['audit done 1', 'erp done 3'])
  t.same(await statesOf(host, 'evt_3'), ['audit done 1', 'erp done 3'])
})

browserTest('the dialog stays open while a replay is started, so that the selection ends with it', async (t, open) => {
  const host = await startHost(t)
  await breakThenRepair(host, ['evt_1'])
  const page = await open(`${host.url}events`)
  let answer: () => void = () => undefined
  const isAllowed = new Promise<void>((resolve) => (answer = resolve))
  const isAsked = new Promise<void>((resolve) => {
    void page.route('**/api/v1/replays', async (route) => {
      const isStart = !(route.request().postData() ?? '').includes('dryRun')
      if (isStart) resolve()
      if (isStart) await isAllowed
      await route.continue()
    })
  })
  await page.getByLabel('Select evt_1').check()
  const bar = page.getByRole('region', { name: 'Selected events' })
  await bar.getByRole('button', { name: 'Replay…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Replay 1 delivery' }).click()
  await isAsked
  for (const key of ['Escape', 'Escape', 'Escape']) await page.keyboard.press(key)
  await page.mouse.click(5, 5)
  answer()
  await dialog.getByText('1 of 1 delivery').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await bar.waitFor({ state: 'detached' })
})

browserTest('a group of failures, slowly, and stopped', async (t, open) => {
  const host = await startHost(t)
  const ids = Array.from({ length: 60 }, (_, n) => `evt_${n}`)
  await breakThenRepair(host, ids)
  const page = await open(`${host.url}failures`)
  await page.getByRole('button', { name: 'Replay…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Replay for erp' })
  await dialog.getByLabel('Speed').selectOption('1 a second')
  await dialog.getByRole('button', { name: 'Replay 60 deliveries' }).click()
  await dialog.getByText('running', { exact: true }).waitFor()
  await dialog.getByRole('link', { name: 'All replays' }).click()
  const card = page.locator('.card')
  t.match(await card.innerText(), /at most 1 a second[\s\S]*handler\s*erp/)
  await card.getByRole('button', { name: /Stop replay/ }).click()
  await card.getByText('stopped').waitFor()
  t.match(await host.app.riverhook.jobs(), [{ state: 'stopped', ratePerSecond: 1, planned: 60 }])
})

browserTest('events are removed only after their number is typed', async (t, open) => {
  const host = await startHost(t)
  await breakThenRepair(host, ['evt_1', 'evt_2', 'evt_3'])
  await host.settled(await host.send({ id: 'evt_4', type: 'invoice.open' }))
  const page = await open(`${host.url}events?type=order.*`)
  await listHas(page, 3)
  await page.getByLabel('Select evt_3').check()
  await page.getByRole('region', { name: 'Selected events' }).getByRole('button', { name: 'Remove…' }).click()
  const dialog = page.getByRole('dialog')
  const remove = dialog.getByRole('button', { name: 'Remove 1' })
  await remove.waitFor()
  t.ok(await remove.isDisabled())
  await dialog.getByLabel('Type 1 to agree').fill('1')
  await remove.click()
  await dialog.getByText('1 event removed').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await listHas(page, 2)

  await page.getByRole('button', { name: 'Remove all that match…' }).click()
  await dialog.getByLabel('Type 2 to agree').fill('2')
  await dialog.getByRole('button', { name: 'Remove 2' }).click()
  await dialog.getByText('2 events removed').waitFor()
  const { events } = await host.app.riverhook.inbox.events({ limit: 9 })
  t.same(
    events.map(({ id }) => id),
    ['evt_4']
  )
})
