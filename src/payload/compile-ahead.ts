import type { SourceHandlers } from '../handlers/registry.ts'
import { clearTimeout, loopLoad, monotonicNow, setTimeout } from '../model/timers.ts'
import type { PayloadChecks, PayloadMode } from './checks.ts'

export interface CheckedSource {
  readonly source: { readonly types: readonly string[] }
  readonly handlers: Pick<SourceHandlers, 'for'>
  readonly payloads: Pick<PayloadChecks, 'compileAhead'>
  /** Of its endpoints. */
  readonly modes: readonly PayloadMode[]
}

/** Several small schemas are compiled together. */
const leastMs = 1

/** After each of these times: requests are answered in it, and a process that ends soon compiles few schemas. */
const pauseMs = 50

/** The event loop is busy if it worked for more than this part of a pause. */
const busyLoad = 0.5

/** The part of the time that compiling takes while the event loop is busy. */
const busyShare = 0.03

export interface Clocks {
  /** The time, in milliseconds. */
  readonly now: () => number
  /** See `loopLoad`. */
  readonly loadSince: () => number
}

/**
 * Compiles the provider's schemas of the types that have handlers, one after the other. Otherwise, the first event of a
 * type waits for it: for a large schema in a new process, 0.1 to 0.3 s. Types that a handler names come first. While
 * the process is busy, with a backlog or with requests, it compiles little: that work would wait, and an event that
 * needs a schema compiles it anyway.
 * @param clocks given by tests
 * @returns a function that ends it
 */
export function compileAhead(
  sources: readonly CheckedSource[],
  { now, loadSince }: Clocks = { now: monotonicNow, loadSince: loopLoad() }
): () => void {
  const work = sources.flatMap(({ source, handlers, payloads, modes }) =>
    source.types.map((type) => {
      const handled = handlers.for(type)
      const compile = (): void => {
        for (const mode of new Set(modes)) payloads.compileAhead(type, handled, mode)
      }
      return { isHandled: handled.length > 0, isNamed: handled.some(({ pattern }) => pattern === type), compile }
    })
  )
  const handled = work.filter(({ isHandled }) => isHandled)
  const queue = [...handled.filter(({ isNamed }) => isNamed), ...handled.filter(({ isNamed }) => !isNamed)]
  let timer: NodeJS.Timeout | undefined
  let restUntil = 0
  compile()
  return () => {
    clearTimeout(timer)
  }

  function compile(): void {
    const startedAt = now()
    while (queue.length > 0 && now() - startedAt < leastMs) queue.shift()?.compile()
    const endedAt = now()
    restUntil = endedAt + (endedAt - startedAt) / busyShare
    // The next load is that of the pause alone.
    loadSince()
    pause()
  }

  function pause(): void {
    if (queue.length === 0) return
    timer = setTimeout(() => {
      if (loadSince() > busyLoad && now() < restUntil) pause()
      else compile()
    }, pauseMs).unref()
  }
}
