import t from 'tap'

import type { EndpointOptions, RiverhookOptions } from '../../src/index.ts'
import type { Checks } from '../../src/receive/authenticate/authenticate.ts'
import { SignatureCheck } from '../../src/receive/authenticate/signature.ts'
import { warnAtStart } from '../../src/receive/start-warnings.ts'
import { digitalRiver } from '../../src/source/digital-river/index.ts'
import { startReceiver } from './receiver.ts'

// Risk: every order, forged by the first person who tries the documentation's secret.

t.test(
  'credentials from examples, or easy to guess, cause a warning with their place and without their value',
  async (t) => {
    const warned = (credentials: Pick<Checks, 'secrets' | 'basicAuth' | 'bearer'>) => {
      const lines: string[] = []
      const source = digitalRiver()
      const common = { path: '/hook', source, timestamps: 'readable', realm: source.name, isRealmGiven: false } as const
      const checks =
        credentials.secrets === undefined
          ? []
          : [new SignatureCheck({ ...common, secrets: credentials.secrets, toleranceMs: 1 })]
      warnAtStart([{ ...common, ...credentials, tolerance: 1, mode: undefined }], checks, {
        warn: (_keys: object, message?: string) => {
          lines.push(String(message))
        }
      })
      t.ok(lines.every((line) => !/whk_example|hunter|changeme/.test(line)))
      return lines.map((line) => line.replace(/:.*/, ''))
    }
    const real = 'whk_749267cf-a86e-471e-ab70-e4b315c9b9c4'
    t.same(warned({ secrets: real }), [])
    t.same(warned({ secrets: [real, 'whk_example'] }), ['the signing secret number 2 is an example or a placeholder'])
    for (const secrets of [`"${real}`, `${real}'`, ` ${real}`, `${real}\n`])
      t.same(warned({ secrets: [real, secrets] }), [
        'the signing secret number 2 has white space or quotes around it, which count as part of it'
      ])
    t.same(warned({ secrets: 'q7' }), ['the signing secret is shorter than 16 characters and can be guessed'])
    for (const secrets of [
      'changeme',
      'CHANGE-ME',
      'whk_...',
      'whk_secret',
      '00000000-0000-0000-0000-000000000000',
      'your-signing-secret',
      '1234567890123456'
    ]) {
      t.same(warned({ secrets }), ['the signing secret is an example or a placeholder'], secrets)
    }
    t.same(
      warned({
        basicAuth: [
          { username: 'u', password: 'changeme' },
          { username: 'v', password: 'hunter2' }
        ]
      }),
      [
        'the password of basic authentication number 1 is an example or a placeholder',
        'the password of basic authentication number 2 is shorter than 8 characters and can be guessed'
      ]
    )
    t.same(warned({ bearer: 'test-token' }), ['the bearer token is shorter than 16 characters and can be guessed'])
    t.same(warned({ bearer: () => true }), [])
    const { app, lines } = await startReceiver(t, { secrets: async () => 'whk_example' })
    await app.ready()
    t.match(
      lines.filter(({ level }) => level === 40),
      [
        {
          endpoint: '/webhooks/digital-river',
          msg: 'the signing secret is an example or a placeholder: anybody could send events to this endpoint'
        }
      ]
    )
  }
)

t.test('a user name with a colon is refused: its end would be read as the password', async (t) => {
  for (const basicAuth of [
    { username: 'a:b', password: 'c' },
    [
      { username: 'a', password: 'b:c' },
      { username: ':', password: 'c' }
    ]
  ]) {
    await t.rejects(startReceiver(t, { basicAuth }), {
      code: 'RIVERHOOK_OPTIONS_INVALID',
      message: /^Option "basicAuth": a user name must not hold a colon/
    })
  }
})

t.test('endpoints with different secrets that share a realm by default cause one warning', async (t) => {
  const warned = async (endpoints: NonNullable<RiverhookOptions['endpoints']>) => {
    const { app, lines } = await startReceiver(t, { endpoints })
    await app.ready()
    return lines.filter(({ msg }) => /share a realm/.test(msg))
  }
  const [one, two, three] = ['one', 'two', 'three'].map((name) => ({
    path: `/${name}`,
    mode: 'live' as const,
    secrets: `whk_749267cf-a86e-471e-ab70-${name}`
  })) as [EndpointOptions, EndpointOptions, EndpointOptions]
  t.match(await warned([one, two, three]), [
    { level: 40, realm: 'digital-river', endpoints: ['/one', '/two', '/three'], msg: /counts as its duplicate/ }
  ])
  t.equal((await warned([one, { ...two, secrets: async () => [String(two.secrets)] }])).length, 1, 'from a function')
  t.same(await warned([one, { ...two, realm: 'shop-two' }]), [], 'each has its own')
  t.same(await warned([one, { ...two, mode: 'test' }]), [], 'test and live are apart')
  t.same(await warned([one, two].map((each) => ({ ...each, realm: 'shop' }))), [], 'it is meant')
  t.same(await warned([one, { ...two, secrets: [String(two.secrets), String(one.secrets)] }]), [], 'one is common')
})
