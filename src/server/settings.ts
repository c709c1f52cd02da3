import type { Setting } from '../index.ts'

/** The settings that only the standalone server has. */
export const serverSettings = {
  host: {
    schema: { type: 'string', minLength: 1 },
    default: '127.0.0.1',
    env: 'RIVERHOOK_HOST',
    means: 'The address to listen on; 0.0.0.0 in the container'
  },
  port: {
    schema: { type: 'integer', minimum: 0, maximum: 65_535 },
    default: 8080,
    env: 'RIVERHOOK_PORT',
    means: 'The port to listen on'
  },
  logLevel: {
    schema: { type: 'string', enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] },
    default: 'info',
    env: 'RIVERHOOK_LOG_LEVEL',
    means: 'How much is logged: trace, debug, info, warn, error, fatal or silent'
  }
} as const satisfies Record<string, Setting>
