import { readFileSync, writeFileSync } from 'node:fs'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Test } from 'tap'

import {
  createRiverhook,
  memoryInbox,
  type ReceiveAnswer,
  type Riverhook,
  type RiverhookOptions
} from '../../src/index.ts'
import { makeFolder } from '../folder.ts'

/** A receiver in memory. The test starts it after it has added its handlers. */
export interface SourceReceiver {
  readonly riverhook: Riverhook
  /** Sends a request to an endpoint. */
  readonly deliver: (
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    more?: { readonly method?: string; readonly url?: string }
  ) => Promise<ReceiveAnswer>
  /** Waits until this many deliveries have been settled since the receiver was created. */
  readonly settled: (count: number) => Promise<void>
  /** The reasons of the refused requests. */
  readonly refused: readonly string[]
  /** The handlers' log lines. */
  readonly logged: readonly string[]
}

/** @param options of the receiver: the source and the credentials, at least */
export function receiverOf(t: Test, options: RiverhookOptions): SourceReceiver {
  const refused: string[] = []
  const logged: string[] = []
  const log = {
    ...quiet,
    child: () => ({ ...log, info: (...given: readonly unknown[]) => void logged.push(JSON.stringify(given)) })
  }
  const [first] = options.endpoints ?? []
  const riverhook = createRiverhook({
    inbox: memoryInbox(),
    log: log as never,
    onRejected: ({ reason }) => refused.push(reason),
    ...(first === undefined ? { path: '/hooks' } : {}),
    ...options
  })
  let count = 0
  const waiting = new Set<() => void>()
  const onSettled = (): void => {
    count += 1
    for (const look of waiting) look()
  }
  subscribe('riverhook:settled', onSettled)
  // Timers of deliveries do not keep a process alive. In a server the listening socket does.
  const keepAlive = setInterval(() => undefined, 60_000)
  t.teardown(async () => {
    clearInterval(keepAlive)
    unsubscribe('riverhook:settled', onSettled)
    await riverhook.stop()
  })
  return {
    riverhook,
    refused,
    logged,
    deliver: (headers, body, { method = 'POST', url = first?.path ?? '/hooks' } = {}) =>
      riverhook.receive({
        method,
        url,
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        body
      }),
    settled: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (count < wanted) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
  }
}

const nothing = (): void => undefined
const quiet = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing }

/**
 * Writes the code of a page of docs/sources into a folder: each block under the name in the comment before it.
 * @returns the folder
 */
export function codeOnPage(t: Test, page: string): string {
  const text = readFileSync(new URL(`../../docs/sources/${page}.md`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/^<!-- run(?:: (\S+))? -->\n```ts\n([\s\S]*?)^```/gm)]
  if (blocks.length === 0) throw new Error(`docs/sources/${page}.md has no code to run`)
  if (text.match(/^```(ts|js)$/gm)?.length !== blocks.length)
    throw new Error(`docs/sources/${page}.md has code that no test runs`)
  const folder = makeFolder(t)
  for (const [, name = `${page}.config.ts`, code = ''] of blocks) writeFileSync(join(folder, name), code)
  return folder
}

/**
 * Runs the config file of a page of docs/sources.
 * @param variables the environment variables that it reads
 * @returns its export, without the inbox
 */
export async function configOnPage(
  t: Test,
  page: string,
  variables: Readonly<Record<string, string>>
): Promise<RiverhookOptions> {
  return configIn(join(codeOnPage(t, page), `${page}.config.ts`), variables)
}

/** Runs a config file, as `configOnPage` does. */
export async function configIn(file: string, variables: Readonly<Record<string, string>>): Promise<RiverhookOptions> {
  const before = new Map(Object.keys(variables).map((name) => [name, process.env[name]]))
  Object.assign(process.env, variables)
  try {
    const { inbox: _inbox, ...options } = (
      (await import(pathToFileURL(file).href)) as { readonly default: RiverhookOptions }
    ).default
    return options
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    }
  }
}
