// A part of npm run test:package, after npm run build. Not part of `npm test`, because it installs from the registry.
// Risk: the first hour is spent on what the documents left out, and a recipe that fails in its framework.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import t, { type Test } from 'tap'

import { asUser, shareCompileCache } from '../environment.ts'
import { snippets } from '../readme-snippets.ts'
import { event, signatureHeaders } from '../receive/receiver.ts'
import { runCompiler } from './run-compiler.ts'

shareCompileCache()
const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'riverhook-recipes-'))
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true })
})
const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
// It takes a fifth of the processor time that TypeScript 6 takes.
const tsc = join(root, 'node_modules/typescript-native/bin/tsc')
// `npm` and `npx` of the documents, with this Node.
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }

interface Packed {
  readonly filename: string
  readonly version: string
  readonly integrity: string
  readonly files: readonly { readonly path: string }[]
}

let tarball: string

t.before(async () => {
  tarball = join(folder, (await pack(root)).filename)
})

async function pack(cwd: string): Promise<Packed> {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd })
  const [packed] = JSON.parse(stdout) as [Packed]
  return packed
}

/** A new folder with these files and packages. */
async function project(files: Readonly<Record<string, string>>, packages: readonly string[]): Promise<string> {
  const place = mkdtempSync(join(folder, 'project-'))
  write(place, files)
  await run('npm', ['install', ...quiet, tarball, 'fastify@5', ...packages], { cwd: place, env })
  return place
}

function write(place: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(place, path)), { recursive: true })
    writeFileSync(join(place, path), text)
  }
}

const snippet = (name: string): string => {
  const text = snippets.get(name)
  if (text === undefined) throw new Error(`no snippet is named ${name}`)
  return text
}

/** Runs the commands of a snippet as when they are pasted, with the packed package for the published one. */
function paste(name: string, cwd: string, { without = /$^/ }: { readonly without?: RegExp } = {}) {
  const lines = snippet(name)
    .split('\n')
    .filter((line) => !without.test(line))
    .map((line) => line.replace(/(npm install) (.*)riverhook\b/, `$1 ${quiet.join(' ')} $2${tarball}`))
  return run(...asUser('bash', ['-ec', lines.join('\n')]), { cwd, env })
}

/** Starts a recipe, sends it a signed event and a forged one, and ends it. */
async function receives(t: Test, file: string, handled: RegExp): Promise<void> {
  const child = spawn(...asUser(process.execPath, [file]), {
    cwd: mkdtempSync(join(folder, 'run-')),
    env: { ...env, PORT: '0', RIVERHOOK_SECRETS: 'whk_a' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit') as Promise<[number | null]>
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done === true) throw new Error(`it ended before it printed ${String(pattern)}`)
      const found = pattern.exec(value)
      if (found !== null) return found
    }
  }
  const [, url = ''] = await line(/^listening (http:\S+)/)
  const post = async (secret: string): Promise<number> => {
    const body = event({ data: { object: { id: 'o1' } } })
    const headers = { 'content-type': 'application/json', ...signatureHeaders(body, secret) }
    return (await fetch(`${url}/webhooks/digital-river`, { method: 'POST', body, headers })).status
  }
  t.equal(await post('whk_b'), 401, 'forged')
  t.equal(await post('whk_a'), 202, 'signed')
  t.ok(await line(handled))
  child.kill('SIGTERM')
  t.same(await exited, [0, null])
}

t.test('NestJS, on Express and on Fastify', async (t) => {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2024',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    rootDir: 'src',
    outDir: 'dist'
  }
  const place = await project(
    {
      'package.json': '{ "private": true, "type": "module" }',
      'tsconfig.json': JSON.stringify({ compilerOptions, include: ['src'] }),
      'src/nest.ts': snippet('nest.ts'),
      'src/nest-fastify.ts': snippet('nest-fastify.ts')
    },
    [
      ...['core', 'common', 'platform-express', 'platform-fastify'].map((name) => `@nestjs/${name}@12`),
      'reflect-metadata',
      'rxjs@7',
      '@types/node@24'
    ]
  )
  t.equal(await runCompiler([tsc, '-p', '.', '--pretty', 'false'], place), '', 'it compiles')
  await receives(t, join(place, 'dist/nest.js'), /shipped o1/)
  await receives(t, join(place, 'dist/nest-fastify.js'), /shipped o1/)
})

t.test('Jest, with CommonJS', async (t) => {
  const place = await project(
    {
      'package.json': '{ "private": true }',
      'jest.config.json': '{ "testMatch": ["**/*.test.cjs"] }',
      'ship.cjs': snippet('ship.cjs'),
      'ship.test.cjs': snippet('ship.test.cjs')
    },
    ['jest@30']
  )
  const { stderr } = await paste('jest', place)
  t.match(stderr, /Tests: +1 passed, 1 total/)
})

t.test('without npm create: the documents alone make a project that compiles, and whose test passes', async (t) => {
  const place = mkdtempSync(join(folder, 'by-hand-'))
  await paste('by hand', place)
  const shop = join(place, 'my-webhooks')
  write(shop, {
    'tsconfig.json': snippet('tsconfig.json'),
    'handlers/first.ts': snippet('repaired'),
    'handlers/first.test.ts': snippet('first.test.ts')
  })
  const { stdout } = await paste('check it', shop, { without: /riverhook dev/ })
  t.match(stdout, /pass 1\n/)
  write(shop, { 'handlers/first.ts': snippet('failing') })
  t.equal(await runCompiler([tsc, '-p', '.', '--pretty', 'false'], shop), '', 'it compiles')
  t.match(snippet('check it'), /^npx riverhook dev --handlers handlers$/m, 'as test/cli/first-hour.test.ts runs it')
})

t.test('the package create-riverhook holds its code and the documents of the registry', async (t) => {
  const packed = await pack(join(root, 'examples/create'))
  t.same(packed.files.map(({ path }) => path).sort(), [
    'LICENSE',
    'README.md',
    'index.js',
    'package.json',
    'project.js',
    'sources.js'
  ])
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string }
  t.equal(packed.version, version, 'the project asks for this version of riverhook')
})

t.test('npm create riverhook, from a registry', async (t) => {
  const { filename, version, integrity } = await pack(join(root, 'examples/create'))
  const registry = createServer((request, response) => {
    if (request.url === '/create-riverhook') {
      const dist = { tarball: `${url}/create-riverhook.tgz`, integrity }
      const manifest = { name: 'create-riverhook', version, dist, bin: { 'create-riverhook': 'index.js' } }
      response.end(
        JSON.stringify({
          name: 'create-riverhook',
          'dist-tags': { latest: version },
          versions: { [version]: manifest }
        })
      )
    } else if (request.url === '/create-riverhook.tgz') response.end(readFileSync(join(folder, filename)))
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(registry, 'listening')
  t.teardown(() => registry.close())
  const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`
  const place = mkdtempSync(join(folder, 'created-'))
  const create = [
    'create',
    'riverhook',
    'my-webhooks',
    '--yes',
    '--registry',
    url,
    '--cache',
    join(place, 'cache'),
    '--'
  ]
  const made = await run('npm', [...create, '--mount', '--source', 'stripe', '--inbox', 'postgres', '--yes'], {
    cwd: place,
    env
  })
  t.match(made.stdout, /my-webhooks: 1\d files\. Next:/)
  t.ok(existsSync(join(place, 'my-webhooks/server.ts')))
})
