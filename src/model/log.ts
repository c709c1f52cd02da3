import type { BaseLogger } from 'pino'

/** A pino logger, or one that answers to the same calls (Fastify's `app.log` does). */
export type Log = Pick<BaseLogger, 'level' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'> & {
  child(bindings: Record<string, unknown>): Log
}
