import t from 'tap'

import { readConfig } from '../../src/options/environment.ts'
import { loadSource, loadSourceOf, sourceNames, unknownSource } from '../../src/options/source-by-name.ts'
import { riverhook, type RiverhookError } from '../../src/index.ts'
import * as sources from '../../src/sources.ts'
import { hmacSource, standardWebhooks } from '../../src/sources.ts'

// Risk: a server that needs code for a provider other than the default one.

t.test('every source of riverhook/sources has a name that gives the source', async (t) => {
  const exported = Object.keys(sources).filter((name) => name !== 'hmacSource' && name !== 'confirmSubscription')
  t.same(
    exported.filter((name) => !sourceNames.includes(name)),
    [],
    'each has its line in src/options/source-by-name.ts'
  )
  for (const name of sourceNames) {
    const source = await loadSource(name)
    t.type(source?.verifier, 'function', name)
    const again = await loadSource(source?.name ?? '')
    if (name !== 'standardWebhooks') t.equal(again?.name, source?.name, 'the name stored with events works too')
  }
  t.equal((await loadSource('standard-webhooks'))?.name, 'webhook')
  t.equal((await loadSource('digital-river'))?.name, 'digital-river')
  t.equal(await loadSource('toString'), undefined)
})

t.test('RIVERHOOK_SOURCE: the source of the only endpoint, with its path and limits', async (t) => {
  const environment = { RIVERHOOK_SOURCE: 'svix', RIVERHOOK_SECRETS: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }
  const source = await loadSourceOf(environment)
  const { options, warnings } = readConfig(environment, undefined, source)
  t.same([options.source?.name, warnings], ['svix', []])
  t.throws(() => readConfig({ ...environment, RIVERHOOK_ACK_TIMEOUT: '16s' }, undefined, source), {
    message: 'RIVERHOOK_ACK_TIMEOUT must be at most 15s: svix gives up by then'
  })
  t.equal(await loadSourceOf({}), undefined)
  t.throws(() => readConfig(environment), TypeError, 'a missing source is reported')
})

t.test('an unknown name: the error lists the nearest and all names, and not the value', async (t) => {
  await t.rejects(loadSourceOf({ RIVERHOOK_SOURCE: 'svixx' }), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message: /^RIVERHOOK_SOURCE must be one of digitalRiver, .*svix.*; did you mean "svix"\? A source of your own/
  })
  const { message } = (await loadSourceOf({ RIVERHOOK_SOURCE: 'whsec_secret' }).catch(
    (error: unknown) => error
  )) as Error
  t.match(message, /^RIVERHOOK_SOURCE must be/)
  t.notMatch(message, /whsec_secret/)
  const found = (await loadSourceOf({ RIVERHOOK_SOURCE: 'strpe' }).catch((error: unknown) => error)) as RiverhookError
  const environment = { RIVERHOOK_SOURCE: 'strpe', RIVERHOOK_GRACE: '5', RIVERHOOK_INBOX: 'mysql://x' }
  t.throws(() => readConfig({ ...environment, RIVERHOOK_ACK_TIMEOUT: '10s' }, undefined, found), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message:
      /^3 settings are wrong\n {2}- RIVERHOOK_SOURCE must be .*did you mean "stripe".*\n {2}- RIVERHOOK_GRACE must have a unit.*\n {2}- "mysql:\/\/x" is not an inbox/
  })
  t.match(unknownSource('payment', ['payments']), /^must be one of payments, digitalRiver/)
})

t.test('RIVERHOOK_SOURCE overrides the config file for one endpoint, and is refused for several', async (t) => {
  const other = hmacSource({ name: 'other', header: 'x-s', id: { field: 'id' }, type: { field: 'type' } })
  const svix = standardWebhooks({ prefix: 'svix' })
  const file = (config: Readonly<Record<string, unknown>>) => ({
    path: '/a/riverhook.config.ts',
    name: 'riverhook.config.ts',
    config,
    exposed: []
  })
  const environment = { RIVERHOOK_SOURCE: 'svix' }
  const one = readConfig(environment, file({ endpoints: [{ secrets: 'whsec_aaaa', source: other }] }), svix)
  t.equal(one.options.endpoints?.[0]?.source, svix)
  t.equal(one.options.source, svix, 'handlers without a source belong to it')
  t.same(one.configFile?.overriddenBy, ['RIVERHOOK_SOURCE'])
  t.throws(() => readConfig(environment, file({ endpoints: [{ path: '/a' }, { path: '/b' }] }), svix), {
    message: /^RIVERHOOK_SOURCE is of a single endpoint, and riverhook\.config\.ts has a list/
  })
})

t.test('the default path of an endpoint contains the name of its source', async (t) => {
  const { default: Fastify } = await import('fastify')
  const app = Fastify()
  t.teardown(() => app.close())
  const other = hmacSource({ name: 'my shop', header: 'x-s', id: { field: 'id' }, type: { field: 'type' } })
  await app.register(riverhook, {
    inbox: 'memory:',
    endpoints: [{ secrets: 'whk_a' }, { secrets: 'b', source: other }]
  })
  await app.ready()
  for (const url of ['/webhooks/digital-river', '/webhooks/my-shop'])
    t.equal((await app.inject({ method: 'POST', url, payload: {} })).statusCode, 401, url)
})
