import type { Test } from 'tap'

import type { Inbox } from '../../src/inbox/inbox.ts'
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
  open(clock: () => number): Promise<Inbox>
}

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
    readonly kept: Kept
  }
  const unused: Part[] = []
  let made = 0
  const take = async (clock: () => number): Promise<Part> => {
    const known = unused.pop()
    if (known !== undefined) return Object.assign(known, { clock })
    const place = { clock }
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
    async open(clock) {
      const part = await take(clock)
      return withOwn(part.kept.inbox, { open: () => Promise.resolve(), close: () => giveBack(part) })
    }
  }
}

/** The same inbox, with some of its functions replaced. */
export function withOwn(inbox: Inbox, own: Partial<Inbox>): Inbox {
  return new Proxy(inbox, {
    get(target, name) {
      const value: unknown = Reflect.get(name in own ? own : target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}
