import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

/**
 * Makes a folder of handlers out of one file. It is made JavaScript once, here: a process that is killed keeps
 * nothing of what it compiled, so each of the dozens that follow would strip its types anew, and load what does it.
 */
export function placeHandlers(file: URL, folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'handlers.js'), stripTypeScriptTypes(readFileSync(file, 'utf8')))
}
