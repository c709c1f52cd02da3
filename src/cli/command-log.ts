import { createRequire } from 'node:module'

import type * as pino from 'pino'

import type { Log } from '../index.ts'
import { logOutput } from '../server/log-output.ts'

const require = createRequire(import.meta.url)

/**
 * The log of a command, on standard error: warnings and errors. What a command has done is in its output. The first
 * line loads pino: most commands write none.
 */
export function commandLog(bindings: Record<string, unknown> = {}): Log {
  let logger: pino.Logger | undefined
  const write =
    (level: 'warn' | 'error' | 'fatal') =>
    (...line: readonly unknown[]): void => {
      logger ??= (require('pino') as typeof pino).pino({ level: 'warn' }, logOutput(2)).child(bindings)
      // The methods of pino have several forms: pass the arguments on as they came.
      Reflect.apply(logger[level], logger, line)
    }
  const ignore = (): void => undefined
  return {
    level: 'warn',
    fatal: write('fatal'),
    error: write('error'),
    warn: write('warn'),
    info: ignore,
    debug: ignore,
    trace: ignore,
    child: (more) => commandLog({ ...bindings, ...more })
  }
}
