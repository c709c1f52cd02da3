import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

import type { riverhook } from '../../src/index.ts'
import type { sqliteInbox } from '../../src/inbox/sqlite/engine.ts'
import type { github, standardWebhooks } from '../../src/sources.ts'

/** The folder of this clone. */
export const ownFolder = fileURLToPath(new URL('../../', import.meta.url))

/** The modules of a checkout that are used. An older one may have more or fewer options. */
interface Modules {
  readonly 'src/index.ts': { readonly riverhook: typeof riverhook }
  readonly 'src/sources.ts': { readonly github: typeof github; readonly standardWebhooks: typeof standardWebhooks }
  readonly 'src/inbox/sqlite/engine.ts': { readonly sqliteInbox: typeof sqliteInbox }
}

/** Imports a module of a checkout. @param folder that of the checkout */
export async function importFrom<File extends keyof Modules>(folder: string, file: File): Promise<Modules[File]> {
  return (await import(pathToFileURL(resolve(folder, file)).href)) as Modules[File]
}

/** @throws {Error} if the folder holds no checkout with its packages */
export function checkFolder(folder: string): void {
  for (const needed of ['src/index.ts', 'node_modules'])
    if (!existsSync(resolve(folder, needed)))
      throw new Error(`${folder} has no ${needed}: --against needs the folder of a checkout with its packages`)
}

/** Names the commit of a checkout, and whether files were changed after it. */
export function commitOf(folder: string): string {
  const git = (...args: string[]): string => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim()
  try {
    return `${git('rev-parse', '--short=10', 'HEAD')}${git('status', '--porcelain', '--', 'src') === '' ? '' : ', changed'}`
  } catch {
    return 'unknown'
  }
}
