import type { SourceHandlers } from '../handlers/registry.ts'
import { clearTimeout, monotonicNow, setTimeout } from '../model/timers.ts'
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

/**
 * Compiles the provider's schemas of the types that have handlers, one after the other. Otherwise, the first event of a
 * type waits for it: for a large schema in a new process, 0.1 to 0.3 s. Types that a handler names come first.
 * @param now the clock, in milliseconds; given by tests
 * @returns a function that ends it
 */
export function compileAhead(sources: readonly CheckedSource[], now: () => number = monotonicNow): () => void {
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
  next()
  return () => {
    clearTimeout(timer)
  }

  function next(): void {
    const startedAt = now()
    while (queue.length > 0 && now() - startedAt < leastMs) queue.shift()?.compile()
    if (queue.length > 0) timer = setTimeout(next, pauseMs).unref()
  }
}
