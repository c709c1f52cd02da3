import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'

import { readConfig } from '../../src/options/environment.ts'
import { makeFolder } from '../folder.ts'

// Risk: a server that starts with a setting other than the intended one.

t.test('files of values may have comments, a byte order mark and Windows line ends', async (t) => {
  const folder = makeFolder(t, {
    secrets: '\ufeff# rotated in May\r\nwhk_a, whk_b\r\n  # the old one:\r\nwhk_c\r\n',
    basic: '\ufeff# of the callback\nuser:pass#word\n',
    bearer: '\ufefftoken\n#no\n'
  })
  const file = (name: string) => join(folder, name)
  const { options } = readConfig({
    RIVERHOOK_SECRETS_FILE: file('secrets'),
    RIVERHOOK_BASIC_AUTH_FILE: file('basic'),
    RIVERHOOK_BEARER_FILE: file('bearer')
  })
  t.same((options.secrets as () => string[])(), ['whk_a', 'whk_b', 'whk_c'])
  t.same([options.basicAuth, options.bearer], [{ username: 'user', password: 'pass#word' }, ['token']])
  writeFileSync(file('secrets'), '\ufeff# rotated\nwhk_d\n')
  t.same((options.secrets as () => string[])(), ['whk_d'])
  for (const content of ['# c\r\nuser:pass\r\n', '\nuser:pass\n\n', 'user:pass\r\n# c\r\n', '# c\ruser:pass\r']) {
    writeFileSync(file('basic'), content)
    t.same(readConfig({ RIVERHOOK_BASIC_AUTH_FILE: file('basic') }).options.basicAuth, {
      username: 'user',
      password: 'pass'
    })
  }
  t.same(readConfig({ RIVERHOOK_BASIC_AUTH: 'user:pass\n' }).options.basicAuth, { username: 'user', password: 'pass' })
  // As Windows writes them. Read as UTF-8 they would be other credentials, and every request would be refused.
  for (const content of [
    Buffer.from('\ufeffuser:pass\r\n', 'utf16le'),
    Buffer.from('user:pass', 'utf16le'),
    Buffer.from('user:p\xe4ss', 'latin1')
  ]) {
    writeFileSync(file('basic'), content)
    for (const name of ['RIVERHOOK_SECRETS_FILE', 'RIVERHOOK_BASIC_AUTH_FILE', 'RIVERHOOK_BEARER_FILE']) {
      t.throws(() => readConfig({ [name]: file('basic') }), {
        code: 'RIVERHOOK_OPTIONS_INVALID',
        message: /^\w+ names .*: it is not UTF-8 text: save it as UTF-8/
      })
    }
  }
  const none = join(makeFolder(t, { none: '# later\n' }), 'none')
  t.throws(() => readConfig({ RIVERHOOK_SECRETS_FILE: none }), {
    message: `RIVERHOOK_SECRETS_FILE names ${none}, which holds no secret`
  })
})

t.test('a token endpoint from variables and files; the keys are read again, and mistakes show no secret', async (t) => {
  const key = (name: string) => name.repeat(32)
  const folder = makeFolder(t, {
    clients: '# of Digital River\nriver client-secret-1\n\nnext  client-secret-2 user pass\r\n',
    keys: `${key('a')}\n${key('b')}\n`
  })
  const file = (name: string) => join(folder, name)
  const { options, watch } = readConfig({
    RIVERHOOK_TOKEN_CLIENTS_FILE: file('clients'),
    RIVERHOOK_TOKEN_KEYS_FILE: file('keys'),
    RIVERHOOK_TOKEN_PATH: '/token',
    RIVERHOOK_TOKEN_LIFETIME: '5m'
  })
  const { keys, ...rest } = options.tokenEndpoint ?? {}
  t.same(rest, {
    path: '/token',
    lifetime: '5m',
    clients: [
      { clientID: 'river', clientSecret: 'client-secret-1' },
      { clientID: 'next', clientSecret: 'client-secret-2', userName: 'user', password: 'pass' }
    ]
  })
  t.same((keys as () => string[])(), [key('a'), key('b')])
  writeFileSync(file('keys'), key('c'))
  t.same((keys as () => string[])(), [key('c')])
  t.type(watch, 'function', 'a file that disappears is reported')
  const plain = readConfig({ RIVERHOOK_TOKEN_CLIENTS: 'river client-secret-1', RIVERHOOK_TOKEN_KEYS: key('a') })
  t.same(plain.options.tokenEndpoint, {
    clients: [{ clientID: 'river', clientSecret: 'client-secret-1' }],
    keys: [key('a')]
  })
  const wrong: [Record<string, string>, RegExp][] = [
    [{ RIVERHOOK_TOKEN_CLIENTS: 'river' }, /^RIVERHOOK_TOKEN_CLIENTS must have one client a line.*line 1/],
    [{ RIVERHOOK_TOKEN_CLIENTS: 'a b\na client-secret-3 u' }, /^RIVERHOOK_TOKEN_CLIENTS must have one.*line 2/],
    [{ RIVERHOOK_TOKEN_CLIENTS: '\n' }, /^RIVERHOOK_TOKEN_CLIENTS has no line/],
    [{ RIVERHOOK_TOKEN_PATH: '/token' }, /RIVERHOOK_TOKEN_PATH has no effect without RIVERHOOK_TOKEN_CLIENTS/],
    [{ RIVERHOOK_TOKEN_KEYS: key('a') }, /RIVERHOOK_TOKEN_KEYS has no effect without RIVERHOOK_TOKEN_CLIENTS/]
  ]
  for (const [environment, message] of wrong) {
    t.throws(() => readConfig(environment), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
    t.throws(() => readConfig(environment), { message: /^(?!.*(?:client-secret|aaaa))/s })
  }
})

t.test(
  'PORT, which platforms set, is the port unless RIVERHOOK_PORT is set, and overrides the config file',
  async (t) => {
    t.equal(readConfig({ PORT: '9000' }).port, 9000)
    t.equal(readConfig({ PORT: '9000', RIVERHOOK_PORT: '9001' }).port, 9001)
    t.equal(readConfig({}).port, 8080)
    const file = { path: '/app/riverhook.config.ts', name: 'riverhook.config.ts', config: { port: 1 }, exposed: [] }
    t.match(readConfig({ PORT: '9000' }, file), { port: 9000, configFile: { overriddenBy: ['PORT'] } })
    t.throws(() => readConfig({ PORT: '/pipe/a' }), { message: 'PORT must be a whole number from 0 to 65535' })
  }
)

t.test('the address of the inbox, which may hold a password, may be in a file', async (t) => {
  const address = 'postgres://riverhook:a%23b@db/riverhook'
  const path = join(makeFolder(t, { inbox: `# of production\n${address}\n` }), 'inbox')
  t.equal(readConfig({ RIVERHOOK_INBOX_FILE: path }).options.inbox, address)
  t.throws(() => readConfig({ RIVERHOOK_INBOX_FILE: path, RIVERHOOK_INBOX: 'memory:' }), { message: /both set/ })
  t.throws(() => readConfig({ RIVERHOOK_INBOX_FILE: '/nowhere' }), { message: /RIVERHOOK_INBOX_FILE names \/nowhere/ })
})

t.test('the environment is checked, and a wrong variable is named without its value', async (t) => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ RIVERHOOK_PORT: 'http' }, /^RIVERHOOK_PORT must be a whole number from 0 to 65535$/],
    [{ RIVERHOOK_PORT: '70000' }, /^RIVERHOOK_PORT must be a whole number from 0 to 65535$/],
    [{ RIVERHOOK_PORT: 'tcp://10.0.0.1:8080' }, /enableServiceLinks: false/],
    [{ RIVERHOOK_TOLERANCE: '0' }, /^RIVERHOOK_TOLERANCE must be at least 1ms/],
    [{ RIVERHOOK_TOLERANCE: '300' }, /^RIVERHOOK_TOLERANCE must have a unit: write 500ms, 30s/],
    [{ RIVERHOOK_ACK_TIMEOUT: '2500' }, /^RIVERHOOK_ACK_TIMEOUT must have a unit/],
    [
      { RIVERHOOK_REGISTER_ADDRESS: 'https://a.example', RIVERHOOK_REGISTER_REPAIR: 'yes' },
      /^RIVERHOOK_REGISTER_REPAIR must be true or false$/
    ],
    [
      { RIVERHOOK_PORT: 'x', RIVERHOOK_GRACE: '8', RIVERHOOK_BEARER: '', RIVERHOOK_BACKFILL_OVERLAP: '1h' },
      /^4 settings are wrong\n {2}- RIVERHOOK_PORT .*\n {2}- RIVERHOOK_GRACE must have a unit.*\n {2}- RIVERHOOK_BEARER is empty\n {2}- RIVERHOOK_BACKFILL_OVERLAP has no effect without RIVERHOOK_BACKFILL_EVERY$/
    ],
    [{ RIVERHOOK_TOLERANCE: '' }, /^RIVERHOOK_TOLERANCE is empty/],
    [{ RIVERHOOK_LOG_LEVEL: 'loud' }, /^RIVERHOOK_LOG_LEVEL must be 'trace', 'debug', 'info'/],
    [{ RIVERHOOK_DRAIN_DELAY: '2h' }, /^RIVERHOOK_DRAIN_DELAY must be at most 1h/],
    [{ RIVERHOOK_REQUEST_TIMEOUT: '0' }, /^RIVERHOOK_REQUEST_TIMEOUT must be at least 1s/],
    [{ RIVERHOOK_MAX_CONNECTIONS: '0' }, /^RIVERHOOK_MAX_CONNECTIONS must be a whole number from 1/],
    [{ RIVERHOOK_GRACE: 'soon' }, /^RIVERHOOK_GRACE must be a span of time/],
    [{ RIVERHOOK_GRACE: '30d' }, /^RIVERHOOK_GRACE must be at most 24d/],
    [
      { RIVERHOOK_REGISTER_ADDRESS: 'https://a.example', RIVERHOOK_REGISTER_EVERY: '0s' },
      /^RIVERHOOK_REGISTER_EVERY must be at least 50ms/
    ],
    [{ RIVERHOOK_SECRETS_FILE: '' }, /^RIVERHOOK_SECRETS_FILE is empty/],
    [{ RIVERHOOK_BASIC_AUTH: '' }, /^RIVERHOOK_BASIC_AUTH is empty/],
    [{ RIVERHOOK_SECRETS: ' , ' }, /^RIVERHOOK_SECRETS is empty$/],
    [
      { RIVERHOOK_SECRETS: 'a', RIVERHOOK_SECRETS_FILE: 'b' },
      /^RIVERHOOK_SECRETS and RIVERHOOK_SECRETS_FILE are both set/
    ],
    [{ RIVERHOOK_BASIC_AUTH: 'topsecret' }, /^RIVERHOOK_BASIC_AUTH must be user:password, in one line$/],
    [{ RIVERHOOK_BASIC_AUTH: 'a:topsecret\nb:c' }, /^RIVERHOOK_BASIC_AUTH must be user:password, in one line$/]
  ]
  for (const [environment, message] of wrong)
    t.throws(() => readConfig(environment), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
  const config = readConfig({
    RIVERHOOK_HOST: '0.0.0.0',
    RIVERHOOK_PORT: '9000',
    RIVERHOOK_SECRETS: 'a, b',
    RIVERHOOK_BASIC_AUTH: 'user:pass:word',
    RIVERHOOK_BEARER: 't',
    RIVERHOOK_DRAIN_DELAY: '0',
    RIVERHOOK_REQUEST_TIMEOUT: '20s',
    RIVERHOOK_MAX_CONNECTIONS: '50',
    RIVERHOOK_TOLERANCE: '60s',
    RIVERHOOK_RETENTION: '90d',
    RIVERHOOK_FROBNICATE: '1',
    RIVERHOOK_SERVICE_HOST: '10.0.0.1',
    RIVERHOOK_PORT_8080_TCP: 'x',
    HOME: '/'
  })
  t.match(config, {
    host: '0.0.0.0',
    port: 9000,
    logLevel: 'info',
    drainDelay: 0,
    requestTimeout: 20_000,
    maxConnections: 50,
    options: {
      secrets: ['a', 'b'],
      basicAuth: { username: 'user', password: 'pass:word' },
      bearer: ['t'],
      tolerance: '60s',
      retention: '90d'
    }
  })
  t.same(config.warnings, ['RIVERHOOK_FROBNICATE is not a setting and is ignored'])
})

// Risk: a server without its handlers answers 202 to every event, and runs nothing.
t.test('a misspelt variable stops the start, with the right name', async (t) => {
  for (const [given, meant] of [
    ['RIVERHOOK_HANDLER', 'RIVERHOOK_HANDLERS'],
    ['RIVERHOOK_TOLERENCE', 'RIVERHOOK_TOLERANCE'],
    ['RIVERHOOK_SECRET_FILE', 'RIVERHOOK_SECRETS_FILE']
  ] as const)
    t.throws(() => readConfig({ RIVERHOOK_SECRETS: 'whk_a', [given]: 'x' }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: `${given} is not a setting; did you mean ${meant}? Otherwise unset it, or give it another name`
    })
})
