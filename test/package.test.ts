import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import t from 'tap'

// The part of the package that can be checked without building it; test/package/tarball.ts checks what is packed.
// What is lost without it: a manifest that points at nothing, or a package that a CommonJS host cannot load.

interface Manifest {
  readonly exports: Record<string, string | Record<string, string>>
  readonly bin: Record<string, string>
  readonly dependencies: Record<string, string>
}

const root = new URL('../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Manifest

/** The source that a file of the build is made from. */
function sourceOf(built: string): URL {
  return new URL(built.replace(/^(\.\/)?dist\//u, 'src/').replace(/(\.d\.ts|\.js)$/u, '.ts'), root)
}

t.test('every file that the manifest names has a source', async (t) => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target)
  )
  for (const target of [...targets, ...Object.values(manifest.bin)]) t.ok(existsSync(sourceOf(target)), target)
})

t.test('the commands can be run by name', async (t) => {
  for (const [name, built] of Object.entries(manifest.bin)) {
    t.match(readFileSync(sourceOf(built), 'utf8'), /^#!\/usr\/bin\/env node\n/u, `${name} starts with a shebang`)
  }
})

t.test('the conditions are tried in an order that serves source, types and everybody else', async (t) => {
  t.same(Object.keys(manifest.exports['.'] ?? {}), ['riverhook-source', 'types', 'default'])
})

t.test('require() gives what import gives: nothing in the graph awaits at its top level', async (t) => {
  const imported = (await import('riverhook')) as Record<string, unknown>
  const required = createRequire(import.meta.url)('riverhook') as Record<string, unknown>
  // Node adds __esModule to what is required, for compilers that ask for it.
  const names = (surface: Record<string, unknown>) =>
    Object.keys(surface)
      .filter((name) => name !== '__esModule')
      .sort()
  t.same(names(required), names(imported))
  t.equal(required.riverhook, imported.riverhook, 'and it is the same module')
})

t.test('the lock file holds no address of a registry', async (t) => {
  for (const file of ['package-lock.json', 'test/bench/peers/package-lock.json']) {
    t.notMatch(readFileSync(new URL(file, root), 'utf8'), /"resolved": "http/u, file)
  }
})
