import type { Test } from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
import { RiverhookError } from '../../src/model/errors.ts'
import { setClock, type SetClock } from './set-clock.ts'

export interface Emptied {
  readonly inbox: Inbox
  /** Brings its store back to the state of a new one. */
  empty(): Promise<unknown>
}

/** Inboxes that the tests of a file use one after the other. */
export interface EmptiedInboxes<Kept extends Emptied> {
  /** Returns an open, empty inbox for one test, with a clock that is set back to its beginning. */
  take(t: Pick<Test, 'teardown' | 'passing'>): Promise<Kept & SetClock>
  /** Returns an open, empty inbox that `close()` empties for the next user. */
  lend(clock: () => number): Promise<Kept>
}

/** For how long an inbox is kept. It sends no heartbeat until then, nor in its last test: see `keptPresenceMs`. */
const keptMs = 20_000

/**
 * To start the threads of an inbox, or its connections, takes longer than most tests of the contract. So each inbox is
 * emptied and used again. One that a test has closed, or in which a test has failed, is not.
 * @param make opens another one with this clock and number
 */
export function emptiedInboxes<Kept extends Emptied>(
  t: Pick<Test, 'teardown'>,
  make: (clock: () => number, number: number) => Promise<Kept>
): EmptiedInboxes<Kept> {
  interface Part {
    clock: () => number
    readonly madeAt: number
    readonly kept: Kept
  }
  const unused: Part[] = []
  let made = 0
  const take = async (clock: () => number): Promise<Part> => {
    const known = unused.pop()
    if (known !== undefined) return Object.assign(known, { clock })
    const place = { clock, madeAt: performance.now() }
    const kept = await make(() => place.clock(), made++)
    t.teardown(() => kept.inbox.close())
    return Object.assign(place, { kept })
  }
  const giveBack = async (part: Part): Promise<void> => {
    const isClosed = await part.kept.inbox.now().then(
      () => false,
      () => true
    )
    if (isClosed) return
    if (performance.now() - part.madeAt > keptMs) return part.kept.inbox.close()
    await part.kept.empty()
    unused.push(part)
  }
  return {
    async take(t) {
      const clock = setClock()
      const part = await take(clock.now)
      t.teardown(() => (t.passing() ? giveBack(part) : part.kept.inbox.close()))
      return { ...part.kept, ...clock }
    },
    async lend(clock) {
      const part = await take(clock)
      return { ...part.kept, inbox: lent(part.kept.inbox, () => giveBack(part)) }
    }
  }
}

/** The same inbox, until it is closed. What a test sets in it ends with it. */
function lent(inbox: Inbox, giveBack: () => Promise<void>): Inbox {
  let isClosed = false
  const own: Partial<Inbox> = {
    open: () => Promise.resolve(),
    close: async () => {
      if (isClosed) return
      isClosed = true
      await giveBack()
    }
  }
  const refuse = () => Promise.reject(new RiverhookError('RIVERHOOK_INBOX_CLOSED', 'this inbox was given back'))
  return new Proxy(own, {
    has: (_own, name) => name in inbox,
    get: (_own, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name) as unknown
      const value: unknown = Reflect.get(inbox, name)
      if (typeof value !== 'function') return value
      return isClosed ? refuse : (value.bind(inbox) as unknown)
    }
  }) as Inbox
}

/** The same engine as another object, which can be encrypted with other keys. */
export function another(inbox: Inbox): Inbox {
  return new Proxy(inbox, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}
