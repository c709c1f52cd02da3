import type { FastifyInstance, LogLevel } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

import { receiveRoute } from './fastify/route.ts'
import { RiverhookError } from './model/errors.ts'
import { withLimit } from './model/time-limit.ts'
import type { RiverhookOptions } from './options/riverhook-options.ts'
import { compose, type Riverhook } from './riverhook.ts'

declare module 'fastify' {
  interface FastifyInstance {
    riverhook: Riverhook
  }
  interface FastifyContextConfig {
    /** True on the routes of Riverhook, so that your hooks for all routes, such as authentication, can skip them. */
    riverhook?: true
  }
}

/**
 * Receives events at one or more POST endpoints, records them, and runs the handlers of `app.riverhook.on()` until each
 * has succeeded or is a dead letter.
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, RIVERHOOK_OPTIONS_NO_CREDENTIALS, RIVERHOOK_SOURCE_SECRET,
 * RIVERHOOK_INBOX_ADDRESS, RIVERHOOK_HANDLERS_LOAD; from `ready()` also RIVERHOOK_INBOX_IN_USE, RIVERHOOK_INBOX_VERSION
 */
export const riverhook = fastifyPlugin(mount, { name: 'riverhook', fastify: '5.x' })

async function mount(app: FastifyInstance, options: RiverhookOptions): Promise<void> {
  const startedAt = performance.now()
  if (app.hasDecorator('riverhook')) throw mountedTwice()
  const { own, registration } = splitOptions(options)
  const { riverhook, routes, load, open, watch } = compose(own, {
    log: app.log,
    prefix: app.prefix + (registration.prefix ?? '')
  })
  app.decorate('riverhook', riverhook)
  await app.register(async (scope) => {
    for (const { served, url } of routes) {
      await scope.register((route, _options, done) => {
        receiveRoute(route, served, url)
        done()
      })
    }
  }, registration)
  await load(loadTimeout(app, startedAt))

  app.addHook('onReady', () => {
    const ms = openTimeout(app)
    return ms === undefined ? open() : withLimit(ms, open(), () => notOpen(ms))
  })
  // Register webhooks only after listening: an app that is only made ready, as in tests, cannot be reached at its
  // address.
  app.addHook('onListen', (done) => {
    watch()
    done()
  })
  app.addHook('preClose', () => riverhook.drain())
  app.addHook('onClose', () => riverhook.stop())
}

function mountedTwice(): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    'The plugin is already registered here. Register it once with several "endpoints", or each one in a separate scope, such as app.register(async (scope) => { await scope.register(riverhook, ...) }), with its own inbox'
  )
}

/** Fastify's own options of `register()`. Fastify passes them to the plugin along with ours. */
interface Registration {
  readonly prefix?: string
  readonly logLevel?: LogLevel
  readonly logSerializers?: Record<string, (value: unknown) => string>
}

const registrationNames: readonly string[] = ['prefix', 'logLevel', 'logSerializers'] satisfies (keyof Registration)[]

function splitOptions(options: RiverhookOptions): {
  readonly own: RiverhookOptions
  readonly registration: Registration
} {
  const isRegistration = ([name, value]: [string, unknown]): boolean =>
    registrationNames.includes(name) && value !== undefined
  const entries = Object.entries(options)
  const own = entries.filter(([name]) => !registrationNames.includes(name))
  const registration = Object.fromEntries(entries.filter(isRegistration)) as Registration
  if (registration.prefix !== undefined && !/^\/|^$/.test(registration.prefix)) {
    throw new RiverhookError('RIVERHOOK_OPTIONS_INVALID', 'Option "prefix" must begin with a slash, such as /v1')
  }
  return { own: Object.fromEntries(own), registration }
}

/** How long handlers may be loaded, where Fastify would wait longer. */
const longestLoadMs = 30_000

/** Time limit for loading handlers. */
function loadTimeout(app: FastifyInstance, startedAt: number): number | undefined {
  const ms = openTimeout(app)
  return ms === undefined ? undefined : Math.max(1, Math.min(ms, longestLoadMs) - (performance.now() - startedAt))
}

/**
 * Time limit for opening the inbox. Shorter than Fastify's own limit, whose error would name neither the inbox nor a
 * file of handlers. Undefined: Fastify has no limit.
 */
function openTimeout({ initialConfig }: FastifyInstance): number | undefined {
  const { pluginTimeout = 10_000 } = initialConfig
  return pluginTimeout === 0 ? undefined : pluginTimeout * 0.9
}

function notOpen(ms: number): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_INBOX_UNAVAILABLE',
    `The inbox has not been opened within ${ms / 1000} s, so the service cannot start. A large inbox, or one whose lock another process holds, takes longer: give Fastify a higher "pluginTimeout"`
  )
}

export default riverhook
