import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import t, { type Test } from 'tap'

import { defineConfig } from '../../src/index.ts'
import { readConfigFile, type ConfigFile } from '../../src/options/config-file.ts'
import { readConfig } from '../../src/options/environment.ts'
import { createServer } from '../../src/server/server.ts'
import { cliHere } from '../cli/rig.ts'
import { makeFolder } from '../folder.ts'
import { startServer } from '../processes.ts'
import { event, post, signatureHeaders } from '../receive/receiver.ts'

// Risk: a server that starts with settings other than those in the file.

let folders = 0

/** A new folder for each test, because a module is imported once per path. */
function place(t: Test, files: Readonly<Record<string, string>>): string {
  folders += 1
  return join(makeFolder(t, { [`f${folders}`]: files }), `f${folders}`)
}

async function read(t: Test, content: string, name = 'riverhook.config.ts'): Promise<ConfigFile> {
  const file = await readConfigFile({}, place(t, { [name]: content }))
  if (file === undefined) throw new Error(`${name} was not found`)
  return file
}

const configOf = (config: object): ConfigFile => ({
  path: '/app/riverhook.config.ts',
  name: 'riverhook.config.ts',
  config: config as Readonly<Record<string, unknown>>,
  exposed: []
})

t.test(
  'a config file is found in the folder, or by RIVERHOOK_CONFIG, and its import of riverhook resolves to this package',
  async (t) => {
    const content =
      "import { defineConfig, defineHandler } from 'riverhook'\nconst port: number = 9001\nexport default defineConfig({ port, secrets: 'whk_a', handlers: [defineHandler('*', () => undefined)] })\n"
    const { config, name } = await read(t, content)
    t.match(config, { port: 9001, secrets: 'whk_a', handlers: [{ pattern: '*' }] })
    t.equal(name, 'riverhook.config.ts')
    for (const other of ['riverhook.config.js', 'riverhook.config.mjs'])
      t.match((await read(t, "export default { secrets: 'whk_b' }\n", other)).config, { secrets: 'whk_b' })
    const folder = place(t, {
      'mine.mjs': "export default { secrets: 'whk_c' }\n",
      'riverhook.config.js': 'throw 1'
    })
    t.match((await readConfigFile({ RIVERHOOK_CONFIG: 'mine.mjs' }, folder))?.config, { secrets: 'whk_c' })
    t.match((await readConfigFile({ RIVERHOOK_CONFIG: join(folder, 'mine.mjs') }))?.config, { secrets: 'whk_c' })
    t.equal(await readConfigFile({}, makeFolder(t)), undefined)
  }
)

t.test('a file that is not a config is refused, with its path and the expected content', async (t) => {
  const wrong: readonly (readonly [content: string, message: RegExp])[] = [
    ['export const config = {}\n', /has no default export: write export default defineConfig/],
    ['export default () => ({})\n', /must export an object, .* it exports a function/],
    ['export default []\n', /it exports an array/],
    ['export default null\n', /it exports null/],
    ["export default Promise.reject(new Error('late'))\n", /exports a promise: write await in front/],
    ["throw new Error('no database')\n", /failed to load: Error: no database/],
    ['export default {\n', /failed to load: SyntaxError/],
    ["import 'nowhere'\n", /failed to load: Error: Cannot find package 'nowhere'/]
  ]
  for (const [content, message] of wrong)
    await t.rejects(
      read(t, content, 'riverhook.config.mjs'),
      { code: 'RIVERHOOK_OPTIONS_CONFIG_FILE', message },
      content
    )
  const both = place(t, { 'riverhook.config.ts': '', 'riverhook.config.js': '' })
  await t.rejects(readConfigFile({}, both), /riverhook\.config\.ts and riverhook\.config\.js are both in/)
  await t.rejects(readConfigFile({ RIVERHOOK_CONFIG: '' }), /RIVERHOOK_CONFIG is empty/)
  await t.rejects(
    readConfigFile({ RIVERHOOK_CONFIG: 'no.ts' }, both),
    /RIVERHOOK_CONFIG names .*no\.ts, which does not exist/
  )
  const hanging = place(t, { 'riverhook.config.mjs': 'await new Promise(() => {})\nexport default {}\n' })
  await t.rejects(readConfigFile({}, hanging, 1), /has not finished loading within/)
})

t.test('variables override single settings of the file, and the log names both', async (t) => {
  const file = configOf(
    defineConfig({
      port: 1,
      drainDelay: '2s',
      secrets: 'whk_file',
      tolerance: '1m',
      register: { address: 'https://a.example', apiKey: 'sk_test_file', every: '1h' },
      onDead: () => undefined
    })
  )
  const { options, configFile, ...server } = readConfig(
    {
      RIVERHOOK_PORT: '2',
      RIVERHOOK_SECRETS: 'whk_variable',
      RIVERHOOK_REGISTER_EVERY: '2h',
      DIGITAL_RIVER_API_KEY: 'sk_test_variable'
    },
    file
  )
  t.match(server, { port: 2, drainDelay: 2_000, host: '127.0.0.1', logLevel: 'info' })
  t.match(options, {
    secrets: ['whk_variable'],
    tolerance: '1m',
    register: { address: 'https://a.example', every: '2h', apiKey: undefined },
    onDead: Function
  })
  t.same(configFile, {
    path: '/app/riverhook.config.ts',
    overriddenBy: ['RIVERHOOK_PORT', 'RIVERHOOK_REGISTER_EVERY', 'RIVERHOOK_SECRETS', 'DIGITAL_RIVER_API_KEY']
  })
  const one = readConfig({ RIVERHOOK_SECRETS: 'b' }, configOf({ endpoints: [{ path: '/a', secrets: 'a' }] }))
  t.same(
    one.options,
    { endpoints: [{ path: '/a', secrets: ['b'] }] },
    'a list of one endpoint is treated as that endpoint'
  )
  t.same(readConfig({}, configOf({ backfill: {}, secrets: undefined })).options, { backfill: {} })
  t.match(readConfig({ RIVERHOOK_BACKFILL_OVERLAP: '2h' }, configOf({ backfill: { every: '1m' } })).options, {
    backfill: { every: '1m', overlap: '2h' }
  })
})

t.test('all mistakes are reported at once, each with its file or variable', async (t) => {
  const file = configOf({
    prot: 1,
    port: 'x',
    webhookSecret: 'a',
    tolerance: 0,
    grace: '1y',
    endpoints: [
      { secrets: 'a', path: 'x' },
      { path: '/b', secrets: 'b' }
    ]
  })
  t.throws(() => readConfig({ RIVERHOOK_GRACE: '5', RIVERHOOK_PATH: '/c', RIVERHOOK_CONCURRENCY: '0' }, file), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: `10 settings are wrong
  - RIVERHOOK_CONCURRENCY must be a whole number from 1
  - RIVERHOOK_GRACE must have a unit: write 500ms, 30s, 5m, 24h or 30d, not only a number
  - riverhook.config.ts: option "prot" is unknown; did you mean "port"?
  - riverhook.config.ts: option "webhookSecret" is unknown; did you mean "secrets"?
  - riverhook.config.ts: option "port" must be a whole number from 0 to 65535
  - RIVERHOOK_PATH is of a single endpoint, and riverhook.config.ts has a list of them: set "path" there, at the endpoint that it is for; to read it from a variable, give the variable another name
  - riverhook.config.ts: option "tolerance" must be at least 1ms (and at most 365d)
  - riverhook.config.ts: option "grace" must be a span of time such as "90s", "15m", "24h" or "30d", or a number of milliseconds, from 0s to 24d
  - riverhook.config.ts: option "tolerance" belongs in an entry of "endpoints" if there is such a list
  - riverhook.config.ts: option "endpoints[0].path" must begin with a slash, such as /webhooks/digital-river`
  })
  t.throws(() => readConfig({ RIVERHOOK_RETENTION: '1h' }, configOf({})), /^RIVERHOOK_RETENTION must be at least 73h/)
  t.throws(
    () => readConfig({}, configOf({ retention: '1h' })),
    /^riverhook\.config\.ts: option "retention" must be at least/
  )
  t.throws(() => readConfig({ RIVERHOOK_REGISTER_EVERY: '2h' }, configOf({})), {
    message: 'RIVERHOOK_REGISTER_EVERY has no effect without RIVERHOOK_REGISTER_ADDRESS'
  })
  await t.rejects(createServer(readConfig({}, configOf({ inbox: 'memory:' }))), {
    code: 'RIVERHOOK_OPTIONS_NO_CREDENTIALS'
  })
})

t.test('a config file that every user of the machine can write to causes a warning', async (t) => {
  const folder = place(t, { 'riverhook.config.mjs': 'export default {}\n' })
  const path = join(folder, 'riverhook.config.mjs')
  t.same(readConfig({}, await readConfigFile({}, folder)).warnings, [])
  chmodSync(path, 0o666)
  t.same(readConfig({}, await readConfigFile({}, folder)).warnings, [
    `every user of this machine can write to the config file and so run code in this process; run chmod o-w ${path}`
  ])
})

t.test('the example is served, with an overriding variable, and the commands read its inbox', async (t) => {
  const path = fileURLToPath(new URL('../../examples/riverhook.config.ts', import.meta.url))
  const inbox = `sqlite:${join(makeFolder(t), 'inbox.db')}`
  const env = { RIVERHOOK_CONFIG: path, DATABASE_URL: inbox }
  const server = await startServer(env)
  t.teardown(() => server.end('SIGKILL'))
  t.match(await server.line(/"msg":"config file read"/), /riverhook\.config\.ts.*"overridden_by":\["RIVERHOOK_PORT"\]/)
  const body = event({ id: 'e1', liveMode: true })
  t.equal((await post(`${server.url}/webhooks/live`, body, signatureHeaders(body, 'whk_live'))).status, 202)
  t.equal((await post(`${server.url}/webhooks/test`, body, signatureHeaders(body, 'whk_test'))).status, 400)
  await server.line(/"msg":"ship it"/)
  const listed = await cliHere(['events', 'list', '--json'], { RIVERHOOK_CONFIG: path, DATABASE_URL: inbox })
  t.match(listed, { code: 0, stderr: '', stdout: /"id":"e1"/ })
})

t.test('a setting of the file applies to the flags of a command, unless a flag or a variable is given', async (t) => {
  const folder = place(t, { 'riverhook.config.mjs': "export default { inbox: 'sqlite:/nowhere/config.db' }\n" })
  const env = { RIVERHOOK_CONFIG: join(folder, 'riverhook.config.mjs') }
  t.match((await cliHere(['stats'], env)).stderr, /\/nowhere\/config\.db/)
  t.match((await cliHere(['stats'], { ...env, RIVERHOOK_INBOX: 'sqlite:/nowhere/v.db' })).stderr, /\/nowhere\/v\.db/)
  t.match((await cliHere(['stats', '--inbox', 'sqlite:/nowhere/flag.db'], env)).stderr, /\/nowhere\/flag\.db/)
  const broken = { RIVERHOOK_CONFIG: join(place(t, { 'c.mjs': 'export default { inbx: 1 }\n' }), 'c.mjs') }
  t.match(await cliHere(['stats'], broken), {
    code: 1,
    stderr: 'riverhook: c.mjs: option "inbx" is unknown; did you mean "inbox"?\n'
  })
  t.match(await cliHere(['event-types', '--json'], broken), { code: 0 }, 'this command needs no configuration')
})
