import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, constants, cpSync, globSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import type { Stage } from './dockerfile.ts'

/** The sources and the places of a build. */
export interface Building {
  readonly stages: readonly Stage[]
  /** The folder that stands for the root of a stage's image. */
  readonly placeOf: (stage: Stage) => string
  /** The build context. */
  readonly context: string
  /** Whether .dockerignore keeps a file or folder in the context. */
  readonly isSent: (name: string) => boolean
  /** The path for the commands of RUN. */
  readonly path: string
}

/** Whether this process may start others as another user, as a container engine does. */
export const isRoot = process.getuid?.() === 0

/** Runs COPY, RUN and WORKDIR of a stage in the folder that stands for its root. */
export function build(stage: Stage, building: Building): void {
  const image = building.placeOf(stage)
  let workdir = image
  const env: Record<string, string | undefined> = { ...process.env, PATH: building.path }
  for (const name of Object.keys(env)) if (name.startsWith('npm_')) env[name] = undefined
  // The gate has just installed the same packages, so a slow registry does not matter here.
  env.npm_config_prefer_offline = 'true'
  for (const { name, rest } of stage.instructions) {
    if (name === 'WORKDIR') {
      workdir = inside(image, rest)
      mkdirSync(workdir, { recursive: true })
    } else if (name === 'COPY') {
      copy(rest.split(' '), image, workdir, building)
    } else if (name === 'RUN') {
      const run = { cwd: workdir, env, encoding: 'utf8' } as const
      // An absolute path is a word, as in `mkdir /data`.
      const command = rest
        .split(' ')
        .map((word) => inside(image, word))
        .join(' ')
      const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -e; ${command}`], run)
      if (status !== 0) throw new Error(`RUN ${rest}\n${stdout}${stderr}`)
    }
  }
}

/** Supports what our Dockerfiles use: `--from`, `--chown` with numbers, patterns, and folders as targets. */
function copy(words: readonly string[], image: string, workdir: string, building: Building): void {
  const flags = new Map(
    words
      .filter((word) => word.startsWith('--'))
      .map((word) => word.slice(2).split('='))
      .map(([name, value]) => [name, value])
  )
  const paths = words.filter((word) => !word.startsWith('--'))
  const target = paths.at(-1) ?? ''
  const from = building.stages.find(({ name }) => name !== undefined && name === flags.get('from'))
  if (from === undefined && flags.has('from')) throw new Error(`COPY ${words.join(' ')}: there is no such stage`)
  const sources = paths.slice(0, -1).flatMap((path) => {
    return path.includes('*') ? globSync(path, { cwd: building.context }) : path === '.' ? sentFiles(building) : path
  })
  for (const source of sources) {
    if (from === undefined && !building.isSent(source))
      throw new Error(`COPY ${source}: .dockerignore keeps it out of the context`)
    const origin = from === undefined ? join(building.context, source) : inside(building.placeOf(from), source)
    const folder = target.startsWith('/') ? inside(image, target) : join(workdir, target)
    // The content of a folder is copied into the target; a file goes below a target that ends with a slash.
    const isBelow = paths[0] === '.' || (target.endsWith('/') && !statSync(origin).isDirectory())
    const place = isBelow ? join(folder, paths[0] === '.' ? source : basename(source)) : folder
    cpSync(origin, place, { recursive: true })
    const [uid, gid] = (flags.get('chown') ?? '').split(':').map(Number)
    if (uid !== undefined && gid !== undefined && isRoot) chownSync(place, uid, gid)
  }
}

/** The names in the context that .dockerignore does not keep out. */
function sentFiles({ context, isSent }: Building): readonly string[] {
  return readdirSync(context).filter(isSent)
}

/** Maps an absolute path in an image to a path on this machine, and keeps other words unchanged. */
export function inside(image: string, word: string): string {
  return word.replace(
    /^(sqlite:)?(\/(?:app|data|handlers|nodejs)\b)/u,
    (_match, scheme: string | undefined, rest: string) => (scheme ?? '') + image + rest
  )
}

/** Puts into the folder what the base of the last stage has there: Node, and a /tmp. */
export function addBase(image: string, node: string): void {
  mkdirSync(join(image, 'tmp'), { recursive: true })
  mkdirSync(dirname(node), { recursive: true })
  // A copy instead of a link: another user may not be able to enter this clone.
  cpSync(process.execPath, node, { mode: constants.COPYFILE_FICLONE })
}

/**
 * Starts processes as the user of the image, who can write to /data alone. If the tests are not run as root, it is
 * their own user, and everything but /data is made read-only.
 * @returns options for `spawn`
 */
export function protect(image: string, user: number): { readonly uid?: number; readonly gid?: number } {
  if (isRoot) return { uid: user, gid: user }
  change(image, 'a-w')
  change(join(image, 'data'), 'u+w')
  chmodSync(image, 0o555)
  return {}
}

/** Makes the folder writable again, so that it can be deleted. */
export function unprotect(image: string): void {
  change(image, 'u+w')
}

function change(folder: string, mode: string): void {
  const { status, stderr } = spawnSync('chmod', ['-R', mode, folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
