import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { devFilePath as path, devFolder } from './dev-path.ts'

/** The facts that a running `riverhook dev` leaves for the commands beside it. */
export interface DevFile {
  /** Undefined when it has ended. */
  readonly pid?: number | undefined
  readonly inbox: string
  readonly endpoints: readonly DevEndpoint[]
}

export interface DevEndpoint {
  readonly path: string
  readonly source: string
  readonly url: string
  /** Undefined if the endpoint has no signing secret. */
  readonly secret?: string | undefined
}

/** Creates the folder. Everything in it stays out of Git. */
export function makeDevFolder(): void {
  mkdirSync(devFolder, { recursive: true, mode: 0o700 })
  writeFileSync(join(devFolder, '.gitignore'), '*\n')
}

/** For this user only: it has secrets. */
export function writeDevFile(content: Omit<DevFile, 'pid'>): void {
  write({ pid: process.pid, ...content })
}

/** Notes the end. The secrets stay, so that commands to paste are valid in the next run. */
export function endDevFile(): void {
  const content = readContent()
  if (content?.pid === process.pid) write({ ...content, pid: undefined })
}

/** The file of the `riverhook dev` that runs in this folder; undefined if none does. */
export function readDevFile(): DevFile | undefined {
  const content = readContent()
  const pid = content?.pid
  return pid !== undefined && pid !== process.pid && isRunning(pid) ? content : undefined
}

/** The signing secret that an endpoint had in the last run, so that commands to paste stay valid. */
export function lastSecret(endpoint: string, source: string): string | undefined {
  return readContent()?.endpoints.find((each) => each.path === endpoint && each.source === source)?.secret
}

function write(content: DevFile): void {
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 })
}

function readContent(): DevFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as DevFile
  } catch {
    // There is none, or it is half written.
    return undefined
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
