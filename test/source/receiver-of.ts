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

/** A receiver in memory, which the test starts after it has added its handlers. */
export interface SourceReceiver {
  readonly riverhook: Riverhook
  /** Sends a request to an endpoint. */
  readonly deliver: (
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    more?: { readonly method?: string; readonly url?: string }
  ) => Promise<ReceiveAnswer>
  /** Waits until so many deliveries were settled since the receiver was made. */
  readonly settled: (count: number) => Promise<void>
  /** The reasons of the refused requests. */
  readonly refused: readonly string[]
  /** What handlers logged. */
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
  t.teardown(async () => {
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
 * Runs the config file that a page of docs/sources shows.
 * @param variables the environment variables that it reads
 * @returns what it exports, without the inbox
 */
export async function configOnPage(
  t: Test,
  page: string,
  variables: Readonly<Record<string, string>>
): Promise<RiverhookOptions> {
  const text = readFileSync(new URL(`../../docs/sources/${page}.md`, import.meta.url), 'utf8')
  const code = /^<!-- run -->\n```ts\n([\s\S]*?)^```/m.exec(text)?.[1]
  if (code === undefined) throw new Error(`docs/sources/${page}.md has no code to run`)
  const file = join(makeFolder(t), `${page}.config.ts`)
  writeFileSync(file, code)
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
