import { setTimeout } from 'node:timers'

import type { FastifyInstance } from 'fastify'

/**
 * Limit of the time to end after an uncaught error, in milliseconds. Short, because a supervisor waits for the exit.
 */
const longestMs = 5_000

/** How long running requests may take during that time, in milliseconds. */
const answerMs = 1_000

/** The listeners for uncaught errors. */
export interface FaultWatch {
  /** True from the first error on. */
  readonly hasHappened: boolean
  uninstall(): void
}

/**
 * Ends the process with exit code 1 after an uncaught error, because its state is unknown. The attempt that threw the
 * error has failed; the others are handed back. Requests are recorded until the server closes. During a shutdown it
 * cuts the shutdown short.
 */
export function endOnFault(app: FastifyInstance): FaultWatch {
  let ending: Promise<never> | undefined
  const onFault = (error: unknown): void => {
    // Call this synchronously: later the attempt cannot be identified.
    const handedBack = app.riverhook.drain({ fault: error })
    ending ??= end(handedBack)
  }
  const end = async (handedBack: Promise<void>): Promise<never> => {
    setTimeout(() => process.exit(1), longestMs)
    await handedBack
    setTimeout(() => {
      app.server.closeAllConnections()
    }, answerMs)
    // Ignore errors while closing: the process exits anyway.
    await app.close().catch(() => undefined)
    process.exit(1)
  }
  process.on('uncaughtException', onFault)
  process.on('unhandledRejection', onFault)
  return {
    get hasHappened() {
      return ending !== undefined
    },
    uninstall() {
      process.off('uncaughtException', onFault)
      process.off('unhandledRejection', onFault)
    }
  }
}
