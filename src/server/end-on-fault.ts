import { setTimeout } from 'node:timers'

import type { FastifyInstance } from 'fastify'

/** The longest time for an ending by a fault. A supervisor starts the next process after it, so it is short. In milliseconds. */
const longestMs = 5_000

/** How long the requests that are under way may take then. In milliseconds. */
const answerMs = 1_000

/** The listeners for errors that nothing caught. */
export interface FaultWatch {
  /** True from the first error on. */
  readonly hasHappened: boolean
  uninstall(): void
}

/**
 * Ends the process with exit code 1 after an error that nothing caught: what state the process is in nobody knows. The attempt of a handler that it
 * came from has failed, and what else was under way is handed back. Requests are recorded until the server closes. Also during a shutdown, which
 * it cuts short.
 */
export function endOnFault(app: FastifyInstance): FaultWatch {
  let ending: Promise<never> | undefined
  const onFault = (error: unknown): void => {
    // Here and now: later, nobody can tell any more which attempt it came from.
    const handedBack = app.riverhook.drain({ fault: error })
    ending ??= end(handedBack)
  }
  const end = async (handedBack: Promise<void>): Promise<never> => {
    setTimeout(() => process.exit(1), longestMs)
    await handedBack
    setTimeout(() => { app.server.closeAllConnections() }, answerMs)
    // A fault of the closing is of no use to anybody now.
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
