import { pino } from 'pino'
import type { Test } from 'tap'

import { channels, type SettledMessage } from '../../src/model/channels.ts'
import { Dispatcher, type DispatcherOptions } from '../../src/deliver/dispatcher.ts'
import type { Event } from '../../src/index.ts'
import { Registry } from '../../src/handlers/registry.ts'
import type { EventDetail, Inbox, NewDelivery } from '../../src/inbox/inbox.ts'
import { memoryInbox } from '../../src/inbox/memory/engine.ts'
import type { Log } from '../../src/model/log.ts'
import { arrival } from '../inbox/arrivals.ts'
import { keyOf, source } from '../event-keys.ts'

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [key: string]: unknown
}

/** A real logger whose lines the test can read. */
export function readableLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  return { lines, log: pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line) as LogLine) }) }
}

export interface Rig {
  readonly inbox: Inbox
  readonly handlers: Registry
  readonly log: Log
  readonly lines: LogLine[]
  readonly messages: (text: string) => LogLine[]
  readonly now: () => number
  readonly advance: (ms: number) => void
  /** Every stored outcome so far. */
  readonly settled: SettledMessage[]
  /** Resolves when `count` outcomes that satisfy `isWanted` are stored. */
  readonly untilSettled: (count: number, isWanted?: (message: SettledMessage) => boolean) => Promise<void>
  /** Stores events with a delivery for every handler that covers `order.accepted`. */
  readonly record: (...ids: readonly string[]) => Promise<void>
  readonly recordFor: (id: string, deliveries: readonly (string | NewDelivery)[]) => Promise<void>
  readonly start: (options?: Partial<DispatcherOptions>) => Promise<Dispatcher>
  readonly event: (id: string) => Promise<EventDetail>
  readonly states: (id: string) => Promise<Readonly<Record<string, string>>>
}

/** A dispatcher on the memory inbox, with a clock that the test advances. */
export async function rig(t: Test, wrap: (inbox: Inbox) => Inbox = (inbox) => inbox): Promise<Rig> {
  let now = Date.UTC(2026, 0, 1)
  const inbox = wrap(memoryInbox({ clock: () => now }))
  await inbox.open()
  const handlers = new Registry(source)
  const { log, lines } = readableLog()
  const settled: SettledMessage[] = []
  const checks = new Set<() => void>()
  const subscriber = (message: unknown): void => {
    settled.push(message as SettledMessage)
    for (const check of checks) check()
  }
  channels.settled.subscribe(subscriber)
  // The dispatcher's own timers do not keep a process alive; in a server the listening socket does.
  const keepAlive = setInterval(() => undefined, 60_000)
  t.teardown(() => {
    clearInterval(keepAlive)
    channels.settled.unsubscribe(subscriber)
  })
  const recordFor = async (id: string, deliveries: readonly (string | NewDelivery)[]): Promise<void> => {
    const body = Buffer.from(JSON.stringify({ id, type: 'order.accepted', data: { object: { id: 'o1' } } }))
    await inbox.record([arrival(id, deliveries, { body, receivedAt: new Date(now) })])
  }
  const event = async (id: string): Promise<EventDetail> => {
    const found = await inbox.event(keyOf(id))
    if (found === undefined) throw new Error(`no event ${id}`)
    return found
  }
  return {
    inbox,
    handlers,
    log,
    lines,
    messages: (text) => lines.filter(({ msg }) => msg.includes(text)),
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    settled,
    untilSettled: (count, isWanted = () => true) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (settled.filter(isWanted).length < count) return
          checks.delete(check)
          resolve()
        }
        checks.add(check)
        check()
      }),
    record: async (...ids) => {
      for (const id of ids)
        await recordFor(
          id,
          handlers.for('order.accepted').map(({ name }) => name)
        )
    },
    recordFor,
    start: async (options = {}) => {
      const dispatcher = new Dispatcher({
        inbox,
        handlers,
        log,
        revive: ({ body }) => JSON.parse(Buffer.from(body).toString()) as Event,
        concurrency: 32,
        pollMs: 5,
        clock: () => now,
        ...options
      })
      t.teardown(() => dispatcher.stop({ graceMs: 0 }))
      await dispatcher.start()
      return dispatcher
    },
    event,
    states: async (id) => Object.fromEntries((await event(id)).deliveries.map(({ handler, state }) => [handler, state]))
  }
}

/**
 * An inbox whose methods fail on demand, as on a full disk: they reject, and change nothing.
 */
export function failing(inbox: Inbox): {
  readonly inbox: Inbox
  readonly faults: Map<string, number>
  readonly calls: string[]
} {
  const faults = new Map<string, number>()
  const calls: string[] = []
  const proxy = new Proxy(inbox, {
    get(target, name: string) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        calls.push(name)
        const left = faults.get(name) ?? 0
        if (left > 0) {
          faults.set(name, left - 1)
          return Promise.reject(new Error('database or disk is full'))
        }
        return (value as (...args: unknown[]) => unknown).apply(target, args)
      }
    }
  })
  return { inbox: proxy, faults, calls }
}

/** An inbox with some methods replaced, to simulate races between two processes or threads. */
export function altered(inbox: Inbox, change: (inbox: Inbox) => Partial<Inbox>): Inbox {
  const changes = change(inbox)
  return new Proxy(inbox, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name) as unknown
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}

/** A promise with its resolve and reject functions. */
export function gate<Value = void>(): PromiseWithResolvers<Value> {
  return Promise.withResolvers<Value>()
}
