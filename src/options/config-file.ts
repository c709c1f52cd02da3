import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { exposedAmong } from '../handlers/exposed.ts'
import { reasonOf } from '../handlers/load.ts'
import { resolveOwnPackage } from '../handlers/own-package.ts'
import { RiverhookError } from '../model/errors.ts'
import { isPlainObject } from '../model/option-rules.ts'
import { withLimit } from '../model/time-limit.ts'
import { configFileNames } from './config-names.ts'
import { ownPackage } from './own-package.ts'
import type { RiverhookOptions } from './riverhook-options.ts'

/** All options of the config file: those of the plugin, and the settings of the standalone server. */
export interface RiverhookConfig extends RiverhookOptions {
  /** The address to listen on. Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** The port to listen on. Default 8080. */
  readonly port?: number | undefined
  /** How much is logged. Default `info`. */
  readonly logLevel?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent' | undefined
  /** How long requests are still recorded after SIGTERM or SIGINT: milliseconds, or a text such as `5s` (default). */
  readonly drainDelay?: number | string | undefined
  /** The time limit for a whole request to arrive: milliseconds, or a text such as `10s` (default). */
  readonly requestTimeout?: number | string | undefined
  /** The most open connections at the same time. Default 1,000. */
  readonly maxConnections?: number | undefined
  /** The addresses or ranges of the proxies in front, which pass the address of a sender in `X-Forwarded-For`. */
  readonly trustProxy?: readonly string[] | undefined
}

/** The config file after it was read. */
export interface ConfigFile {
  readonly path: string
  /** For messages. */
  readonly name: string
  /** Not checked yet. */
  readonly config: Readonly<Record<string, unknown>>
  /** The file or its folder, if every user of the machine can write to them. */
  readonly exposed: readonly string[]
}

/**
 * Gives the content of `riverhook.config.ts` its type. Export the result as the default:
 *
 *     export default defineConfig({ path: '/webhooks/shop', inbox: 'sqlite:inbox.db', handlers: [ship] })
 *
 * The content is checked when it is read, so that all mistakes in it are reported together.
 */
export function defineConfig(config: RiverhookConfig): RiverhookConfig {
  return config
}

/**
 * Reads the config file: the one that `RIVERHOOK_CONFIG` names, otherwise `riverhook.config.ts`, `.mts`, `.js` or
 * `.mjs` in the folder. Undefined if there is none.
 * @param timeoutMs how long the file may take to load
 * @throws {RiverhookError} RIVERHOOK_OPTIONS_CONFIG_FILE with the file's path and what to do
 */
export async function readConfigFile(
  environment: Readonly<Record<string, string | undefined>>,
  folder = process.cwd(),
  timeoutMs = 60_000
): Promise<ConfigFile | undefined> {
  const path = findFile(environment['RIVERHOOK_CONFIG'], folder)
  if (path === undefined) return undefined
  const name = basename(path)
  resolveOwnPackage(ownPackage.packageUrl, ownPackage.subpaths)
  const module = await withLimit(timeoutMs, importFile(path), () =>
    invalid(path, `has not finished loading within ${timeoutMs / 1000} s: an await at its top level does not finish`)
  )
  if (!('default' in module)) throw invalid(path, 'has no default export: write export default defineConfig({ ... })')
  const config = module.default
  if (typeof (config as Partial<Promise<unknown>> | null | undefined)?.then === 'function') {
    // The promise may reject, and an unhandled rejection would end the process.
    Promise.resolve(config).catch(() => undefined)
    throw invalid(path, 'exports a promise: write await in front of it, export default await ...')
  }
  if (!isPlainObject(config))
    throw invalid(
      path,
      `must export an object, export default defineConfig({ ... }); it exports ${config === null ? 'null' : Array.isArray(config) ? 'an array' : `a ${typeof config}`}`
    )
  return { path, name, config, exposed: await exposedAmong([dirname(path), path]) }
}

function findFile(named: string | undefined, folder: string): string | undefined {
  if (named === '')
    throw new RiverhookError('RIVERHOOK_OPTIONS_CONFIG_FILE', 'RIVERHOOK_CONFIG is empty; name a file, or unset it')
  if (named !== undefined) {
    const path = resolve(folder, named)
    if (!existsSync(path))
      throw new RiverhookError('RIVERHOOK_OPTIONS_CONFIG_FILE', `RIVERHOOK_CONFIG names ${path}, which does not exist`)
    return path
  }
  // It is an error if more than one exists.
  const found = configFileNames.filter((name) => existsSync(join(folder, name)))
  if (found.length > 1)
    throw new RiverhookError(
      'RIVERHOOK_OPTIONS_CONFIG_FILE',
      `${found.join(' and ')} are both in ${folder}: keep one, or name one with RIVERHOOK_CONFIG`
    )
  return found[0] === undefined ? undefined : join(folder, found[0])
}

async function importFile(path: string): Promise<object> {
  try {
    return (await import(pathToFileURL(path).href)) as object
  } catch (cause) {
    throw invalid(path, `failed to load: ${reasonOf(cause)}`, cause)
  }
}

function invalid(path: string, what: string, cause?: unknown): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_OPTIONS_CONFIG_FILE',
    `The config file ${path} ${what}`,
    cause === undefined ? {} : { cause }
  )
}
