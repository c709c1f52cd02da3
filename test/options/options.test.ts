import t from 'tap'

import { checkOptions } from '../../src/options/check-options.ts'
import {
  copyInbox,
  createRiverhook,
  DigitalRiverClient,
  defineHandler,
  digitalRiver,
  memoryInbox,
  openInbox,
  postgresInbox,
  type RiverhookError,
  sqliteInbox
} from '../../src/index.ts'
import { endpointSettings, pluginSettings } from '../../src/programs.ts'
import {
  createClock,
  createDigitalRiver,
  createTestReceiver,
  runHandler,
  sampleEvent,
  sign,
  whenSettled
} from '../../src/testing/index.ts'
import { github, standardWebhooks } from '../../src/sources.ts'
import { verifier } from '../../src/source/digital-river/verify.ts'
import { toWebHandler } from '../../src/web.ts'
import { event, listen, post, signatureHeaders, startReceiver } from '../receive/receiver.ts'

// Risk: a setting that is missing in a configuration file, and disables replay protection, the answers or the process.

const register = { address: 'https://shop.example/webhooks/digital-river', apiKey: 'sk_test_1' }
const oauth = { tokenEndPoint: 'https://shop.example/token', clientID: 'c', clientSecret: 's' }
const invalid = (name: string) => ({
  code: 'RIVERHOOK_OPTIONS_INVALID',
  message: new RegExp(`"${name.replace('.', '\\.')}"`)
})

t.test('an undefined option means its default, at any depth', async (t) => {
  const undefinedOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, undefined]))
  const secrets = 'whk_a'
  const names = Object.keys({ ...endpointSettings, ...pluginSettings }).filter((name) => name !== 'secrets')
  t.same(checkOptions({ secrets, ...undefinedOf([...names, 'endpoints']) }), checkOptions({ secrets }))
  const nested = { secrets, register: { ...register, oauth }, backfill: {} }
  t.same(
    checkOptions({
      secrets,
      register: { ...register, ...undefinedOf(['types', 'every', 'mode']), oauth: { ...oauth, userName: undefined } },
      backfill: undefinedOf(['every', 'overlap', 'apiKey']),
      retry: undefinedOf(['attempts', 'base', 'factor', 'cap'])
    }),
    checkOptions(nested)
  )
  t.same(checkOptions({ endpoints: [{ secrets, path: undefined }] }), checkOptions({ secrets }))
  t.throws(() => checkOptions({ secrets: undefined }), { code: 'RIVERHOOK_OPTIONS_NO_CREDENTIALS' })
  for (const part of ['register.every', 'register.address', 'backfill.overlap', 'retry.factor']) {
    const [outer = '', inner = ''] = part.split('.')
    const given = { register, backfill: {}, retry: {} }[outer]
    for (const value of [null, NaN])
      t.throws(() => checkOptions({ secrets, [outer]: { ...given, [inner]: value } }), invalid(part))
  }
  for (const name of names) {
    for (const value of [null, NaN])
      t.throws(() => checkOptions({ secrets, [name]: value }), invalid(name), `${name}: ${String(value)}`)
  }
})

t.test('replay protection holds if any option is undefined, and a tolerance of NaN is refused', async (t) => {
  const receiver = await startReceiver(t, {
    tolerance: undefined,
    ackTimeout: undefined,
    validate: undefined,
    bodyLimit: undefined,
    path: undefined
  })
  const { url } = await listen(receiver)
  const body = event()
  const yearAgo = new Date(Date.now() - 365 * 86_400_000)
  t.equal((await post(url, body, signatureHeaders(body, undefined, yearAgo))).status, 401)
  t.equal((await post(url, body)).status, 202)
  const headers = Object.fromEntries(
    Object.entries(signatureHeaders(body, 'whk_a', yearAgo)).map(([name, value]) => [name.toLowerCase(), value])
  )
  for (const toleranceMs of [NaN, undefined as unknown as number]) {
    t.match(verifier(['whk_a']).verify({ headers, body }, new Date(), toleranceMs), { ok: false, reason: 'clock' })
  }
  t.match(verifier(['whk_a']).verify({ headers, body }, new Date(NaN), 1_000), { ok: false, reason: 'clock' })
})

t.test('every public function treats undefined as the default, and refuses null and NaN by name', async (t) => {
  const handler = defineHandler(
    'order.accepted',
    { name: undefined, timeout: undefined, retry: { attempts: undefined } } as object,
    () => undefined
  )
  const receiver = await createTestReceiver({
    handlers: handler,
    client: undefined,
    tolerance: undefined,
    path: undefined
  })
  t.teardown(() => receiver.close())
  const given = {
    type: 'order.accepted',
    id: undefined,
    createdTime: undefined,
    liveMode: undefined,
    data: undefined
  } as never
  t.match(await receiver.send(given, { secret: undefined, at: undefined, headers: undefined, body: undefined }), {
    status: 202,
    deliveries: [{ state: 'done' }]
  })
  t.ok(
    new DigitalRiverClient({
      apiKey: 'sk_test_1',
      timeoutMs: undefined,
      retries: undefined,
      signal: undefined,
      random: undefined,
      wait: undefined
    })
  )
  t.ok(openInbox('memory:', { role: undefined, create: undefined, encryption: undefined, mayTurn: undefined }))
  t.ok(toWebHandler({ receive: () => Promise.reject(new Error('unused')) }, { ip: undefined }))
  t.ok(sqliteInbox({ path: 'x.db', role: undefined, maxBytes: undefined, busyTimeoutMs: undefined, clock: undefined }))
  const river = await createDigitalRiver({
    port: undefined,
    timeoutMs: undefined,
    retries: undefined,
    dialect: { createStatus: undefined }
  } as object)
  t.teardown(() => river.close())

  const { app } = await startReceiver(t)
  const open: Readonly<Record<string, (options: never) => unknown>> = {
    client: (options) => new DigitalRiverClient({ apiKey: 'sk_test_1', ...(options as object) }),
    sqlite: (options) => sqliteInbox({ path: 'x.db', ...(options as object) }),
    postgres: (options) => postgresInbox(options),
    memory: (options) => memoryInbox(options),
    river: (options) => createDigitalRiver(options),
    backfill: (options) => app.riverhook.backfill({ since: new Date(), ...(options as object) }),
    send: (options) => receiver.send(given, options),
    settled: (options) => whenSettled(receiver.inbox, 'e1', options),
    open: (options) => openInbox('memory:', options),
    copy: (options) => copyInbox({ from: receiver.inbox, to: memoryInbox(), ...(options as object) }),
    web: (options) => toWebHandler(app.riverhook, options),
    sample: (options) => sampleEvent('order.accepted', {}, options),
    sign: (options) => sign({ body: '', secret: 's', ...(options as object) })
  }
  const wrong: readonly (readonly [keyof typeof open, string, ...unknown[]])[] = [
    ['client', 'timeoutMs', null, NaN, 0, 2 ** 31],
    ['client', 'retries', null, NaN],
    ['client', 'signal', null],
    ['client', 'random', null],
    ['client', 'wait', null],
    ['client', 'environment', null],
    ['sqlite', 'path', undefined, null, ''],
    ['sqlite', 'role', null, 'reader'],
    ['sqlite', 'maxBytes', null, NaN, 0],
    ['sqlite', 'busyTimeoutMs', null, NaN, 2 ** 31],
    ['sqlite', 'clock', null],
    ['postgres', 'maxConnections', null, NaN, 0],
    ['postgres', 'pool', null],
    ['postgres', 'schema', null],
    ['postgres', 'conectionString', 'x'],
    ['memory', 'clock', null],
    ['river', 'timeoutMs', null, NaN, 0, 2 ** 31],
    ['river', 'retries', null, [NaN]],
    ['river', 'dialect', null],
    ['river', 'delayMs', null, NaN],
    ['send', 'at', null, new Date(NaN)],
    ['send', 'secret', null, ''],
    ['settled', 'timeoutMs', null, NaN, 2 ** 31],
    ['settled', 'deliveries', null, NaN],
    ['open', 'role', null, 'reader'],
    ['open', 'create', null, NaN],
    ['open', 'crate', true],
    ['copy', 'from', undefined, null, 'memory:'],
    ['copy', 'onProgress', null],
    ['copy', 'onProgres', undefined],
    ['web', 'ip', null, '127.0.0.1'],
    ['web', 'ipp', true],
    ['backfill', 'since', undefined, null, new Date(NaN)],
    ['backfill', 'dryRun', null],
    ['sample', 'seed', null, NaN],
    ['sign', 'at', null, new Date(NaN)],
    ['sign', 'secret', undefined, null, []]
  ]
  for (const [name, option, ...values] of wrong) {
    for (const value of values) {
      await t.rejects(
        async () => open[name]?.({ [option]: value } as never),
        invalid(option),
        `${name} ${option}: ${String(value)}`
      )
    }
  }
  await t.rejects(createClock().advance(NaN), invalid('ms'))
  await t.rejects(river.emit('order.accepted', {}, 'lost' as never), invalid('scenario'))
})

t.test('an invalid argument of the test kit is named', async (t) => {
  const handler = defineHandler('order.accepted', () => undefined)
  const strict = defineHandler('order.accepted', { validate: 'reject' }, () => undefined)
  t.throws(() => sampleEvent(undefined as never), invalid('type'))
  t.throws(() => sampleEvent('order.accepted', null as never), invalid('choice'))
  t.throws(() => sampleEvent('order.accepted', { seed: 1 } as never), /third argument/)
  t.throws(() => sampleEvent('order.accepted', { object: {} } as never), /data: \{ object \}/)
  await t.rejects(createTestReceiver({} as never), invalid('handlers'))
  await t.rejects(createTestReceiver({ handlers: [() => undefined] as never }), invalid('handlers'))
  await t.rejects(runHandler((() => undefined) as never, { type: 'order.accepted' }), /defineHandler/)
  await t.rejects(runHandler(handler, {} as never), invalid('type'))
  await t.rejects(runHandler(handler, undefined as never), invalid('event'))
  const refused = { type: 'order.accepted', data: { object: { items: 'none' } } }
  await t.rejects(runHandler(strict, refused), {
    code: 'RIVERHOOK_RECEIVE_BAD_PAYLOAD',
    message: /refused with 400: .*items/
  })
})

t.test('a duration outside of its bounds is refused, with the bounds and the reason', async (t) => {
  const secrets = 'whk_a'
  const cases: readonly (readonly [path: string, value: unknown, message: RegExp | undefined])[] = [
    ['register.every', '30d', undefined],
    ['register.every', '4w', undefined],
    ['register.every', '0s', /at least 50ms.*at most 365d.*limits how often/],
    ['register.every', '0.1ms', /at least 50ms/],
    ['register.every', 0, /at least 50ms/],
    ['register.every', '366d', /at most 365d/],
    ['register.every', Infinity, /span of time/],
    ['backfill.every', '4w', undefined],
    ['backfill.every', '0m', /at least 50ms/],
    ['backfill.every', '31d', /at most 30d.*30 days/],
    ['backfill.every', '30d', /"backfill.every" \(30d\) and "backfill.overlap" \(1h\) must be at most 30d together/],
    ['backfill.overlap', '31d', /at most 30d/],
    ['grace', '30d', /at most 24d/],
    ['grace', '25d', /at most 24d/],
    ['grace', '24d', undefined],
    ['grace', '0s', undefined],
    ['grace', -1, /span of time/],
    ['retention', '72h', /at least 73h.*72 hours/],
    ['retention', '999999d', /at most 36500d/],
    ['retention', '400d', undefined],
    ['deadRetention', '29d', /"deadRetention" must be at least "retention", 720h/],
    ['deadRetention', '30d', undefined],
    ['quarantineRetention', '29d', /"quarantineRetention" must be at least "retention"/],
    ['quarantineRetention', '999999d', /at most 36500d/],
    ['maxBacklogAge', '0s', /at least 1ms/],
    ['retry.base', 2 ** 40, /at most 365d/],
    ['retry.cap', 0, /at least 1ms/],
    ['retry.cap', '2h', undefined],
    ['tolerance', '90s', undefined],
    ['tolerance', 0, /at least 1ms/],
    ['ackTimeout', '3s', undefined],
    ['ackTimeout', 3_001, /at most 3s/]
  ]
  for (const [path, value, message] of cases) {
    const [outer = '', inner] = path.split('.')
    const given = {
      secrets,
      [outer]: inner === undefined ? value : { ...(outer === 'register' ? register : {}), [inner]: value }
    }
    if (message === undefined) t.doesNotThrow(() => checkOptions(given), `${path}: ${String(value)}`)
    else
      t.throws(() => checkOptions(given), { code: 'RIVERHOOK_OPTIONS_INVALID', message }, `${path}: ${String(value)}`)
  }
})

t.test('a token endpoint without what it needs is refused, and no message shows a secret', async (t) => {
  const client = { clientID: 'river', clientSecret: 'client-secret-0123456789' }
  const keys = 'k'.repeat(32)
  const tokenEndpoint = { clients: [client], keys }
  t.match(checkOptions({ tokenEndpoint }), [{ tokenEndpoint: { path: '/oauth/token', lifetime: 900_000 } }])
  const undefinedParts = { ...tokenEndpoint, path: undefined, lifetime: undefined }
  t.same(checkOptions({ tokenEndpoint: undefinedParts }), checkOptions({ tokenEndpoint }))
  const ofClient = (more: object) => ({ ...tokenEndpoint, clients: [client, { ...client, clientID: 'two', ...more }] })
  const cases: [object, RegExp][] = [
    [{ tokenEndpoint: { keys } }, /"tokenEndpoint\.clients" is missing/],
    [{ tokenEndpoint: { clients: [client] } }, /"tokenEndpoint\.keys" is missing/],
    [{ tokenEndpoint: { ...tokenEndpoint, keys: 'short-key' } }, /"tokenEndpoint\.keys" must have at least 32 char/],
    [{ tokenEndpoint: { ...tokenEndpoint, keys: [keys, ''] } }, /"tokenEndpoint\.keys" must be a text of at least 32/],
    [{ tokenEndpoint: { ...tokenEndpoint, clients: [] } }, /"tokenEndpoint\.clients" must be a list of at least one/],
    [{ tokenEndpoint: ofClient({ clientSecret: 'short-one' }) }, /client number 2: clientSecret must have at least 16/],
    [{ tokenEndpoint: ofClient({ clientSecret: undefined }) }, /client number 2: clientSecret is missing/],
    [{ tokenEndpoint: ofClient({ username: 'u' }) }, /client number 2: username is unknown.*"userName"/],
    [{ tokenEndpoint: ofClient({ userName: 'u' }) }, /client number 2: userName and password belong together/],
    [{ tokenEndpoint: ofClient({ clientID: 'river' }) }, /the same client twice/],
    [{ tokenEndpoint: { ...tokenEndpoint, lifetime: '2d' } }, /"tokenEndpoint\.lifetime" must be at most 24h/],
    [{ tokenEndpoint: { ...tokenEndpoint, path: 'token' } }, /"tokenEndpoint\.path" must begin with a slash/],
    [{ tokenEndpoint: { ...tokenEndpoint, path: '/a' }, path: '/a' }, /path \/a of a "tokenEndpoint" is also that of/],
    [{ tokenEndpoint, bearer: 'token' }, /"bearer" and "tokenEndpoint": a request has one Authorization header/],
    [{ tokenEndpoint, basicAuth: { username: 'u', password: 'p' } }, /"basicAuth" and "tokenEndpoint": a request has/],
    [{ tokenEndpoint, register: { ...register, oauth } }, /"register\.oauth" has a client that is not in/],
    [
      { tokenEndpoint, register: { ...register, address: 'http://shop.example/h' } },
      /must be an https URL.*tokenEndpoint/
    ],
    [
      { endpoints: ['/a', '/b'].map((path) => ({ path, tokenEndpoint })) },
      /\/oauth\/token of a "tokenEndpoint" is also/
    ]
  ]
  for (const [options, message] of cases) {
    const run = () => checkOptions(options as Parameters<typeof checkOptions>[0])
    t.throws(run, { code: 'RIVERHOOK_OPTIONS_INVALID', message }, String(message))
    t.throws(run, { message: /^(?!.*(?:client-secret-|short-|kkkk))/s })
  }
})

t.test('credentials never go over plain http to another machine', async (t) => {
  const basicAuth = { username: 'u', password: 'p' }
  const exposed = { ...register, address: 'http://shop.example/hook' }
  const oauthExposed = { ...register, oauth: { ...oauth, tokenEndPoint: 'http://127.0.0.1.example/token' } }
  for (const [options, message] of [
    [{ basicAuth, register: exposed }, /"register.address" must be an https URL.*basicAuth/],
    [{ bearer: 't', register: exposed }, /"register.address" must be an https URL.*bearer/],
    [{ bearer: 't', register: oauthExposed }, /"register.oauth.tokenEndPoint" must be an https URL/],
    [{ endpoints: [{ basicAuth, register: exposed }] }, /"endpoints\[0\].register.address"/]
  ] as const)
    t.throws(() => checkOptions(options), { code: 'RIVERHOOK_OPTIONS_INVALID', message })
  t.ok(checkOptions({ basicAuth, register: { ...exposed, address: 'http://localhost:8080/hook' } }))
  t.ok(checkOptions({ secrets: 's', register: exposed }), 'a signature is no credential')

  const open = (apiUrl: string, environment: Record<string, string> = {}, allowHttp?: boolean) =>
    new DigitalRiverClient({ apiKey: 'sk_test_1', apiUrl, environment, allowHttp })
  for (const url of [
    'http://api.example',
    'http://10.0.0.1',
    'http://127.0.0.1.example',
    'http://localhost.example',
    'http://[::2]'
  ]) {
    t.throws(
      () => open(url),
      { code: 'RIVERHOOK_OPTIONS_INVALID', message: /https.*DIGITAL_RIVER_ALLOW_HTTP=true/ },
      url
    )
    t.ok(open(url, { DIGITAL_RIVER_ALLOW_HTTP: 'true' }))
    t.ok(open(url, {}, true))
    t.throws(() => open(url, { DIGITAL_RIVER_ALLOW_HTTP: 'true' }, false))
  }
  t.throws(() => open('http://api.example', { DIGITAL_RIVER_ALLOW_HTTP: 'yes' }), /must be true or false/)
  for (const url of [
    'https://api.example',
    'http://localhost:1',
    'http://a.localhost',
    'http://127.0.0.2:1',
    'http://127.1',
    'http://[::1]:1'
  ])
    t.ok(open(url), url)
  const { webhooks } = open('http://localhost:1')
  const wanted = { address: 'http://shop.example/hook', types: ['order.accepted'] }
  await t.rejects(webhooks.create({ ...wanted, authentication: basicAuth }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /https/
  })
  await t.rejects(webhooks.update('w1', { transportType: 'OAUTH', oauth: oauthExposed.oauth }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /tokenEndPoint/
  })
})

t.test('several secrets in one text are refused in code: as one secret they would match nothing', async (t) => {
  for (const name of ['secrets', 'bearer']) {
    for (const value of ['a,b', 'a\nb'])
      t.throws(() => checkOptions({ [name]: value }), {
        code: 'RIVERHOOK_OPTIONS_INVALID',
        message: new RegExp(`"${name}" is a string with a comma`)
      })
    t.ok(checkOptions({ [name]: ['a,b'] }))
  }
})

t.test('all wrong settings are reported at once, one per line, with suggestions', async (t) => {
  const lines = (options: object): string[] => {
    try {
      checkOptions(options as Readonly<Record<string, unknown>>)
      return []
    } catch (error) {
      return (error as Error).message.split('\n')
    }
  }
  t.same(
    lines({
      tolerence: '5m',
      bodyLimit: 1,
      retry: { attempts: 0, factr: 2 },
      inbox: 5,
      retention: '1h',
      endpoints: [
        { secrets: 'a', path: 'x' },
        { path: '/b', webhookUrl: 'https://shop.example', register: { every: 1 } }
      ]
    }),
    [
      '12 settings are wrong',
      '  - Option "tolerence" is unknown; did you mean "tolerance"?',
      '  - Option "bodyLimit" must be a whole number from 1024',
      '  - Option "retry.attempts" must be a whole number from 1',
      '  - Option "retry.factr" is unknown; did you mean "factor"?',
      '  - Option "inbox" must be an address like "sqlite:PATH", "postgres://..." or "memory:", or an Inbox',
      '  - Option "bodyLimit" belongs in an entry of "endpoints" if there is such a list',
      '  - Option "endpoints[0].path" must begin with a slash, such as /webhooks/digital-river',
      '  - Option "endpoints[1].webhookUrl" is unknown; did you mean "register.address"?',
      '  - Option "endpoints[1].register.every" must be at least 50ms (and at most 365d): the API of the provider is called each time, and it limits how often',
      '  - Option "endpoints[1].register.address" is missing; it must be an http or https URL',
      '  - The endpoint /b has no credentials and would accept anything. Give it "endpoints[1].secrets" (the signing secret from the provider\'s dashboard), "endpoints[1].basicAuth", "endpoints[1].bearer" or "endpoints[1].tokenEndpoint"',
      '  - Option "retention" must be at least 73h: digital-river retries an event for 72 hours, and one that was purged by then would be handled twice'
    ]
  )
  t.throws(() => defineHandler('order.accepted', { timeout: 0, retries: 5, concurency: 2 } as never, () => undefined), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: `Handler "order.accepted": 3 settings are wrong
  - option "timeout" must be at least 1ms (and at most 24d); got 0
  - unknown option "retries"; did you mean "retry"?
  - unknown option "concurency"; did you mean "concurrency"?`
  })
})

// Risk: a start that is refused once for each mistake.
t.test('wrong secrets, realms, API keys and addresses of the inbox are reported with all other mistakes', (t) => {
  const given = {
    inbox: 'mysql://x',
    concurrency: 0,
    endpoints: [
      { path: '/a', secrets: ['whk_a', ' '] },
      { path: '/b', secrets: 'b', realm: 'shop', source: github() },
      { path: '/c', secrets: 'c', realm: 'shop' },
      { path: '/d', secrets: '!', source: standardWebhooks(), backfill: {} },
      { path: '/e', secrets: 'c', source: { ...github() } }
    ]
  }
  const problems = (options: object): unknown => {
    try {
      return createRiverhook(options)
    } catch (error) {
      const { code, message } = error as RiverhookError
      return [code, ...message.split('\n').slice(1)]
    }
  }
  const both = [
    '  - Option "concurrency" must be a whole number from 1',
    /^ {2}- The endpoints \/b \(source github\) and \/c \(source digital-river\) have one realm, "shop"/,
    /^ {2}- Option "source": two endpoints have different sources that are both named github/
  ]
  const secrets = [
    /^ {2}- Signing secret number 2 is empty or not a string.* \(endpoint \/a\)$/,
    /^ {2}- Signing secret number 1 is not Base64.* \(endpoint \/d\)$/
  ]
  const address = /^ {2}- "mysql:\/\/x" is not an inbox/
  const api = /^ {2}- .*webhook.* API/
  const code = 'RIVERHOOK_OPTIONS_INVALID'
  t.match(problems(given), [code, ...both, ...secrets, address, api])
  t.match(problems({ ...given, role: 'command' }), [code, ...both, address], 'a command needs no secrets')
  t.match(problems({ ...given, role: 'comand', log: 5, actor: 'me' }), [
    code,
    "  - Option \"role\" must be 'server' or 'command'",
    '  - Option "log" must be a logger such as one of pino',
    '  - Option "actor" must be an object',
    ...both,
    ...secrets,
    address
  ])
  t.end()
})

t.test('an unknown name without a near option gets no suggestion; a name from another library gets ours', async (t) => {
  const hint = (name: string): string | undefined => {
    try {
      checkOptions({ secrets: 'a', [name]: 'x' })
      return 'none'
    } catch (error) {
      return /did you mean "(.*)"/.exec((error as Error).message)?.[1]
    }
  }
  t.same(
    [
      'webhookUrl',
      'secret',
      'signingSecret',
      'databaseUrl',
      'maxRetries',
      'provider',
      'toleranceSeconds',
      'colour',
      'x'
    ].map(hint),
    ['register.address', 'secrets', 'secrets', 'inbox', 'retry.attempts', 'source', 'tolerance', undefined, undefined]
  )
})

t.test('the bounds of a custom source replace those of the default source', async (t) => {
  const source = {
    ...digitalRiver(),
    name: 'quick',
    limits: { answerMs: 600, retryMs: 7 * 86_400_000, bodyBytes: 2_048 }
  }
  t.match(checkOptions({ secrets: 'a', source }), [{ ackTimeout: 500, bodyLimit: 2_048 }])
  t.throws(
    () => checkOptions({ secrets: 'a', source, ackTimeout: '1s' }),
    /"ackTimeout" must be at most 600ms: quick gives up/
  )
  t.throws(
    () => checkOptions({ secrets: 'a', source, retention: '7d' }),
    /"retention" must be at least 169h: quick retries/
  )
  t.match(checkOptions({ secrets: 'a', source: { ...source, limits: undefined }, retention: '1m' }), [
    { ackTimeout: 2_500 }
  ])
})
