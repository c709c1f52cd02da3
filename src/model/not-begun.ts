/**
 * Explains why a value that a user's function returned is unfinished work: an Observable, a generator or a query
 * builder does nothing until it is run, and promises in an array are not awaited. Call it with the resolved value.
 * @returns what the value is and what to do; undefined for an ordinary value
 */
export function notBegun(value: unknown): string | undefined {
  try {
    return describe(value)
  } catch {
    // A proxy or a throwing getter: treat it as an ordinary value.
    return undefined
  }
}

/**
 * Checks what a callback returned.
 * @throws {TypeError} if the value is unfinished work
 */
export function assertBegun(returned: unknown): void {
  const what = notBegun(returned)
  if (what !== undefined) throw new TypeError(`It returned ${what}`)
}

function describe(value: unknown): string | undefined {
  if (typeof value === 'function') return 'a function, which is never called. Call it, and return its promise'
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return describeArray(value)
  const has = (...names: readonly (string | symbol)[]): boolean =>
    names.every((name) => typeof Reflect.get(value, name) === 'function')
  if (has('subscribe') && !has('on'))
    return 'an Observable, which is never subscribed to. Return a promise of it, such as lastValueFrom(observable)'
  if (has(Symbol.asyncIterator)) {
    return has('next')
      ? 'an async generator or iterator, whose work has not begun. Use "async (event) => {}" instead of "async function*", or read it to its end'
      : 'a stream or another async iterable, which is never read. Read it to its end, for example with finished() of node:stream/promises'
  }
  if (has('next', Symbol.iterator))
    return 'a generator or iterator, whose work has not begun. Use "async (event) => {}" instead of "function*", or read it to its end'
  if (has('pipe', Symbol.iterator)) return 'an effect that is never run. Run it, and return its promise'
  if (has('execute') && (has('compile') || has('getQuery') || has('toSQL')))
    return 'a query that was not executed. Return query.execute()'
  return undefined
}

function describeArray(values: readonly unknown[]): string | undefined {
  let found: string | undefined
  for (const value of values) {
    if (isThenable(value)) {
      // Errors are reported for the array, so ignore those of its promises: an unhandled rejection would end the
      // process.
      ignoreRejection(value)
      found = 'an array of promises, which are never awaited. Return Promise.all(promises)'
    } else if (typeof value === 'object' && !Array.isArray(value)) {
      const what = describe(value)
      if (what !== undefined) found ??= `an array with ${what}`
    }
  }
  return found
}

/** True for a promise, and for any other object with a `then` method. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}

/** Keeps a promise that is not awaited from ending the process when it rejects. */
export function ignoreRejection(value: unknown): void {
  if (isThenable(value)) Promise.resolve(value).catch(() => undefined)
}
