import { RiverhookError } from '../model/errors.ts'
import type { Inbox } from './inbox.ts'

/** The calls that the code of an engine answers, and no engine may lack. */
type EveryCall = Exclude<keyof Inbox, 'name' | 'role' | 'open' | 'close' | 'onDue' | 'notes' | OwnCall>
/** The calls that only some engines have. */
type OwnCall = 'recordAndClaim' | 'transact' | 'servers'

/** Complete by its type: a call that is missing here does not compile. */
const everyCall: Readonly<Record<EveryCall, true>> = {
  record: true,
  known: true,
  admit: true,
  claim: true,
  suspects: true,
  claimSuspects: true,
  extend: true,
  settle: true,
  replay: true,
  adopt: true,
  handlers: true,
  pause: true,
  resume: true,
  pauses: true,
  watermark: true,
  watermarks: true,
  advance: true,
  flag: true,
  drifts: true,
  acknowledge: true,
  events: true,
  event: true,
  reindex: true,
  restore: true,
  remove: true,
  erase: true,
  scrub: true,
  tally: true,
  countRequests: true,
  restoreTally: true,
  pruneTally: true,
  holdAlarms: true,
  saveAlarms: true,
  alarmState: true,
  acknowledgeAlarms: true,
  audit: true,
  audits: true,
  restoreAudits: true,
  pruneAudits: true,
  failed: true,
  retries: true,
  stats: true,
  levels: true,
  lengths: true,
  probe: true,
  prune: true,
  position: true,
  addJob: true,
  jobs: true,
  job: true,
  stopJob: true,
  claimJob: true,
  replayInJob: true,
  advanceJob: true,
  endJob: true,
  encryption: true,
  saveEncryption: true,
  reseal: true,
  signingKey: true,
  now: true
}

/** The calls, as what passes them on sees them. */
type Calls = Readonly<Record<EveryCall | OwnCall, (...given: unknown[]) => unknown>>

export interface LateEngine {
  readonly name: string
  readonly role?: 'server' | 'command'
  /** The calls that this engine has in addition to those of every engine. */
  readonly has: readonly OwnCall[]
  /** Imports the code of the engine, and creates the inbox. */
  readonly load: () => Promise<Inbox>
}

/** An inbox that loads the code of its engine when it is opened: no process loads an engine that it does not use. */
export function lateEngine({ name, role, has, load }: LateEngine): Inbox {
  const wakers = new Set<() => void>()
  let engine: Inbox | undefined
  let loading: Promise<Inbox> | undefined
  let isClosed = false

  const loadOnce = async (): Promise<Inbox> => {
    const loaded = await load()
    if (isClosed) await loaded.close()
    loaded.onDue(() => {
      for (const wake of wakers) wake()
    })
    engine = loaded
    return loaded
  }
  const forward =
    (call: EveryCall | OwnCall) =>
    (...given: unknown[]): unknown => {
      if (engine !== undefined) return (engine as unknown as Calls)[call](...given)
      return Promise.reject(
        new RiverhookError('RIVERHOOK_INBOX_CLOSED', `The inbox is ${isClosed ? 'closed' : 'not open yet'}`)
      )
    }
  const calls = [...(Object.keys(everyCall) as EveryCall[]), ...has]
  return {
    ...(Object.fromEntries(calls.map((call) => [call, forward(call)])) as unknown as Pick<Inbox, EveryCall | OwnCall>),
    name,
    ...(role === undefined ? {} : { role }),
    async open() {
      loading ??= loadOnce()
      let loaded: Inbox
      try {
        loaded = await loading
      } catch (error) {
        // The next opening loads it again.
        loading = undefined
        throw error
      }
      await loaded.open()
    },
    async close() {
      isClosed = true
      // An engine that could not be loaded has nothing to close.
      await (await loading?.catch(() => undefined))?.close()
    },
    onDue(wake) {
      wakers.add(wake)
      return () => wakers.delete(wake)
    }
  }
}
