import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { RiverhookError } from '../model/errors.ts'
import { withLimit } from '../model/time-limit.ts'
import { isDefinition } from './define-handler.ts'
import type { Registrar, SourceRegistrar } from './handler.ts'
import { resolveOwnPackage } from './own-package.ts'

export interface LoadHandlersOptions {
  /**
   * The module that `import ... from 'riverhook'` loads in these files: our own entry, so that there is only one
   * instance.
   */
  readonly packageUrl: string | URL
  /** The modules of the package's other exports, by name: `{ testing: url }` for `riverhook/testing`. */
  readonly subpaths?: Readonly<Record<string, string | URL>>
  /** The time limit for all files together, in milliseconds. Default: no limit. */
  readonly timeoutMs?: number | undefined
}

/** A loaded file of the handlers folder, for the log. */
export interface LoadedFile {
  readonly file: string
  /** How many handlers the file registered. Zero is allowed, but may be a mistake. */
  readonly handlers: number
}

/**
 * Loads the handlers in a folder: each `.js`, `.ts`, `.mjs`, `.cjs`, `.mts` and `.cts` file, ordered by name. Ignores
 * subfolders, hidden files, `*.d.ts` and `*.test.*`. The default export of a file is what `defineHandler` returns, an
 * array of those, or a function that takes the registrar.
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_LOAD with the file's name and the reason
 */
export async function loadHandlers(
  folder: string,
  registrar: Registrar,
  options: LoadHandlersOptions
): Promise<readonly LoadedFile[]> {
  resolveOwnPackage(options.packageUrl, options.subpaths)
  const deadline = options.timeoutMs === undefined ? undefined : performance.now() + options.timeoutMs
  const loaded: LoadedFile[] = []
  for (const file of await listFiles(resolve(folder))) {
    // Load one file after the other: handlers are registered in the order of the names, and an error names one file.
    loaded.push({
      file,
      handlers: await before(deadline, file, loadFile(join(resolve(folder), file), file, registrar))
    })
  }
  return loaded
}

/**
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_LOAD if the deadline passes first. The file itself cannot be cancelled.
 */
async function before<Value>(deadline: number | undefined, file: string, loading: Promise<Value>): Promise<Value> {
  if (deadline === undefined) return loading
  return withLimit(
    Math.max(0, deadline - performance.now()),
    loading,
    () =>
      new RiverhookError(
        'RIVERHOOK_HANDLERS_LOAD',
        `The handlers file ${file} has not finished loading in time: an await at its top level, or in the function that it exports, does not finish. ` +
          'Connect to other services within the handler, or without waiting for them'
      )
  )
}

async function listFiles(folder: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).filter(isHandlerFile).sort()
    // stat follows links: Kubernetes mounts each file of a ConfigMap as a link.
    const stats = await Promise.all(names.map((name) => stat(join(folder, name))))
    return names.filter((_, index) => stats[index]?.isFile())
  } catch (cause) {
    throw new RiverhookError(
      'RIVERHOOK_HANDLERS_LOAD',
      (cause as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync(folder)
        ? `The handlers folder ${folder} does not exist: create it, or name another one`
        : `The handlers folder ${folder} cannot be read: ${reasonOf(cause)}`,
      { cause }
    )
  }
}

function isHandlerFile(name: string): boolean {
  return (
    /\.[cm]?[jt]s$/u.test(name) && !/\.d\.[cm]?ts$/u.test(name) && !name.includes('.test.') && !name.startsWith('.')
  )
}

async function loadFile(path: string, file: string, registrar: Registrar): Promise<number> {
  let handlers = 0
  type On = (...given: readonly unknown[]) => void
  const counted = (registrar: { readonly on: unknown }): On => {
    return (...given) => {
      ;(registrar.on as On).apply(registrar, [...given])
      handlers += 1
    }
  }
  const counting: Registrar = {
    on: counted(registrar),
    from: (source) => ({ on: counted(registrar.from(source)) as SourceRegistrar['on'] }) as never
  }
  try {
    const module = (await import(pathToFileURL(path).href)) as { default?: unknown }
    await register(defaultExport(module), counting)
  } catch (cause) {
    throw new RiverhookError(
      'RIVERHOOK_HANDLERS_LOAD',
      `The handlers file ${file} failed to load: ${reasonOf(cause)}${placeIn(pathToFileURL(path).href, cause)}`,
      { cause }
    )
  }
  return handlers
}

async function register(exported: unknown, registrar: Registrar): Promise<void> {
  if (typeof exported === 'function') {
    await (exported as (riverhook: Registrar) => unknown)(registrar)
    return
  }
  const definitions: readonly unknown[] = Array.isArray(exported) ? exported : [exported]
  if (definitions.length === 0 || !definitions.every(isDefinition)) {
    throw new TypeError(
      'its default export must be what defineHandler(pattern, [options], fn) returns, an array of those, ' +
        `or a function (riverhook) => { riverhook.on(...) }; it is ${describe(exported)}`
    )
  }
  for (const definition of definitions) registrar.on(definition)
}

/** A CommonJS file that was compiled from ES modules has its default export one level deeper. */
function defaultExport(module: { default?: unknown }): unknown {
  const exported = module.default
  const isCompiled =
    typeof exported === 'object' && exported !== null && '__esModule' in exported && 'default' in exported
  return isCompiled ? exported.default : exported
}

function describe(exported: unknown): string {
  if (exported === undefined) return 'missing'
  if (exported === null) return 'null'
  if (Array.isArray(exported)) return exported.length === 0 ? 'an empty array' : 'an array that holds something else'
  return typeof exported === 'object' ? 'another object' : `a ${typeof exported}`
}

/** The error, and its place in the file if known: a syntax error has it only in the first line of its stack. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return `it threw ${typeof cause === 'string' ? cause : describe(cause)}`
  const text = `${cause.name}: ${cause.message}`
  if (!(cause instanceof SyntaxError)) return text
  // Node adds the place for CommonJS only.
  const place = /^\S+:\d+$/mu.exec(cause.stack ?? '')?.[0]
  const remedy = isModuleReadAsCommonJs(cause)
    ? '. Node.js takes the file for CommonJS: set "type": "module" in the nearest package.json, or let its name end in .mts or .mjs'
    : ''
  return `${text} (${place ?? 'node --check with the file shows where'})${remedy}`
}

/** Where the file threw, if the stack names it: ` (ship.ts:3)`. */
function placeIn(url: string, cause: unknown): string {
  const { stack = '' } = cause instanceof Error && !(cause instanceof SyntaxError) ? cause : {}
  const [, after = ''] = stack.split(url)
  const line = /^(?:\?[^:\s)]*)?:(\d+):\d+/.exec(after)?.[1]
  return line === undefined ? '' : ` (${basename(url)}:${line})`
}

/** True for an ES module that Node.js loads as CommonJS, as beside the package.json that `npm init` writes. */
function isModuleReadAsCommonJs({ message }: SyntaxError): boolean {
  return /^Cannot use import statement outside a module|^Unexpected token 'export'|^await is only valid/u.test(message)
}
