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
  /** The expected ratio to (a), at least. */
  readonly atLeast?: number
}

const none = () => []
const sqlite = (folder: string) => `sqlite:${folder}/inbox.db`
const accepted = '"status":"accepted"'

export const contestants: readonly Contestant[] = [
  {
    key: 'a',
    label: 'hand-written Fastify route, nothing stored',
    file: 'receive/baseline.ts',
    scheme: 'digital-river',
    args: none,
    expected: accepted
  },
  {
    key: 'b',
    label: 'riverhook, memory',
    file: 'receive/riverhook.ts',
    scheme: 'digital-river',
    args: () => ['memory:'],
    expected: accepted,
    atLeast: 0.85
  },
  {
    key: 'b-',
    label: 'riverhook, memory, payloads not checked',
    file: 'receive/riverhook.ts',
    scheme: 'digital-river',
    args: () => ['memory:', '', 'off'],
    expected: accepted
  },
  {
    key: 'c',
    label: 'riverhook, sqlite (fsync before the answer)',
    file: 'receive/riverhook.ts',
    scheme: 'digital-river',
    args: (folder) => [sqlite(folder)],
    expected: accepted,
    atLeast: 0.6
  },
  {
    key: 'c*',
    label: 'riverhook, sqlite, and a no-op handler on *',
    file: 'receive/riverhook.ts',
    scheme: 'digital-river',
    args: (folder) => [sqlite(folder), 'no-op'],
    expected: accepted
  },
  {
    key: 'c-',
    label: 'riverhook, sqlite, payloads not checked',
    file: 'receive/riverhook.ts',
    scheme: 'digital-river',
    args: (folder) => [sqlite(folder), '', 'off'],
    expected: accepted
  },
  {
    key: 'd',
    label: 'Express + standardwebhooks, nothing stored',
    file: 'peers/express.js',
    scheme: 'standard-webhooks',
    args: none,
    expected: accepted
  },
  {
    key: 'd+',
    label: 'riverhook, standardWebhooks, sqlite (fsync before the answer)',
    file: 'receive/riverhook.ts',
    scheme: 'standard-webhooks',
    args: (folder) => [sqlite(folder), '', 'flag', 'standardWebhooks'],
    expected: accepted
  },
  {
    key: 'e',
    label: '@octokit/webhooks middleware, nothing stored',
    file: 'peers/octokit.js',
    scheme: 'github',
    args: none,
    expected: ''
  },
  {
    key: 'e+',
    label: 'riverhook, github, sqlite (fsync before the answer)',
    file: 'receive/riverhook.ts',
    scheme: 'github',
    args: (folder) => [sqlite(folder), '', 'flag', 'github'],
    expected: accepted
  }
]

/** Contestants of which the first is compared with the second, not only with (a). */
export interface Pair {
  readonly keys: readonly [string, string]
  readonly of: string
  /** The expected ratio of their requests/s, at least. */
  readonly atLeast?: number
}

const flag = 'comparing payloads with their schemas'
const peer = 'riverhook, which stores, beside a peer on the same scheme, which does not'

export const pairs: readonly Pair[] = [
  { keys: ['b', 'b-'], of: flag, atLeast: 0.9 },
  { keys: ['c', 'c-'], of: flag, atLeast: 0.9 },
  { keys: ['d+', 'd'], of: peer },
  { keys: ['e+', 'e'], of: peer }
]
