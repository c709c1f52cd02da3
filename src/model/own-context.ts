import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Calls a function in the asynchronous context in which this package was loaded. Work that serves many requests, such
 * as a loop, a timer or a commit, is started with it: otherwise, it would keep the context of the one request that
 * happened to start it, with its trace and its user.
 */
export const inOwnContext: <Result>(work: () => Result) => Result = AsyncLocalStorage.snapshot()
