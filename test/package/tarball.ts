// npm run test:package, after npm run build. Not part of `npm test`, because it installs from the registry. Risk: a
// package that works only in this clone.
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import t from 'tap'
import ts from 'typescript'

import { shareCompileCache } from '../environment.ts'
import { snippets } from '../readme-snippets.ts'
import { installNode, oldestNode } from './install-node.ts'
import { ownFiles, type Manifest as OwnManifest } from './own-files.ts'
import { listTypes } from './prune-types.ts'
import { runCompiler } from './run-compiler.ts'

shareCompileCache()
const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
// Outside this clone, because Node finds the clone's node_modules from anywhere inside it.
const folder = mkdtempSync(join(tmpdir(), 'riverhook-package-'))
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true })
})
const host = join(folder, 'host')
const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']

interface Manifest extends OwnManifest {
  readonly version: string
  readonly engines: { readonly node: string }
  readonly peerDependencies: Record<string, string>
  readonly devDependencies: Record<string, string>
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

/** The output of a program that failed. */
interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

const ownCompiler = versionOf('typescript')
const native = versionOf('typescript-native')
/** The compilers that a host may have: the one that builds the package, the one before it, and the one after it. */
const compilers = ['5.9.3', ownCompiler, native]

let packed: { filename: string; size: number; files: { path: string; mode: number }[] }
let oldest: string
/** Of create-riverhook, for all projects that it makes. */
let maker: Promise<string> | undefined

t.before(async () => {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root
  })
  ;[packed] = JSON.parse(stdout) as [typeof packed]
  oldest = await installNode(oldestNode)

  await prepare(host, String(manifest.devDependencies.fastify))
})

/** A new folder with the host's own Fastify and the README's snippet, and nothing of this clone. */
async function prepare(folder: string, fastify: string): Promise<void> {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  cpSync(join(root, 'test/package/consumer'), folder, { recursive: true })
  writeFileSync(join(folder, 'mount.ts'), snippets.get('mount.ts') ?? '')
  const own = [`fastify@${fastify}`, `@types/node@${String(manifest.devDependencies['@types/node'])}`]
  await run('npm', ['install', ...quiet, join('..', packed.filename), ...own], { cwd: folder })
}

/** Installs this TypeScript, unless the clone has it. */
async function installCompiler(version: string): Promise<string> {
  if (version === ownCompiler) return join(root, 'node_modules/typescript')
  if (version === native) return join(root, 'node_modules/typescript-native')
  const place = join(folder, `typescript-${version}`)
  mkdirSync(place)
  writeFileSync(join(place, 'package.json'), JSON.stringify({ private: true }))
  await run('npm', ['install', ...quiet, `typescript@${version}`], { cwd: place })
  return join(place, 'node_modules/typescript')
}

/** @returns the errors of the compiler */
async function compile(
  host: string,
  compiler: string,
  { moduleResolution, ...more }: { readonly moduleResolution: 'nodenext' | 'bundler'; readonly skipLibCheck?: boolean }
): Promise<string> {
  const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution
  // CommonJS is the host's choice under Node's rules only.
  const files = ['use.ts', 'mount.ts', ...(moduleResolution === 'nodenext' ? ['use.cts'] : [])]
  const strict = { strict: true, exactOptionalPropertyTypes: true, noEmit: true }
  const compilerOptions = { module, moduleResolution, target: 'es2024', types: ['node'], ...strict, ...more }
  writeFileSync(join(host, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  const tsc = [join(compiler, 'bin/tsc'), '-p', '.', '--pretty', 'false']
  return runCompiler(tsc, host)
}

t.test('the package holds the build, the handlers of the demo, and the documents of the root', async (t) => {
  const examples = readdirSync(join(root, 'examples/handlers')).map((name) => `examples/handlers/${name}`)
  const types = listTypes(root)
  const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', ...examples]
  for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name).slice(root.length)
    // The page is built as a whole.
    if (!entry.isFile() || source.startsWith('src/page/')) continue
    const built = source.replace(/^src/u, 'dist')
    const stem = built.replace(/\.ts$/u, '')
    if (built === stem) expected.push(built)
    else if (types.has(`${stem}.d.ts`)) expected.push(`${stem}.d.ts`)
  }
  const { entries, threads, commands } = ownFiles(manifest)
  expected.push(
    ...[...entries, ...threads, ...commands].map((path) => path.replace(/^src/u, 'dist').replace(/\.ts$/u, '.js'))
  )
  const parts = globSync('dist/parts/*.js', { cwd: root })
  t.ok(parts.length > 0, 'the modules that these have in common are built')
  expected.push(...parts)
  const page = readdirSync(join(root, 'dist/page'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
  t.ok(page.includes('dist/page/index.html') && page.some((path) => path.endsWith('.js.br')), 'the page is built')
  t.same(packed.files.map(({ path }) => path).sort(), [...expected, ...page].sort())
  const bin = packed.files.find(({ path }) => path === 'dist/cli/main.js')
  t.equal((bin?.mode ?? 0) & 0o111, 0o111, 'the command is executable')
})

t.test('the package has at most 1 MB', async (t) => {
  t.ok(packed.size <= 1_000_000, `${packed.size} bytes`)
})

t.test('publint and Are The Types Wrong find no fault', async (t) => {
  const tarball = join(folder, packed.filename)
  // Node has loaded ES modules with require() since before the oldest supported version.
  for (const [name, ...options] of [
    ['publint', 'run', tarball, '--strict'],
    ['attw', tarball, '--profile', 'esm-only', '--no-color']
  ] as const) {
    const { stdout, stderr, code } = await run(join(root, 'node_modules/.bin', name), options).then(
      (output) => ({ ...output, code: 0 }),
      (error: unknown) => error as Output
    )
    t.equal(code, 0, stdout + stderr)
  }
})

t.test('the installed packages are the declared ones', async (t) => {
  t.notOk(existsSync(join(host, 'node_modules/riverhook/node_modules')), 'no package is installed twice')
  t.notOk(existsSync(join(host, 'node_modules/typescript')), 'no development package')
})

for (const [wanted, nodeOf] of [
  [oldestNode, () => oldest],
  ['24', () => process.execPath]
] as const) {
  t.test(`Node ${wanted}`, async (t) => {
    const node = nodeOf()
    const version = await run(node, ['--version'])
    t.ok(version.stdout.startsWith(`v${wanted}`), 'it is that Node')

    const imported = await use(node, 'use.mjs')
    t.match(imported, { signed: 202, forged: 401, handled: 'packed' }, 'imported, it receives')
    const required = await use(node, 'use.cjs')
    t.match(required, { signed: 202, forged: 401, handled: 'packed' }, 'required, it receives')
    t.same(required.names, imported.names, 'both give the same names')
    t.match(
      imported,
      { simulated: 202, ran: 'done', sample: true, verified: true },
      'riverhook/testing, riverhook/resources and riverhook/sources work too'
    )

    const command = join(host, 'node_modules/.bin/riverhook')
    const shown = await run(node, [command, '--version'], { cwd: host })
    t.equal(shown.stdout.trim(), manifest.version, 'the command runs')
    const dev = await run(node, [command, 'dev', '--once', '--port', '0'], { cwd: host })
    t.match(dev.stdout, /as announced|as expected/, 'it runs the demo with the included handlers')
  })
}

// Risk: each start of a merchant's service, and each command, finds and links hundreds of modules.
t.test('a start loads few files, and no engine and no program that it does not use', async (t) => {
  const hook = `
    import { isBuiltin, registerHooks } from 'node:module'
    const loaded = []
    registerHooks({
      load: (name, context, next) => {
        if (!isBuiltin(name)) loaded.push(name)
        return next(name, context)
      }
    })
    process.on('exit', () => console.error(JSON.stringify(loaded)))`
  const hooked = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
  const loadedBy = async (...command: readonly string[]): Promise<readonly string[]> => {
    const { stderr } = await run(process.execPath, [...hooked, ...command], { cwd: host })
    return JSON.parse(stderr) as readonly string[]
  }
  const others =
    /(?:memory|postgres)-inbox|dist\/(?:admin|testing)\/|node_modules\/(?:@|(?:ajv|fastify|jose|pg|pino|typebox)\/)/u
  const open =
    "import { sqliteInbox } from 'riverhook'; const inbox = sqliteInbox({ path: 'inbox.db' }); await inbox.open(); await inbox.close()"
  const imported = await loadedBy('--input-type=module', '--eval', open)
  t.ok(
    imported.some((name) => name.endsWith('riverhook/dist/index.js')),
    'the package is loaded'
  )
  t.ok(imported.length < 20, `an import loads ${imported.length} files`)
  t.same(
    imported.filter((name) => others.test(name)),
    []
  )
  const command = join(host, 'node_modules/.bin/riverhook')
  const stats = await loadedBy(command, 'stats', '--inbox', 'sqlite:inbox.db')
  t.ok(stats.length < 55, `stats loads ${stats.length} files`)
  t.same(
    stats.filter((name) => others.test(name)),
    []
  )
})

for (const version of compilers) {
  t.test(`the types compile with TypeScript ${version}`, async (t) => {
    const compiler = await installCompiler(version)
    // The resolution does not depend on the version, and this one takes a third of the processor time.
    const resolutions = version === native ? (['nodenext', 'bundler'] as const) : (['nodenext'] as const)
    for (const moduleResolution of resolutions)
      t.equal(await compile(host, compiler, { moduleResolution }), '', moduleResolution)
  })
}

t.test('on a Node that is too old, the command names the required version', async (t) => {
  const old = await installNode('20.20.2')
  const command = join(host, 'node_modules/.bin/riverhook')
  const needed = manifest.engines.node.replace('>=', '')
  for (const argument of ['--version', 'serve', '--help']) {
    const failed = run(old, [command, argument], { cwd: host })
    await t.rejects(
      failed,
      { code: 1, stdout: '', stderr: `riverhook needs Node.js ${needed} or newer; this is v20.20.2\n` },
      argument
    )
  }
})

t.test('with the lowest supported Fastify: one copy, the plugin, the types, the server', async (t) => {
  const version = String(manifest.peerDependencies.fastify).replace('^', '')
  const old = join(folder, 'old-host')
  await prepare(old, version)
  const installed = JSON.parse(readFileSync(join(old, 'node_modules/fastify/package.json'), 'utf8')) as {
    version: string
  }
  t.equal(installed.version, version)
  t.notOk(existsSync(join(old, 'node_modules/riverhook/node_modules/fastify')), 'there is only one copy')
  for (const file of ['use.mjs', 'use.cjs'])
    t.match(await use(process.execPath, file, old), { signed: 202, forged: 401, handled: 'packed', simulated: 202 })
  // The types of that Fastify are older than this compiler.
  const compiler = await installCompiler(native)
  t.equal(await compile(old, compiler, { moduleResolution: 'nodenext', skipLibCheck: true }), '')
  const dev = await run(process.execPath, [join(old, 'node_modules/.bin/riverhook'), 'dev', '--once', '--port', '0'], {
    cwd: old
  })
  t.match(dev.stdout, /as announced|as expected/, 'the standalone server works too')
})

t.test('without Fastify, the server says what to install, and other commands work', async (t) => {
  const bare = join(folder, 'bare')
  mkdirSync(bare)
  writeFileSync(join(bare, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await run('npm', ['install', ...quiet, '--legacy-peer-deps', join('..', packed.filename)], { cwd: bare })
  const command = join(bare, 'node_modules/.bin/riverhook')
  t.match(await run(process.execPath, [command, '--help'], { cwd: bare }), { stdout: /serve/ })
  await t.rejects(
    run(process.execPath, [command, 'serve'], { cwd: bare, env: { ...process.env, RIVERHOOK_SECRETS: 'a' } }),
    { code: 1, stderr: /npm install fastify/ }
  )
})

// Risk: the first project of a newcomer does not compile, fails its own test, or does not start.
for (const flags of [
  ['--yes'],
  ['--yes', '--mount', '--source', 'stripe', '--inbox', 'postgres'],
  ['--yes', '--source', 'github']
])
  t.test(
    `npm create riverhook ${flags.join(' ')}: a project whose types, test and configuration are right`,
    async (t) => {
      maker ??= installMaker()
      const create = join(await maker, 'node_modules/.bin/create-riverhook')
      const place = mkdtempSync(join(folder, 'created-'))
      await run(process.execPath, [create, 'shop', ...flags], { cwd: place })
      const shop = join(place, 'shop')
      await run('npm', ['install', ...quiet, join(folder, packed.filename)], { cwd: shop })
      const inShop = (...command: readonly string[]) =>
        run('npm', ['run', '-s', ...command], {
          cwd: shop,
          env: { ...process.env, RIVERHOOK_SECRETS: 'x'.repeat(32) }
        }).catch((error: unknown) => error as Output)
      t.match(await inShop('check'), { stdout: 'The configuration and the handlers are valid.\n' })
      t.match(await inShop('test'), { stdout: /pass 1\n/ })
      await t.rejects(run(process.execPath, [create, 'shop', '--yes'], { cwd: place }), {
        code: 2,
        stderr: /shop is not empty/
      })
    }
  )

t.test('no declaration names TypeBox, whose types would take a compiler twenty seconds', async (t) => {
  const dist = join(host, 'node_modules/riverhook/dist')
  const named = globSync('**/*.d.ts', { cwd: dist }).filter((path) =>
    readFileSync(join(dist, path), 'utf8').includes("'typebox")
  )
  t.same(named, [])
})

t.test('the published types of the resources are those of the source', async (t) => {
  const program = join(root, 'test/package/.published-types.ts')
  t.teardown(() => {
    rmSync(program, { force: true })
  })
  const published = join(host, 'node_modules/riverhook/dist/source/digital-river')
  writeFileSync(
    program,
    `import type { Resources as Published } from '${published}/resources/index.d.ts'
import type * as PublishedApi from '${published}/api/models.d.ts'
import type { Resources as Own } from '../../src/source/digital-river/resources/index.ts'
import type * as OwnApi from '../../src/source/digital-river/api/models.ts'
import { same, type Same } from '../types/same.ts'
type Different = { [Name in keyof Own]: Same<Published[Name], Own[Name]> extends true ? never : Name }[keyof Own]
same<Different, never>()
same<keyof Published, keyof Own>()
same<PublishedApi.WebhookRequest, OwnApi.WebhookRequest>()
same<PublishedApi.WebhookChanges, OwnApi.WebhookChanges>()
same<PublishedApi.EventsQuery, OwnApi.EventsQuery>()
`
  )
  const config = join(root, 'test/package/.published-types.json')
  t.teardown(() => {
    rmSync(config, { force: true })
  })
  const options = { compilerOptions: { skipLibCheck: true }, files: [program], include: [] }
  writeFileSync(config, JSON.stringify({ extends: join(root, 'tsconfig.json'), ...options }))
  const tsc = [join(await installCompiler(native), 'bin/tsc'), '-p', config, '--pretty', 'false']
  t.equal(await runCompiler(tsc, root), '')
})

t.test('the published types document every field of a resource', async (t) => {
  const index = join(host, 'node_modules/riverhook/dist/source/digital-river/resources/index.d.ts')
  const { NodeNext: module } = ts.ModuleKind
  const program = ts.createProgram([index], {
    module,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2024,
    strict: true,
    types: []
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(index)
  const exported = source && checker.getSymbolAtLocation(source)
  if (exported === undefined) throw new Error(`${index} has no exports`)
  const fields = checker
    .getExportsOfModule(exported)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
    // That interface lists the others: its fields are their names.
    .filter(({ name, flags }) => flags & ts.SymbolFlags.Interface && name !== 'Resources')
    .flatMap((resource) =>
      checker
        .getDeclaredTypeOfSymbol(resource)
        .getProperties()
        .map((field) => [`${resource.name}.${field.name}`, field] as const)
    )
  t.ok(fields.some(([name]) => name === 'Order.subtotal') && fields.length > 800, 'the fields are found')
  t.same(
    fields.filter(([, field]) => field.getDocumentationComment(checker).length === 0).map(([name]) => name),
    []
  )
})

/** Installs the package create-riverhook, as `npm create` does. @returns the folder */
async function installMaker(): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: join(root, 'examples/create')
  })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  const place = mkdtempSync(join(folder, 'create-'))
  await run('npm', ['install', ...quiet, '--prefix', place, join(folder, filename)])
  return place
}

/** The version of a package of this clone. */
function versionOf(name: string): string {
  return (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as Manifest).version
}

async function use(node: string, file: string, folder = host): Promise<{ names: string[] }> {
  const { stdout, stderr } = await run(node, [join(folder, file)], { cwd: folder })
  // Node warns that its SQLite is experimental. Any other output is ours.
  const complaints = stderr
    .split('\n')
    .filter((line) => line !== '' && !/ExperimentalWarning|--trace-warnings/u.test(line))
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
  return JSON.parse(stdout) as { names: string[] }
}
