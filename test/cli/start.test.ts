import t, { type Test } from 'tap'

import { canStartHere } from '../../src/inbox/sqlite/start-owner.ts'
import { makeFolder } from '../folder.ts'
import { runProcess } from '../processes.ts'

// Risk: every command, also one in a script that runs each minute, and every start of a merchant's service wait for
// packages and engines that they do not use.

const url = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url).href)

interface Loaded {
  readonly stdout: string
  readonly packages: readonly string[]
  /** Without `src/` and the extension. */
  readonly own: readonly string[]
}

/** Runs `script` in a process, and lists the modules that it loads. */
async function loadedBy(script: string): Promise<Loaded> {
  const { stdout, stderr } = await runProcess(process.execPath, [
    '--conditions=riverhook-source',
    '--input-type=module',
    '--eval',
    `
    import { isBuiltin, registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      load: (name, context, next) => {
        if (!isBuiltin(name)) loaded.push(name)
        return next(name, context)
      }
    })
    ${script}
    console.error(JSON.stringify(loaded))
    `
  ])
  const loaded = JSON.parse(stderr) as readonly string[]
  const find = (pattern: RegExp): readonly string[] => [
    ...new Set(loaded.flatMap((name) => pattern.exec(name)?.[1] ?? []))
  ]
  return {
    stdout,
    packages: find(/node_modules\/((?:@[^/]+\/)?[^/]+)\//).toSorted(),
    own: find(/^(?!.*node_modules).*\/(?:src|\.oldest)\/([^?]+)\.[jt]s$/)
  }
}

const engines = /^inbox\/(?:memory|postgres)\/(?!(?:engine|migration-text|options|schema|schema-name)$)/
const programs = /^(?:admin|cli|page|server|testing)\//

/** Checks that modules of the package are found: an empty list of wrong ones would say nothing otherwise. */
function hasLoaded(t: Test, { own }: Loaded, ...names: readonly string[]): void {
  for (const name of names) t.ok(own.includes(name), `${name} is loaded`)
}

t.test('a command that only reads loads no engine of another inbox, and no package that it does not use', async (t) => {
  const address = JSON.stringify(`sqlite:${makeFolder(t, {})}/inbox.db`)
  const loaded = await loadedBy(`
    const { sqliteInbox } = await import(${url('src/inbox/sqlite/engine.ts')})
    const inbox = sqliteInbox({ path: ${address}.slice(7) })
    await inbox.open()
    await inbox.close()
    const { run } = await import(${url('src/cli/program.ts')})
    process.exitCode = await run(['stats', '--json', '--inbox', ${address}])
  `)
  t.equal((JSON.parse(loaded.stdout) as { readonly events: number }).events, 0)
  hasLoaded(t, loaded, 'cli/stats', 'inbox/sqlite/thread', 'inbox/postgres/engine')
  t.equal(loaded.own.includes('inbox/sqlite/file-owner'), canStartHere, 'it runs the calls of SQLite without a thread')
  t.same(
    loaded.own.filter((name) => engines.test(name)),
    [],
    'engines'
  )
  t.same(
    loaded.own.filter((name) => programs.test(name) && !/^cli\//.test(name)),
    ['server/log-output'],
    'programs'
  )
  t.same(loaded.packages, ['commander', 'fastest-levenshtein', 'fastify-plugin', 'ms', 'secure-json-parse'])
})

t.test('the version is printed without loading any command', async (t) => {
  const loaded = await loadedBy(`
    const { run } = await import(${url('src/cli/program.ts')})
    process.exitCode = await run(['--version'])
  `)
  t.match(loaded.stdout, /^\d+\.\d+\.\d+\n$/)
  hasLoaded(t, loaded, 'cli/program')
  t.same(
    loaded.own.filter((name) => /^cli\/(?!program$|run$|config$|output$|dev\/dev-(?:file|path)$)/.test(name)),
    []
  )
})

t.test('an import of the package loads no engine and no program, and no package that only some use', async (t) => {
  const loaded = await loadedBy(`await import(${url('src/index.ts')})`)
  hasLoaded(t, loaded, 'index', 'plugin', 'inbox/postgres/engine', 'inbox/memory/engine')
  t.same(
    loaded.own.filter((name) => engines.test(name)),
    [],
    'engines'
  )
  t.same(
    loaded.own.filter((name) => programs.test(name)),
    [],
    'programs'
  )
  t.same(loaded.packages, ['fastest-levenshtein', 'fastify-plugin', 'ms', 'secure-json-parse'])
})
