import type { BaseLogger } from 'pino'

/** A pino logger, or another logger with these methods, such as Fastify's `app.log`. */
export type Log = Pick<BaseLogger, 'level' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'> & {
  child(bindings: Record<string, unknown>): Log
}
