import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

import { DigitalRiverClient } from '../../../../src/source/digital-river/api/client.ts'
import { digitalRiver } from '../../../../src/source/digital-river/index.ts'
import type { SourceApi } from '../../../../src/source/source.ts'
import { makeFolder } from '../../../folder.ts'
import { apiKey, rig, webhook } from './api-server.ts'

const invalid = (message: RegExp) => ({ code: 'RIVERHOOK_OPTIONS_INVALID', message })

t.test('the key comes from the option, the variable or the file, and is sent as a bearer token', async (t) => {
  const folder = makeFolder(t, { key: 'sk_test_from-file\r\n' })
  const answer = () => ({ body: [] })
  const byOption = await rig(t, answer, { apiKey, environment: { DIGITAL_RIVER_API_KEY: 'sk_test_other' } })
  const byVariable = await rig(t, answer, {
    apiKey: undefined,
    environment: { DIGITAL_RIVER_API_KEY: 'sk_test_variable' }
  })
  const file = { DIGITAL_RIVER_API_KEY_FILE: join(folder, 'key') }
  const byFile = await rig(t, answer, { apiKey: undefined, environment: file })
  for (const { client } of [byOption, byVariable, byFile]) await client.webhooks.list()
  t.equal(byOption.seen[0]?.headers.authorization, `Bearer ${apiKey}`)
  t.equal(byVariable.seen[0]?.headers.authorization, 'Bearer sk_test_variable')
  t.equal(byFile.seen[0]?.headers.authorization, 'Bearer sk_test_from-file', 'the line end of the file is not included')
})

t.test('a missing or invalid key is refused at the start, with instructions and without the key', async (t) => {
  const folder = makeFolder(t, { spaced: ' sk_test_4f8a\n' })
  const open = (environment: Record<string, string>, key?: string) => () =>
    new DigitalRiverClient({ apiKey: key, environment })
  t.throws(open({}), invalid(/No API key.*DIGITAL_RIVER_API_KEY.*confidential key.*dashboard/))
  t.throws(open({ DIGITAL_RIVER_API_KEY: 'sk_a', DIGITAL_RIVER_API_KEY_FILE: 'b' }), invalid(/both set/))
  t.throws(
    open({ DIGITAL_RIVER_API_KEY_FILE: join(folder, 'none') }),
    invalid(/DIGITAL_RIVER_API_KEY_FILE names .*cannot be read/)
  )
  t.throws(open({ DIGITAL_RIVER_API_KEY_FILE: join(folder, 'spaced') }), invalid(/white space/))
  t.throws(open({ DIGITAL_RIVER_API_KEY: '' }), invalid(/DIGITAL_RIVER_API_KEY is empty/))
  t.throws(open({}, ''), invalid(/option apiKey is empty/))
  t.throws(open({}, 'pk_test_4f8a'), invalid(/public key/))
  for (const key of ['sk_4f8a1c ', '\tsk_4f8a1c', 'sk_4f8a1c\n', 'sk_4f\0a1c', 'sk_4f8a1cé']) {
    try {
      open({}, key)()
      t.fail(`accepted ${JSON.stringify(key)}`)
    } catch (error) {
      t.match(error, invalid(/white space/))
      t.notMatch(String(error), '4f', 'the key is not in the message')
    }
  }
})

t.test('test and live keys are distinguished', async (t) => {
  const modeOf = (key: string) => new DigitalRiverClient({ apiKey: key, environment: {} }).mode
  t.equal(modeOf('sk_test_1'), 'test')
  t.equal(modeOf('sk_live_1'), 'live')
  t.equal(modeOf('sk_hc_1'), 'live')
  t.equal(modeOf('something-else'), undefined)
})

t.test('the base URL: option, variable, a path before it; never one with credentials', async (t) => {
  const { url, seen } = await rig(t, () => ({ body: [] }))
  const environment = { DIGITAL_RIVER_API_URL: `${url}/proxy/` }
  await new DigitalRiverClient({ apiKey, environment }).webhooks.list()
  await new DigitalRiverClient({ apiKey, apiUrl: url, environment }).webhooks.list()
  t.strictSame(
    seen.map(({ path }) => path),
    ['/proxy/webhooks', '/webhooks']
  )
  for (const apiUrl of [
    '',
    'api.example',
    'ftp://api.example',
    'https://me:hunter2@api.example',
    'https://a.example?x=hunter2'
  ]) {
    try {
      new DigitalRiverClient({ apiKey, apiUrl, environment: {} })
      t.fail(`accepted ${apiUrl}`)
    } catch (error) {
      t.match(error, invalid(/apiUrl must be an http or https URL/))
      t.notMatch(String(error), 'hunter2')
    }
  }
})

t.test('a wrong option is refused, not ignored', async (t) => {
  const open = (options: Record<string, unknown>) => () =>
    new DigitalRiverClient({ apiKey, environment: {}, ...options })
  t.throws(open({ timeout: 5 }), invalid(/"timeout" is unknown; did you mean "timeoutMs"/))
  for (const timeoutMs of [0, -1, NaN, '5', 1.5]) t.throws(open({ timeoutMs }), invalid(/"timeoutMs"/))
  for (const retries of [-1, NaN, '2', Infinity]) t.throws(open({ retries }), invalid(/"retries"/))
  t.throws(open({ apiVersion: 'latest\r\nx: y' }), invalid(/"apiVersion" must be a date/))
  t.throws(open({ application: 'shop' }), invalid(/"application" must be of the form name\/version/))
})

t.test('version and application are sent as headers', async (t) => {
  const { client, seen } = await rig(t, () => ({ body: [] }), { apiVersion: '2021-12-13', application: 'shop/1.2.0' })
  await client.webhooks.list()
  t.match(seen[0]?.headers, {
    'digitalriver-version': '2021-12-13',
    'upstream-application-id': 'shop/1.2.0',
    accept: 'application/json'
  })
  const plain = await rig(t, () => ({ body: [] }))
  await plain.client.webhooks.list()
  t.notOk(plain.seen[0]?.headers['digitalriver-version'], 'the version of the key is used unless another is configured')
})

t.test('the source returns the client that the contract requires', async (t) => {
  const { url, seen } = await rig(t, () => ({ body: [webhook()] }))
  const folder = makeFolder(t)
  writeFileSync(join(folder, 'key'), apiKey)
  const api: SourceApi = digitalRiver().api({ apiKey, apiUrl: url })
  t.equal(api.mode, 'test')
  t.equal(api.events?.horizonMs, 30 * 24 * 60 * 60 * 1000)
  t.match(await api.webhooks.list(), [{ id: 'wh-1' }])
  t.equal(seen.length, 1)
})

t.test('all wrong options of the client are reported at once', (t) => {
  t.throws(() => new DigitalRiverClient({ apiKey: 'sk_test_1', timeoutMs: -1, retrys: 3, apiVersion: 'x' } as never), {
    code: 'RIVERHOOK_OPTIONS_INVALID',
    message:
      /^The options of the Digital River client: 3 settings are wrong\n {2}- "retrys" is unknown; did you mean "retries"\?.*\n {2}- "timeoutMs" must be >= 1\n {2}- "apiVersion" must be a date/
  })
  t.end()
})
