import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

import type { Source } from '../../src/index.ts'
import { sourceContract } from '../../src/testing/index.ts'
import { runProcess } from '../processes.ts'
import { tablePattern } from '../readme-tables.ts'
import { hmacPage, hmacTable, hmacTableName } from './hmac-table.ts'
import { codeOnPage, configIn, receiverOf } from './receiver-of.ts'

// Risk: a merchant's own source, whose first lines are copied from this page.

const page = 'write-a-source'
const secret = 'a-secret'
const json = { 'content-type': 'application/json' }

t.test('the described source receives signed requests', async (t) => {
  const folder = codeOnPage(t, page)
  const config = await configIn(join(folder, 'riverhook.config.ts'), { RIVERHOOK_SECRETS: secret })
  const { deliver, riverhook, settled, logged, refused } = receiverOf(t, config)
  await riverhook.start()
  const body = JSON.stringify({ event_id: 'ev_1', event_type: 'invoice.paid', invoice: 'i1', amount: 3 })
  const signedAt = (seconds: number): Record<string, string> => ({
    ...json,
    'X-Signature': `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`
  })
  const now = Math.floor(Date.now() / 1_000)
  const post = async (headers: Record<string, string>, text = body) => deliver(headers, Buffer.from(text))
  t.match(await post(signedAt(now)), { status: 202 }, String(refused.at(-1)))
  await settled(1)
  t.match(logged, [/i1.*book it/])
  t.match(await post(signedAt(now - 1)), { status: 202, body: /duplicate/ })
  t.match(await post(signedAt(now), body.replace('3', '4')), { status: 401 })
  t.match(await post(signedAt(now - 3_600)), { status: 401 })
  t.match(await post(json), { status: 401 })
  t.equal(logged.length, 1)
})

t.test('its test passes', async (t) => {
  const file = join(codeOnPage(t, page), 'payments.test.ts')
  const { code, stdout } = await runProcess(process.execPath, ['--conditions=riverhook-source', '--test', file])
  t.equal(code, 0, stdout)
  t.match(stdout, /pass 1[0-9]/)
})

t.test('the hand-written source receives signed requests', async (t) => {
  const file = join(codeOnPage(t, page), 'tickets.config.ts')
  const config = await configIn(file, { RIVERHOOK_SECRETS: secret })
  const { deliver, riverhook, settled, logged } = receiverOf(t, config)
  await riverhook.start()
  const body = '{"ticket":"t1"}'
  const sign = (id: string): string => createHmac('sha256', secret).update(`${id}.ticket.sold.${body}`).digest('hex')
  const headers = { 'x-id': 'e1', 'x-type': 'ticket.sold', 'x-signature': sign('e1') }
  const post = async (changes: object, text = body) => deliver({ ...json, ...headers, ...changes }, Buffer.from(text))
  t.match(await post({}), { status: 202 })
  await settled(1)
  t.match(logged, [/t1.*print it/])
  t.match(await post({ 'x-id': 'e2' }), { status: 401 })
  t.match(await post({ 'x-signature': '' }), { status: 401 })
  t.match(await post({}, '{"ticket":"t2"}'), { status: 401 })
  const { tickets } = (await import(pathToFileURL(file).href)) as { readonly tickets: Source }
  const sample = { body, headers, secret, events: [{ id: 'e1', type: 'ticket.sold' }] }
  await sourceContract(t, tickets, [sample], { requests: 300 })
})

t.test('the table of the options is up to date', async (t) => {
  const found = tablePattern(hmacTableName).exec(readFileSync(hmacPage, 'utf8'))?.[2]?.trim()
  t.equal(found, hmacTable(), 'run test/readme-tables.ts to write it')
})
