import { newToken } from '../../src/admin/tokens.ts'
import { browserTest } from './browser.ts'
import { startHost } from './rig.ts'

// Risk: an operator cannot get in, or the token stays in the address, where history and screens show it.

browserTest('signing in with a token, and out', async (t, open) => {
  const { token, line } = newToken('bea', ['read'])
  const host = await startHost(t, { tokens: line })
  await host.settled(await host.send({ id: 'evt_1', data: { object: { id: 'ord_1', email: 'kim@x.example' } } }))
  const page = await open(`${host.url}events/digital-river/evt_1`, { allowed: /status of 401/ })
  const field = page.getByLabel("Operator's token")
  await field.fill('rha_wrong')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').getByText('No operator has this token').waitFor()
  await field.fill(token)
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Event evt_1' }).getByText('•••• (string, 13)').waitFor()
  await page.getByText('bea').waitFor()
  t.equal(await page.getByRole('button', { name: 'Reveal' }).count(), 0, 'it needs the scope "reveal"')
  await page.reload()
  await page.getByText('bea').waitFor()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await field.waitFor()
  await page.reload()
  await field.waitFor()
})

browserTest('a token in the fragment signs in, and leaves the address', async (t, open) => {
  const { token, line } = newToken('bea', ['read'])
  const host = await startHost(t, { tokens: line })
  const page = await open(`${host.url}#token=${token}`)
  await page.getByText('bea').waitFor()
  t.equal(page.url(), host.url)
  await page.reload()
  await page.getByText('bea').waitFor()
})

browserTest('where the host decides who may come in, the page asks for no token', async (t, open) => {
  const host = await startHost(t, { authenticate: () => undefined })
  const page = await open(host.url)
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor()
  t.equal(await page.getByRole('textbox').count(), 0)
})
