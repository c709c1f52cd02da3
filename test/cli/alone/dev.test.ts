import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

import { openTunnel } from '../../../src/cli/dev/tunnel.ts'
import { createDigitalRiver } from '../../../src/testing/index.ts'
import { buildPage } from '../../../src/page/build.ts'
import { makeFolder } from '../../folder.ts'
import { runCli, startCli, startListening } from '../../processes.ts'
import { snippets } from '../../readme-snippets.ts'
import { onTerminal, skip, tooWide } from '../on-terminal.ts'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

// Risk: the first thing that a person opens shows an error.
t.test('the address that npm start prints opens the page, and its token opens the API', async (t) => {
  await buildPage()
  const cwd = makeFolder(t)
  const server = startCli(['dev', '--show', '--port', '0'], {}, cwd)
  t.teardown(() => server.kill('SIGKILL'))
  let output = ''
  for await (const chunk of server.stdout) {
    output += String(chunk)
    if (output.includes('Press Ctrl-C to stop')) break
  }
  const [, address = '', token = ''] = / page +(http:\S+\/)#token=(\S+)\n/.exec(output) ?? []
  const page = await fetch(address)
  t.equal(page.status, 200)
  const html = await page.text()
  const [, script = ''] = /<script[^>]* src="([^"]+)"/.exec(html) ?? []
  t.equal((await fetch(new URL(script, address))).status, 200, 'its script')
  const headers = { authorization: `Bearer ${token}` }
  const list = await fetch(new URL('api/v1/events?state=dead', address), { headers })
  t.equal(list.status, 200)
  t.match(await list.json(), { events: [{ deliveries: [{ handler: 'renew-licence', state: 'dead' }] }] })
  t.equal((await fetch(new URL('api/v1/events', address))).status, 401, 'without the token')
  t.match(await runCli(['trigger', 'order.accepted'], { cwd }), { code: 0, stdout: /^202 / }, 'it needs no flags')
})

// The retry is so late that it never runs before the keys and the reload that a test waits for.
const project = {
  'package.json': '{ "type": "module" }',
  'erp.js': "export const answer = () => 'ERP answered 503'\n",
  handlers: {
    'orders.js': `
import { defineHandler } from 'riverhook'
import { answer } from '../erp.js'
export default [
  defineHandler('order.accepted', { name: 'erp', retry: { base: '30d', cap: '30d' } }, (event, { log }) => {
    log.info({ order: event.data.object.id }, 'booking')
    throw new Error(answer())
  }),
  defineHandler('*', { name: 'audit' }, () => undefined)
]
`
  }
}

// Risk: the first hour is spent on restarts, flags and JSON instead of on the handler.
t.test('on a terminal: the handlers, what happens, the keys, and the new code after a change', { skip }, async (t) => {
  const cwd = makeFolder(t, project)
  const dev = onTerminal(t, 80, 'dev --handlers handlers --port 0', cwd)
  const ready = await dev.until(/Ctrl-C to stop/)
  t.match(ready, /\n {2}URL {5}http:\S+\/webhooks\/digital-river\n {2}secret {2}whk_\S+\n {2}inbox {3}sqlite:\S+\n/)
  t.match(ready, /\nhandler +events +source *\nerp +order\.accepted +digital-river *\naudit +\* +digital-river *\n/)
  dev.type('t')
  await dev.until(/→ order\.accepted \S{4} 202 [\d.]+ ms\n/)
  await dev.until(/· erp: booking order="\d+"\n/)
  await dev.until(/✗ erp retry in \d+ (?:min|h|days): ERP answered 503\n {4}at handlers\/orders\.js:7:11\n/)
  await dev.until(/✓ audit [\d.]+ ms\n/)
  writeFileSync(join(cwd, 'erp.js'), "export const answer = () => 'ERP answered 504'\n")
  await dev.until(/↻ erp\.js changed: reloaded in \d+ ms\n/)
  dev.type('r')
  await dev.until(/· 1 delivery of order\.accepted \S{4} will run now: erp\n/)
  await dev.until(/✗ erp .*: ERP answered 504\n/)
  writeFileSync(join(cwd, 'erp.js'), 'export const answer = nonsense\n')
  await dev.until(/✗ not reloaded, the version before still runs: .*\n/)
  writeFileSync(join(cwd, 'handlers/orders.js'), 'export default 7 +\n')
  t.notMatch(
    await dev.until(/orders\.js\s+failed\s+to\s+load:\s+SyntaxError[^)]*\)/),
    /generation|file:/,
    'a path as seen from here'
  )
  dev.type('to?')
  await dev.until(/ {2}o {2}open the operator's page\n/)
  t.match(await runCli(['trigger', 'refund.failed'], { cwd }), { code: 0, stdout: /^202 / }, 'it needs no flags')
  t.match(await runCli(['events', 'list'], { cwd }), { stdout: /refund\.failed +done 1/ })
  t.match(await runCli(['stats', '--json'], { cwd }), { code: 0 })
  t.same(tooWide(dev.lines, 80), [])
  dev.type('\x03')
  t.same(await dev.ended, [0, null])
  t.notOk('pid' in (JSON.parse(readFileSync(join(cwd, '.riverhook/dev.json'), 'utf8')) as object))
})

t.test('the show fits a terminal, and ends with what to do next', { skip }, async (t) => {
  const show = async (columns: number): Promise<void> => {
    const dev = onTerminal(t, columns, 'dev --show --port 0', makeFolder(t))
    const output = await dev.until(/Ctrl-C to stop/)
    t.match(
      output,
      /\n8 of 8 steps as expected\n\n {2}URL {5}http:\S+\n {2}secret {2}\S+\n {2}inbox {3}\S+\n {2}page\s+http:/
    )
    t.same(tooWide(dev.lines, columns), [])
    dev.type('t')
    await dev.until(/✓ audit [\d.]+ ms\n/)
    dev.type('\x03')
    await dev.ended
    t.notMatch(dev.lines.join('\n'), /"level":/)
  }
  await show(80)
  await show(120)
})

// Risk: a mistake in a file ends the server, or old code runs after the file was repaired.
t.test('on a terminal: mistakes in files are reported, and the next save is loaded', { skip }, async (t) => {
  const config = (more: string): string => `export default { handlers: 'handlers', ${more} }\n`
  const handler =
    "import { defineHandler } from 'riverhook'\nexport default defineHandler('*', { name: 'one' }, () => 1)\n"
  const cwd = makeFolder(t, {
    'package.json': '{ "type": "module" }',
    'riverhook.config.js': config(''),
    handlers: { 'one.js': handler }
  })
  const at = (name: string): string => join(cwd, name)
  const dev = onTerminal(t, 80, 'dev --port 0', cwd)
  // The terminal breaks lines between words.
  const says = (text: string) => dev.until(new RegExp(text.replaceAll(' ', '\\s+')))
  await says('Ctrl-C to stop')
  writeFileSync(at('riverhook.config.js'), config('retrys: 3'))
  await says('not reloaded, the version before still runs: .* option "retrys" is unknown; did you mean "retry"')
  writeFileSync(at('riverhook.config.js'), config("handlers: 'nowhere'"))
  await says('The handlers folder nowhere does not exist: create it')
  writeFileSync(at('riverhook.config.js'), config(''))
  await says('riverhook.config.js changed: reloaded in')
  writeFileSync(at('handlers/one.js'), '\nthrow new Error("no database")\n')
  await says('one.js failed to load: Error: no database .one.js:2.')
  unlinkSync(at('handlers/one.js'))
  await says('one.js changed: reloaded in \\d+ ms: there are no handlers, so nothing runs')
  rmSync(at('handlers'), { recursive: true })
  await says('The handlers folder handlers does not exist')
  mkdirSync(at('handlers'))
  writeFileSync(at('handlers/one.js'), handler)
  await dev.until(/handlers(\/one\.js)? changed: reloaded in \d+ ms\n/)
  dev.type('t')
  await says('✓ one')
  t.match(await runCli(['dev', '--port', '0'], { cwd }), {
    code: 2,
    stderr: /riverhook dev runs in this folder already, as process \d+, at http:\S+: use it, or end it with Ctrl-C/
  })
  dev.type('\x03')
  t.same(await dev.ended, [0, null])
})

// Risk: a change of a file aborts an order that is being booked.
t.test('piped: JSON; an attempt in progress ends with the old code; the configuration is loaded again', async (t) => {
  let answer: ServerResponse | undefined
  const asked = Promise.withResolvers<undefined>()
  const erp = createServer((_request, response) => {
    if (answer !== undefined) response.end('ok')
    answer ??= response
    asked.resolve(undefined)
  }).listen(0, '127.0.0.1')
  t.teardown(() => erp.close())
  await once(erp, 'listening')
  const config = (path: string, word: string): string => `
import { defineConfig, defineHandler } from 'riverhook'
const book = defineHandler('order.*', { name: 'book' }, async (_event, { log }) => {
  await fetch('http://127.0.0.1:${(erp.address() as AddressInfo).port}/')
  log.info('booked ${word}')
})
export default defineConfig({ path: '${path}', inbox: 'sqlite:/nowhere/production.db', handlers: book, register: { address: 'https://shop.example/hook' } })
`
  const cwd = makeFolder(t, { 'riverhook.config.mjs': config('/old', 'old') })
  const dev = await startListening([main, 'dev', '--port', '0'], {}, cwd)
  t.teardown(() => dev.end('SIGKILL'))
  t.match(await runCli(['trigger', 'order.accepted'], { cwd }), { code: 0, stdout: /^202 / })
  await asked.promise
  writeFileSync(join(cwd, 'riverhook.config.mjs'), config('/new', 'new'))
  await dev.line(/riverhook\.config\.mjs changed: waiting for the attempts in progress/)
  answer?.end('ok')
  await dev.line(/"msg":"booked old"/)
  await dev.line(/reloaded in \d+ ms/)
  const sent = runCli(['trigger', 'order.accepted', '--endpoint', '/new'], { cwd })
  await dev.line(/"endpoint":"\/new".*"msg":"event accepted"/)
  t.match(await sent, { code: 0 })
  await dev.line(/"msg":"booked new"/)
  t.notOk(
    dev.lines.some((line) => line.includes('"attempt":2')),
    'nothing ran twice'
  )
  t.equal(await dev.end('SIGTERM'), 0)
})

// Risk: a webhook that is left at the provider, and sends to an address of somebody else.
t.test('--tunnel: the public address is registered, leads here, and is deleted at the end', async (t) => {
  const river = await createDigitalRiver()
  t.teardown(() => river.close())
  const cwd = makeFolder(t, {
    ...project,
    bin: {
      cloudflared: `#!${process.execPath}
process.stderr.write('INF https://quiet-river.trycloudflare.com for ' + process.argv.slice(2).join(' ') + '\\n')
setInterval(() => undefined, 1_000)
`
    }
  })
  chmodSync(join(cwd, 'bin/cloudflared'), 0o755)
  const api = { DIGITAL_RIVER_API_URL: river.url, DIGITAL_RIVER_API_KEY: river.apiKey }
  const [, , ...words] = snippets.get('tunnel')?.trim().split(' ') ?? []
  t.same(words, ['dev', '--tunnel'], 'the recipe')
  const args = [main, ...words, '--handlers', 'handlers', '--port', '0']
  const dev = await startListening(args, { ...api, PATH: `${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}` }, cwd)
  t.teardown(() => dev.end('SIGKILL'))
  const address = 'https://quiet-river.trycloudflare.com/webhooks/digital-river'
  t.match(river.webhooks, [{ address, enabled: true }])
  t.match(dev.lines.join('\n'), `registered ${address}; it is deleted at the end`)
  t.equal(await dev.end('SIGTERM'), 0)
  t.same(river.webhooks, [])
  // The tests start their children with the command env.
  symlinkSync('/usr/bin/env', join(cwd, 'env'))
  t.match(await runCli(['dev', '--handlers', 'handlers', '--port', '0', '--tunnel'], { cwd, env: { PATH: cwd } }), {
    code: 2,
    stderr: /needs a tunnel program on the PATH, and there is none\. Install cloudflared .* or ngrok/
  })
})

// Risk: the provider sends to an address that leads nowhere or to somebody else, and nothing says so.
t.test('--tunnel: a program that fails, and one that ends later', async (t) => {
  const start = (script: string): string => {
    const cwd = makeFolder(t, { ...project, bin: { cloudflared: `#!/bin/sh\n${script}\n` } })
    chmodSync(join(cwd, 'bin/cloudflared'), 0o755)
    return cwd
  }
  const envOf = (cwd: string) => ({ PATH: `${join(cwd, 'bin')}:${process.env['PATH'] ?? ''}` })
  const args = ['dev', '--handlers', 'handlers', '--port', '0', '--tunnel']
  const failing = start(`echo 'failed: Post "https://api.trycloudflare.com/tunnel": timeout' >&2; exit 3`)
  t.match(await runCli(args, { cwd: failing, env: envOf(failing) }), {
    code: 2,
    stderr: /cloudflared ended with code 3: failed: Post "https:\/\/api/
  })
  const cwd = start(
    'echo https://one.trycloudflare.com; echo https://two.trycloudflare.com; until test -e end; do sleep 0.1; done; exit 4'
  )
  const dev = await startListening([main, ...args], envOf(cwd), cwd)
  t.teardown(() => dev.end('SIGKILL'))
  t.match(dev.lines.join('\n'), '"public":"https://one.trycloudflare.com"')
  t.match(dev.lines.join('\n'), /is not registered: No API key/)
  writeFileSync(join(cwd, 'end'), '')
  await dev.line(
    /cloudflared ended with code 4: its public address leads nowhere now\. Start riverhook dev --tunnel again/
  )
  t.equal(await dev.end('SIGTERM'), 0)
})

// Risk: the start waits forever, or a tunnel is left open that nothing knows of.
t.test('--tunnel: a program that gives no address is ended after its limit', async (t) => {
  const cwd = makeFolder(t, { bin: { cloudflared: '' } })
  const alive = createServer().listen(0, '127.0.0.1')
  t.teardown(() => alive.close())
  await once(alive, 'listening')
  writeFileSync(
    join(cwd, 'bin/cloudflared'),
    `#!${process.execPath}\nfetch('http://127.0.0.1:' + process.argv.at(-1).split(':').at(-1))\n`
  )
  chmodSync(join(cwd, 'bin/cloudflared'), 0o755)
  const { PATH } = process.env
  process.env['PATH'] = join(cwd, 'bin')
  const limit = new AbortController()
  const opening = openTunnel((alive.address() as AddressInfo).port, limit.signal)
  process.env['PATH'] = PATH
  const [request] = (await once(alive, 'request')) as [IncomingMessage]
  const ended = once(request.socket, 'close')
  limit.abort()
  await t.rejects(opening, { code: 'RIVERHOOK_CLI_USAGE', message: 'cloudflared gave no public address within 60 s' })
  await ended
})

// Risk: a key does nothing, and does not say why.
t.test(
  'keys: no failure, a failure that is repaired, no browser, and types of another provider',
  { skip },
  async (t) => {
    const cwd = makeFolder(t, {
      'package.json': '{ "type": "module" }',
      'riverhook.config.js': `
import { existsSync } from 'node:fs'
import { defineHandler } from 'riverhook'
import { stripe } from 'riverhook/sources'
const payments = stripe()
export default {
  endpoints: [
    { path: '/river', secrets: 'whk_one' },
    { path: '/stripe', source: payments, secrets: 'whsec_two' }
  ],
  handlers: [
    defineHandler('order.accepted', { name: 'erp' }, () => {
      if (!existsSync('repaired')) throw new Error('ERP answered 503')
    }),
    defineHandler(payments, '*', { name: 'pay' }, () => undefined)
  ]
}
`
    })
    const dev = onTerminal(t, 80, 'dev --port 0', cwd)
    await dev.until(/Ctrl-C to stop/)
    dev.type('r')
    await dev.until(/· Nothing has failed since the start; for earlier failures: riverhook failures\n/)
    t.match(await runCli(['trigger', 'charge.failed', '--endpoint', '/stripe'], { cwd }), { code: 0 })
    await dev.until(/✓ pay/)
    dev.type('t')
    await dev.until(/→ order\.accepted \S{4} 202 /)
    await dev.until(/✗ erp retry in \d+ s: ERP answered 503\n/)
    writeFileSync(join(cwd, 'repaired'), '')
    dev.type('r')
    await dev.until(/✓ erp/)
    dev.type('r')
    await dev.until(/· Nothing runs again: the last failure, erp of order\.accepted \S{4}, is done\n/)
    dev.type('o')
    await dev.until(/\n {2}page\s+http:\S+#token=\S+\n[^]*\n {2}page\s+http:\S+#token=\S+\n/)
    t.same(tooWide(dev.lines, 80), [])
    dev.type('\x03')
    t.same(await dev.ended, [0, null])
  }
)

t.test('a start that fails ends, and says what to do', async (t) => {
  const cwd = makeFolder(t, { handlers: { 'wrong.js': 'export default nonsense' } })
  t.match(await runCli(['dev', '--handlers', 'handlers', '--port', '0'], { cwd }), {
    code: 1,
    stderr: /wrong\.js failed to load: ReferenceError: nonsense is not defined/
  })
  t.match(await runCli(['dev'], { cwd: makeFolder(t) }), {
    code: 2,
    stderr: /nothing to run in .*: pass --handlers FOLDER, write riverhook\.config\.ts, or .*riverhook dev --show/
  })
})
