import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

/**
 * Makes a folder of handlers from one file. The file is compiled to JavaScript once, here: a killed process keeps no
 * compile cache, so each of the dozens of processes would strip the types again.
 */
export function placeHandlers(file: URL, folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'handlers.js'), stripTypeScriptTypes(readFileSync(file, 'utf8')))
}
