import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'

import { loadSource, sourceNames } from '../../src/options/source-by-name.ts'
import { github, shopify, standardWebhooks, stripe } from '../../src/sources.ts'
import type { HmacSource } from '../../src/sources.ts'
import { configOnPage, receiverOf } from './receiver-of.ts'
import { shownLimits, sourcesPage, withTimes } from './sources-table.ts'

// Risk: a page of a provider whose code does not work as it stands.

const docs = new URL('../../docs/', import.meta.url)
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const pages: readonly [page: string, source: HmacSource, type: string, body: object, log: RegExp][] = [
  [
    'stripe',
    stripe(),
    'invoice.paid',
    {
      id: 'evt_1',
      object: 'event',
      type: 'invoice.paid',
      created: 1_700_000_000,
      livemode: false,
      data: { object: { id: 'in_1' } }
    },
    /in_1.*book it/
  ],
  ['github', github(), 'issues.opened', { action: 'opened', issue: { number: 7 } }, /7.*triage it/],
  ['shopify', shopify(), 'orders/create', { id: 450_789_469 }, /450789469.*ship it/],
  [
    'standard-webhooks',
    standardWebhooks({ prefix: 'svix' }),
    'user.created',
    { type: 'user.created', data: { id: 'user_1' } },
    /user_1.*welcome/
  ]
]

for (const [page, source, type, body, log] of pages)
  t.test(`the config on the page ${page} runs`, async (t) => {
    const { deliver, riverhook, settled, logged, refused } = receiverOf(
      t,
      await configOnPage(t, page, { RIVERHOOK_SECRETS: secret })
    )
    await riverhook.start()
    const bytes = Buffer.from(JSON.stringify(body))
    const headers = source.sign({ body: bytes, secret, at: new Date(), id: 'msg_1', type })
    t.match(
      await deliver({ 'content-type': 'application/json', ...headers }, bytes),
      { status: 202 },
      String(refused.at(-1))
    )
    await settled(1)
    t.match(logged, [log])
    const other = Buffer.from(JSON.stringify({ ...body, more: true }))
    t.match(await deliver({ 'content-type': 'application/json', ...headers }, other), { status: 401 })
  })

t.test('every source by name has a row and a page', async (t) => {
  const list = readFileSync(sourcesPage, 'utf8')
  // To write the times: node --conditions=riverhook-source test/readme-tables.ts
  t.equal(list, await withTimes(list), 'the last two columns are the limits of the sources')
  for (const name of sourceNames.filter((name) => name !== 'digitalRiver')) {
    const [, page] = new RegExp(`^\\| \\[[^\\]]*\\]\\(([\\w-]+\\.md)\\) \\| \`${name}\` \\|`, 'm').exec(list) ?? []
    t.ok(page !== undefined && existsSync(new URL(`sources/${page}`, docs)), name)
    const source = await loadSource(name)
    const [row = ''] = list.split('\n').filter((line) => line.includes(`| \`${name}\` |`))
    t.equal(row.includes('| sync'), source?.api !== undefined, `${name}: registration`)
    const text = page === undefined ? '' : readFileSync(new URL(`sources/${page}`, docs), 'utf8')
    const comments = readFileSync(new URL(`../src/source/${String(page).replace('.md', '.ts')}`, docs), 'utf8')
    const [limits = ''] = /\* - \*\*Limits\*\*[^]*?\n \*\n/.exec(comments) ?? []
    for (const time of Object.values(shownLimits(source?.limits)).filter((shown) => shown !== undefined)) {
      t.match(/\n## Times\n[^]*/.exec(text)?.[0], time, `${name}: the limits on its page`)
      t.match(limits.replaceAll(/\n \*\s+/g, ' '), time, `${name}: the limits in its docstring`)
    }
  }
})
