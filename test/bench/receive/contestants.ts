import { ownFolder } from '../checkout.ts'
import type { ServerOptions } from './riverhook.ts'
import type { SchemeName } from './scheme.ts'

export interface Contestant {
  readonly key: string
  readonly label: string
  /** The server's file, from test/bench. */
  readonly file: string
  readonly scheme: SchemeName
  /** Arguments after path and secret. */
  readonly args: (folder: string) => readonly string[]
  /** Text that every answer must contain, so that a duplicate does not count as a stored event. */
  readonly expected: string
  /** True if a handler runs for each event: a slice ends when all have been handled. */
  readonly handles?: boolean
}

const accepted = '"status":"accepted"'

const baseline = (key: string, label: string): Contestant => ({
  key,
  label,
  file: 'receive/baseline.ts',
  scheme: 'digital-river',
  args: () => [],
  expected: accepted
})

/** @param options `inbox`: default SQLite, in a new file */
function riverhook(
  key: string,
  label: string,
  { scheme = 'digital-river', ...options }: Partial<ServerOptions> & { readonly scheme?: SchemeName } = {}
): Contestant {
  const { inbox, checkout = ownFolder } = options
  return {
    key,
    label,
    file: 'receive/riverhook.ts',
    scheme,
    args: (folder) => [
      JSON.stringify({ ...options, checkout, inbox: inbox ?? `sqlite:${folder}/inbox.db` } satisfies ServerOptions)
    ],
    expected: accepted,
    handles: options.handler === 'no-op'
  }
}

const ours: readonly Contestant[] = [
  baseline('a', 'hand-written Fastify route, nothing stored'),
  baseline('a=', 'the same again: the control'),
  riverhook('c', 'riverhook, sqlite (fsync before the answer)'),
  riverhook('c*', 'riverhook, sqlite, and a no-op handler on *', { handler: 'no-op' })
]

/** Those of a run without another checkout. */
export const contestants: readonly Contestant[] = [
  ...ours,
  riverhook('b', 'riverhook, memory', { inbox: 'memory:' }),
  riverhook('b-', 'riverhook, memory, payloads not checked', { inbox: 'memory:', validate: 'off' }),
  riverhook('c-', 'riverhook, sqlite, payloads not checked', { validate: 'off' }),
  riverhook('c#', 'riverhook, sqlite, encrypted', { isEncrypted: true }),
  {
    key: 'd',
    label: 'Express + standardwebhooks, nothing stored',
    file: 'peers/express.js',
    scheme: 'standard-webhooks',
    args: () => [],
    expected: accepted
  },
  riverhook('d+', 'riverhook, standardWebhooks, sqlite (fsync before the answer)', {
    scheme: 'standard-webhooks',
    source: 'standardWebhooks'
  }),
  {
    key: 'e',
    label: '@octokit/webhooks middleware, nothing stored',
    file: 'peers/octokit.js',
    scheme: 'github',
    args: () => [],
    expected: ''
  },
  riverhook('e+', 'riverhook, github, sqlite (fsync before the answer)', { scheme: 'github', source: 'github' })
]

/** Those of a comparison with another checkout. */
export function contestantsAgainst(checkout: string): readonly Contestant[] {
  return [
    ...ours,
    riverhook('c@', 'the other checkout, sqlite', { checkout }),
    riverhook('c@=', 'the same again: the control', { checkout }),
    riverhook('c*@', 'the other checkout, sqlite, and a no-op handler on *', { checkout, handler: 'no-op' }),
    riverhook('c*@=', 'the same again: the control', { checkout, handler: 'no-op' })
  ]
}

/** A comparison of two contestants. The first is divided by the second. */
export interface Comparison {
  readonly keys: readonly [string, string]
  readonly of: string
}

/** A comparison whose result is expected to be within a limit. */
export interface Expectation extends Comparison {
  readonly figure: 'CPU' | 'requests/s'
  readonly atMost?: number
  readonly atLeast?: number
  /** The sizes of events that it is for, in bytes. Default: all. */
  readonly bytes?: readonly number[]
}

const small = [850]
const large = [8 * 1024]
const recorded = 'stored, beside a route that stores nothing'
const flag = 'comparing payloads with their schemas'
const peer = 'riverhook, which stores, beside a peer on the same scheme, which does not'

export const expectations: readonly Expectation[] = [
  { keys: ['c', 'a'], of: recorded, figure: 'CPU', atMost: 1.45, bytes: small },
  { keys: ['c*', 'a'], of: 'stored and handled, beside the same route', figure: 'CPU', atMost: 1.95, bytes: small },
  { keys: ['e+', 'e'], of: peer, figure: 'requests/s', atLeast: 0.85, bytes: small },
  { keys: ['e+', 'e'], of: peer, figure: 'requests/s', atLeast: 1, bytes: large },
  { keys: ['d+', 'd'], of: peer, figure: 'requests/s', atLeast: 1.2 },
  { keys: ['b', 'a'], of: 'accepted in memory', figure: 'requests/s', atLeast: 0.85 },
  { keys: ['c', 'a'], of: recorded, figure: 'requests/s', atLeast: 0.6 },
  { keys: ['b', 'b-'], of: flag, figure: 'requests/s', atLeast: 0.9 },
  { keys: ['c', 'c-'], of: flag, figure: 'requests/s', atLeast: 0.9 },
  { keys: ['c#', 'c'], of: 'encryption at rest', figure: 'requests/s', atLeast: 0.9 }
]

/** The comparisons of a run with another checkout, each with its control. */
export const comparisons: readonly Comparison[] = [
  { keys: ['c', 'c@'], of: 'recorded, beside the other checkout' },
  { keys: ['c@=', 'c@'], of: 'control: the other checkout twice' },
  { keys: ['c*', 'c*@'], of: 'handled, beside the other checkout' },
  { keys: ['c*@=', 'c*@'], of: 'control: the other checkout twice' }
]
