import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'

import { defineHandler } from '../../src/options/default-source.ts'
import { exposedPaths } from '../../src/handlers/exposed.ts'
import { loadHandlers } from '../../src/handlers/load.ts'
import { Registry } from '../../src/handlers/registry.ts'
import { runCli } from '../processes.ts'

const packageUrl = new URL(import.meta.resolve('../../src/options/default-source.ts'))
const subpaths = { errors: new URL(import.meta.resolve('../../src/model/errors.ts')) }

/** A folder that finds no node_modules, such as one mounted into a container. */
function folderOf(t: Test, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'riverhook-handlers-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

async function load(t: Test, files: Readonly<Record<string, string>>): Promise<Registry> {
  const registry = new Registry()
  await loadHandlers(folderOf(t, files), registry, { packageUrl, subpaths })
  return registry
}

t.test('TypeScript, ES modules and CommonJS are loaded in order of name, with one riverhook package', async (t) => {
  const registry = new Registry()
  const folder = folderOf(t, {
    'a.ts': `
      import { defineHandler } from 'riverhook'
      type Name = string
      const name: Name = 'typescript'
      export const same = defineHandler
      export default defineHandler('order.accepted', { name }, (event) => event.id)`,
    'b.js':
      "import { defineHandler } from 'riverhook'\nexport default [defineHandler('x', () => {}), defineHandler('y', () => {})]",
    'c.js': "const { defineHandler } = require('riverhook')\nmodule.exports = defineHandler('commonjs', () => {})",
    'd.cjs': "exports.__esModule = true\nexports.default = (riverhook) => { riverhook.on('compiled', () => {}) }",
    'e.mjs': "export default async (riverhook) => { await null; riverhook.on('*', { name: 'async' }, () => {}) }",
    'f.mts':
      "import { PermanentError } from 'riverhook/errors'\nexport default (riverhook: unknown) => { void PermanentError }",
    'types.d.ts': 'syntax error',
    'a.test.ts': "throw new Error('not a handlers file')",
    '.hidden.js': "throw new Error('not a handlers file')",
    'notes.md': '# not a handlers file'
  })
  mkdirSync(join(folder, 'lib.js'))
  const loaded = await loadHandlers(folder, registry, { packageUrl, subpaths })
  t.strictSame(
    registry.all.map(({ name }) => name),
    ['typescript', 'x', 'y', 'commonjs', 'compiled', 'async']
  )
  t.strictSame(loaded, [
    { file: 'a.ts', handlers: 1 },
    { file: 'b.js', handlers: 2 },
    { file: 'c.js', handlers: 1 },
    { file: 'd.cjs', handlers: 1 },
    { file: 'e.mjs', handlers: 1 },
    { file: 'f.mts', handlers: 0 }
  ])
  const module = (await import(join(folder, 'a.ts'))) as { same: unknown }
  t.equal(module.same, defineHandler, 'one instance, so that errors and channels are shared')
})

t.test('links are followed, because Kubernetes mounts a ConfigMap as links to files', async (t) => {
  const target = folderOf(t, { 'real.js': "module.exports = (riverhook) => riverhook.on('linked', () => {})" })
  const folder = folderOf(t, {})
  symlinkSync(join(target, 'real.js'), join(folder, 'linked.js'))
  const registry = new Registry()
  await loadHandlers(folder, registry, { packageUrl })
  t.ok(registry.get('linked'))
})

t.test('a file that cannot be loaded stops the start, with its name and the reason', async (t) => {
  const broken: readonly (readonly [text: string, reason: RegExp])[] = [
    ["throw new TypeError('no database')", /bad\.js.*TypeError: no database/],
    ["throw 'text'", /bad\.js.*it threw text/],
    ['export default {', /bad\.js.*SyntaxError.*node --check/],
    ["import 'riverhook/nothing'", /bad\.js.*riverhook/],
    ["import './missing.js'", /bad\.js.*missing\.js/],
    ['export const handler = 1', /bad\.js.*default export must be.*it is missing/],
    ['export default []', /bad\.js.*an empty array/],
    ["export default ['order.accepted']", /bad\.js.*an array that holds something else/],
    ['export default { on: 1 }', /bad\.js.*another object/],
    ['export default 5', /bad\.js.*a number/],
    ["export default () => Promise.reject(new Error('late'))", /bad\.js.*Error: late/],
    [
      "import { defineHandler } from 'riverhook'; export default defineHandler('*', { timeout: 0 }, () => {})",
      /bad\.js.*"timeout"/
    ],
    ["export default { pattern: '*', options: { nmae: 'x' }, run() {} }", /bad\.js.*"nmae"; did you mean "name"/]
  ]
  for (const [text, reason] of broken) {
    await t.rejects(load(t, { 'bad.js': text }), { code: 'RIVERHOOK_HANDLERS_LOAD', message: reason }, text)
  }
})

// In a separate process: the test runner loads TypeScript files in its own way.
t.test('an ES module beside the package.json of `npm init` stops the start, with the remedy', async (t) => {
  const modules = [
    ['first.ts', "import { defineHandler } from 'riverhook'\nexport default defineHandler('*', () => {})\n"],
    ['first.js', 'const handlers = []\nexport default handlers\n'],
    ['first.ts', 'module.exports = await Promise.resolve([])\n']
  ] as const
  const remedy =
    /SyntaxError: .*Node\.js takes the file for CommonJS: set "type": "module" in the nearest package\.json/
  for (const [name, text] of modules) {
    const folder = folderOf(t, { 'package.json': '{ "type": "commonjs" }', [name]: text })
    const env = { RIVERHOOK_SECRETS: 'whk_example', RIVERHOOK_HANDLERS: folder, RIVERHOOK_INBOX: 'memory:' }
    t.match(await runCli(['serve'], { env }), { code: 1, stderr: remedy }, text)
  }
})

t.test('two files with one handler name are refused with the second file and both patterns', async (t) => {
  const file = "module.exports = (riverhook) => riverhook.on('order.accepted', () => {})"
  await t.rejects(load(t, { '1.cjs': file, '2.cjs': file }), {
    code: 'RIVERHOOK_HANDLERS_LOAD',
    message: /2\.cjs.*Two handlers are named "order\.accepted"/,
    cause: { code: 'RIVERHOOK_HANDLERS_NAME_CLASH' }
  })
})

t.test('a folder that is missing, or is a file, is reported with its full path', async (t) => {
  const folder = folderOf(t, { 'file.js': '' })
  for (const wrong of [join(folder, 'nothing'), join(folder, 'file.js')]) {
    const error = await loadHandlers(wrong, new Registry(), { packageUrl }).catch((thrown: unknown) => thrown as Error)
    t.match(error, { code: 'RIVERHOOK_HANDLERS_LOAD', message: wrong })
  }
})

t.test('an empty folder is no error: events are still recorded', async (t) => {
  t.strictSame((await load(t, {})).all, [])
})

t.test(
  'files that every user of the machine can write to are reported',
  { skip: process.platform === 'win32' && 'Windows has no modes' },
  async (t) => {
    const folder = folderOf(t, { 'a.js': '', 'b.js': '' })
    symlinkSync(join(folder, 'missing'), join(folder, 'nowhere.js'))
    t.same(await exposedPaths(folder), [])
    chmodSync(join(folder, 'b.js'), 0o646)
    t.same(await exposedPaths(folder), [join(folder, 'b.js')])
    chmodSync(folder, 0o757)
    t.same(await exposedPaths(folder), [folder, join(folder, 'b.js')])
  }
)
