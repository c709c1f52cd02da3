import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import t from 'tap'

import { ownPackage } from '../src/options/own-package.ts'
import { makeFolder } from './folder.ts'
import { runProcess } from './processes.ts'

// Checks of the package that need no build. test/package/tarball.ts checks the packed files. Risk: a manifest that
// names missing files, or a package that a CommonJS host cannot load.

interface Manifest {
  readonly exports: Record<string, string | Record<string, string>>
  readonly bin: Record<string, string>
  readonly dependencies: Record<string, string>
  readonly scripts: Record<string, string>
}

const root = new URL('../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as Manifest

/** The source of a built file. */
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

t.test('the order of the conditions serves source, types and all other users', async (t) => {
  t.same(Object.keys(manifest.exports['.'] ?? {}), ['riverhook-source', 'types', 'default'])
})

t.test('require() gives the same as import: no module has a top-level await', async (t) => {
  const imported = (await import('riverhook')) as Record<string, unknown>
  const required = createRequire(import.meta.url)('riverhook') as Record<string, unknown>
  // Node adds __esModule to a required module, for compilers that ask for it.
  const names = (surface: Record<string, unknown>) =>
    Object.keys(surface)
      .filter((name) => name !== '__esModule')
      .sort()
  t.same(names(required), names(imported))
  t.equal(required.riverhook, imported.riverhook, 'it is the same module')
})

// Two packages have a command tsc. Risk: an install decides which of them builds the package.
t.test('scripts name their compiler by its path', async (t) => {
  for (const [name, script] of Object.entries(manifest.scripts)) t.notMatch(script, /(?<!bin\/)\btsc /u, name)
  t.match(manifest.scripts['build'], 'node_modules/typescript/bin/tsc -p')
  t.match(manifest.scripts['typecheck'], 'node_modules/typescript-native/bin/tsc -p src/page')
})

// Risk: the tests on the oldest Node run src, which takes twice as long, or a part of src beside what is built of it.
t.test('tests run src, and their programs what is built; on the oldest Node, all run what is built', async (t) => {
  const { TEST_DIST: oldest, TEST_BUNDLE: bundle } = process.env
  const main = oldest === undefined ? 'src/index.ts' : '.oldest/index.js'
  const { href } = new URL(main, root)
  t.equal(import.meta.resolve('riverhook'), href, 'by its name')
  t.equal(ownPackage.packageUrl.href, href, 'by its path')
  const script = "console.log(import.meta.resolve('riverhook'))"
  const args = ['--conditions=riverhook-source', '--input-type=module', '--eval', script]
  t.equal((await runProcess(process.execPath, args)).stdout, `${href}\n`, 'in a child')
  const program = join(makeFolder(t, { 'program.mjs': script }), 'program.mjs')
  const { stdout } = await runProcess(process.execPath, ['--conditions=riverhook-source', program])
  t.equal(stdout, `${bundle === undefined ? href : new URL('.bundle/index.js', root).href}\n`, 'in a program')
})

t.test('the lock file holds no address of a registry', async (t) => {
  for (const file of ['package-lock.json', 'test/bench/peers/package-lock.json']) {
    t.notMatch(readFileSync(new URL(file, root), 'utf8'), /"resolved": "http/u, file)
  }
})
