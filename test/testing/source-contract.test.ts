import { test as nodeTest } from 'node:test'
import t from 'tap'

import { digitalRiver, type IncomingRequest, type Source, type SourceRequest } from '../../src/index.ts'
import { sampleEvent, sourceContract, type SourceSample } from '../../src/testing/index.ts'
import { courier } from '../source/courier.ts'

const ofDigitalRiver: readonly SourceSample[] = ['order.accepted', 'sku.created'].map((type) => ({
  body: JSON.stringify(sampleEvent(type, { id: 'e1' }, { seed: 1 })),
  secret: 'whk_0123456789abcdef',
  events: [{ id: 'e1', type }]
}))

const secret = 'courier-0123456789abcdef'
const ofCourier: readonly SourceSample[] = [
  { body: '{"parcel":"Zürich"}', secret, events: [{ id: 'p1', type: 'parcel/sent' }] },
  batchOf(['p2', 'parcel/sent', { parcel: 'a' }], ['p3', 'order.accepted', { order: 'b' }]),
  { body: '{}', secret, headers: signed('{}', 'none', 'ping'), events: [] }
]

/** Several events in one request, signed as a whole. */
function batchOf(...events: readonly (readonly [id: string, type: string, payload: object])[]): SourceSample {
  const body = JSON.stringify(events.map(([, , payload]) => payload))
  const [ids, types] = [events.map(([id]) => id).join(', '), events.map(([, type]) => type).join(', ')]
  return { body, secret, headers: signed(body, ids, types), events: events.map(([id, type]) => ({ id, type })) }
}

function signed(body: string, id: string, type: string): Record<string, string> {
  return courier().sign({ body: Buffer.from(body), secret, at: new Date(), id, type })
}

t.test('Digital River meets the contract of a source', (t) => sourceContract(t, digitalRiver(), ofDigitalRiver))

t.test('a source with headers, batches and a handshake meets it', (t) => sourceContract(t, courier(), ofCourier))

/** Runs the contract and returns the names of the tests that fail. */
async function failing(source: Source, samples: readonly SourceSample[], requests = 300): Promise<readonly string[]> {
  const failed: string[] = []
  const run = async (name: string, check: () => Promise<void>): Promise<void> => {
    try {
      await check()
    } catch (error) {
      if (name.includes('never throws')) t.match(String(error), /threw for request \d+ of seed 1, \w+ /)
      failed.push(name.replace(/^[\w-]+: /, ''))
    }
  }
  await sourceContract(run, source, samples, { requests })
  return failed
}

// Risk: a contract suite that passes a source which breaks the contract.
t.test('a source that breaks a promise fails the test of it', async (t) => {
  const river = digitalRiver()
  const post = courier()
  const riverVerifier =
    (change: (verifier: ReturnType<typeof river.verifier>) => object) => (secrets: readonly string[]) => ({
      ...river.verifier(secrets),
      ...change(river.verifier(secrets))
    })
  const broken: readonly [promise: string, source: object, samples?: readonly SourceSample[]][] = [
    [
      'accepts each sample, also with several secrets, and says which one matched',
      { ...river, verifier: (secrets: readonly string[]) => river.verifier(secrets.slice(0, 1)) }
    ],
    [
      'reads the events of each sample',
      { ...post, read: (part: SourceRequest) => ({ ...post.read(part), event: { id: 'x', type: 'y' } }) },
      ofCourier
    ],
    ['reads the same from what is kept as from the whole request', { ...post, keep: ['x-courier-type'] }, ofCourier],
    [
      'gives parts that are readable by themselves',
      { ...post, split: (request: IncomingRequest) => [request, request] },
      ofCourier
    ],
    [
      'refuses every tampered byte',
      {
        ...river,
        verifier: riverVerifier(({ verify }) => ({
          verify: (request: SourceRequest, now: Date, toleranceMs: number) =>
            verify({ ...request, body: Buffer.from(ofDigitalRiver[0]!.body) }, now, toleranceMs)
        }))
      },
      ofDigitalRiver.slice(0, 1)
    ],
    [
      'refuses a wrong secret, and a request without a signature',
      {
        ...river,
        verifier: riverVerifier(({ verify }) => ({
          verify: (request: SourceRequest, now: Date, toleranceMs: number) =>
            request.headers['digitalriver-signature'] === undefined
              ? { ok: true, secret: 1 }
              : verify(request, now, toleranceMs)
        }))
      }
    ],
    [
      'refuses an old time and a time in the future, where the time is signed',
      {
        ...river,
        verifier: riverVerifier(({ verify }) => ({
          verify: (request: SourceRequest, now: Date) => verify(request, now, Infinity)
        }))
      }
    ],
    [
      'verifies what it signs',
      {
        ...river,
        sign: (input: Parameters<typeof river.sign>[0]) =>
          river.sign({ ...input, at: new Date(Number(input.at) - 5_000) })
      }
    ],
    [
      'answers only what is a handshake before it is verified, and recorded events with 2xx',
      { ...post, answer: () => ({ status: 500 }) },
      ofCourier
    ],
    [
      'answers only what is a handshake before it is verified, and recorded events with 2xx',
      { ...post, greet: () => ({ status: 200 }) },
      ofCourier
    ],
    [
      'never throws, whatever the headers and bytes are',
      {
        ...river,
        read: ({ body }: SourceRequest) => ({ ok: true, event: JSON.parse(Buffer.from(body).toString()) as object })
      }
    ],
    [
      'never throws, whatever the headers and bytes are',
      {
        ...river,
        verifier: riverVerifier(({ verify }) => ({
          verify: (request: SourceRequest, now: Date, toleranceMs: number) => {
            ;(request.headers['digitalriver-signature'] as string).trim()
            return verify(request, now, toleranceMs)
          }
        }))
      }
    ]
  ]
  t.same(await failing(river, ofDigitalRiver), [])
  t.same(await failing(post, ofCourier), [])
  for (const [promise, source, samples = ofDigitalRiver] of broken) {
    const failed = await failing(source as Source, samples)
    t.ok(failed.includes(promise), `${promise}: ${failed.join('; ') || 'nothing fails'}`)
  }
  await t.rejects(sourceContract(t, river, []), { code: 'RIVERHOOK_OPTIONS_INVALID' })
})

t.test('the test function of node:test works too', async (t) => {
  const names: string[] = []
  const like: typeof nodeTest = Object.assign(
    async (name: string, run: () => Promise<void>) => {
      names.push(name)
      await run()
    },
    { skip: nodeTest.skip }
  ) as never
  await sourceContract(like as Parameters<typeof sourceContract>[0], courier(), ofCourier, { requests: 10 })
  t.equal(names.length, 12)
  t.ok(names.every((name) => name.startsWith('courier: ')))
})
