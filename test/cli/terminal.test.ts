import { createServer } from 'node:http'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'

import { openInbox } from '../../src/index.ts'
import { visible } from '../../src/programs.ts'
import { compactJson, indentJson } from '../../src/cli/json-text.ts'
import { anyText } from '../any-text.ts'
import { makeFolder } from '../folder.ts'
import { arrival } from '../inbox/arrivals.ts'
import { claim, settleAll } from '../inbox/contract.ts'
import { cliHere, start } from './rig.ts'

// Risk: a terminal that shows false data. A customer's name in an error could clear the screen, type into some
// terminals, or show another amount than the stored one.

/** Clears the screen, sets the title, reorders text, starts a C1 sequence, moves to the start of the line. */
const hostile = 'x\x1b[2J\x1b]0;owned\x07\u202eabc\u009b31m\u2028\rz'
// eslint-disable-next-line no-control-regex
const obeyed = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]/

t.test('no control character of external data reaches the terminal', async (t) => {
  const folder = makeFolder(t, {})
  const env = { RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}`, RIVERHOOK_SECRETS: 'whk_a' }
  const inbox = openInbox(env.RIVERHOOK_INBOX)
  await inbox.open()
  t.teardown(() => inbox.close())
  await inbox.adopt([{ name: `ship${hostile}`, source: 'digital-river', pattern: '*', ordered: false }])
  await inbox.record([
    arrival(`id${hostile}`, [{ handler: `ship${hostile}`, orderKey: `key${hostile}` }], {
      type: `order.${hostile}`,
      body: Buffer.from(hostile)
    })
  ])
  await settleAll(inbox, await claim(inbox, [`ship${hostile}`]), { state: 'dead', error: `Error: ${hostile}` })
  const answering = createServer((_request, response) => response.writeHead(500).end(hostile)).listen(0, '127.0.0.1')
  t.teardown(() => answering.close())
  await once(answering, 'listening')
  const url = `http://127.0.0.1:${(answering.address() as AddressInfo).port}/`
  const file = join(folder, 'event.json')
  writeFileSync(file, '{}')
  await inbox.close()

  for (const args of [
    ['events', 'list'],
    ['events', 'list', '--json'],
    ['events', 'show', `id${hostile}`, '--payload'],
    ['events', 'show', `id${hostile}`, '--json'],
    ['stats'],
    ['stats', '--json'],
    ['events', 'show', `nope${hostile}`],
    ['events', 'replay', `id${hostile}`],
    ['events', 'list', '--type', hostile],
    ['send', file, '--url', url],
    ['send', file, '--url', `http://127.0.0.1:1/${hostile}`],
    ['trigger', 'order.accepted', '--url', url],
    [hostile]
  ]) {
    const { stdout, stderr } = await cliHere(args, env)
    t.notMatch(stdout + stderr, obeyed, args.map(visible).join(' '))
    t.ok((stdout + stderr).length > 0, 'something is shown')
    if (args.includes('--json'))
      t.match(
        stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
        [Object],
        'the JSON stays JSON'
      )
  }
  const [listed] = (await cliHere(['events', 'list', '--json'], env)).stdout.split('\n')
  t.equal((JSON.parse(listed!) as { id: string }).id, `id${hostile}`, 'an escape in JSON means the same character')
})

t.test('webhooks list shows a hostile address as plain text', async (t) => {
  const { river, cli } = await start(t)
  river.addWebhook({ address: `http://a.example/${hostile}`, types: ['order.accepted'] })
  for (const args of [
    ['webhooks', 'list'],
    ['webhooks', 'list', '--json']
  ])
    t.notMatch((await cli(...args)).stdout, obeyed)
})

t.test('any text is shown without control characters; in JSON its meaning is kept', (t) => {
  fc.assert(
    fc.property(anyText(), (text) => {
      const shown = visible(text)
      return !obeyed.test(shown) && JSON.parse(visible(JSON.stringify(text))) === text
    })
  )
  t.end()
})

t.test('events show prints a payload as it was received, if personal data may be shown', async (t) => {
  const folder = makeFolder(t, {})
  const env = { RIVERHOOK_INBOX: `sqlite:${join(folder, 'inbox.db')}` }
  const inbox = openInbox(env.RIVERHOOK_INBOX)
  await inbox.open()
  t.teardown(() => inbox.close())
  const odd = '{ "id":"odd", "n": [12345678901234567890, 1.0, 1e400, -0],\n"t":"\\u00e9 \\ufffd","e":{},"l":[ ] }'
  const deep = `{"id":"deep","d":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  await inbox.record([
    arrival('odd', [], { body: Buffer.from(odd) }),
    arrival('deep', [], { body: Buffer.from(deep) }),
    arrival('bytes', [], { body: Buffer.from([0xff, 0x00]) })
  ])
  await inbox.close()
  const short = await cliHere(['events', 'show', 'odd'], env)
  t.match(short.stdout, /The payload has 95 bytes; to see it, add --payload\n$/)
  const shown = await cliHere(['events', 'show', 'odd', '--payload', '--reveal'], env)
  t.match(
    shown.stdout,
    '  "n": [\n    12345678901234567890,\n    1.0,\n    1e400,\n    -0\n  ],\n  "t": "\\u00e9 \\ufffd",\n  "e": {},\n  "l": []\n}'
  )
  t.match(
    (await cliHere(['events', 'show', 'odd', '--json', '--reveal'], env)).stdout,
    '"body":{"id":"odd","n":[12345678901234567890,1.0,1e400,-0],'
  )
  t.equal((await cliHere(['events', 'show', 'odd', '--raw'], env)).stdout, odd)
  for (const flags of [[], ['--payload'], ['--json'], ['--raw'], ['--payload', '--reveal'], ['--json', '--reveal']])
    t.equal((await cliHere(['events', 'show', 'deep', ...flags], env)).code, 0)
  t.match((await cliHere(['events', 'show', 'bytes', '--payload', '--reveal'], env)).stdout, 'base64:/wA=')
  t.match(
    (await cliHere(['events', 'show', 'bytes', '--payload'], env)).stdout,
    '\n2 bytes, masked; to see them, add --reveal'
  )
  t.notOk('body' in (JSON.parse((await cliHere(['events', 'show', 'bytes', '--json'], env)).stdout) as object))
  t.match(await cliHere(['events', 'show', 'odd', '--payload', '--raw'], env), {
    code: 2,
    stderr: 'riverhook: Give one of --raw, --json and --payload\n'
  })
})

t.test('JSON is formatted as text: values are unchanged, only white space is added or removed', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      return (
        compactJson(JSON.stringify(value, undefined, '\t')) === text &&
        indentJson(text) === JSON.stringify(value, undefined, 2)
      )
    })
  )
  t.end()
})
