import { readFileSync } from 'node:fs'

/*
 * The published package has several modules in one file, so no module knows its place: all ask here. This one is always
 * in a folder of the folder that all are in (test/package/bundle.ts).
 */

/** The extension of this package's modules: `ts` in a clone, `js` in the published package. */
export const ownExtension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** The folder that has the files of this package: `src` in a clone, `dist` in the published package. */
export const ownFolder = new URL('../', import.meta.url)

/**
 * The URL of a module that has its own file: an export of the package, or a thread.
 * @param path its path in `src`, without the extension
 */
export function ownModule(path: string): URL {
  return new URL(`${path}.${ownExtension}`, ownFolder)
}

/**
 * Reads a JSON file of this package, on first use: most processes need none of them.
 * @param path its path in `src`
 */
export function readOwnJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, ownFolder), 'utf8'))
}
