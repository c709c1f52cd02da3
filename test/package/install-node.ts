import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
const { engines } = JSON.parse(manifest) as { engines: { node: string } }
/** Keeps what was installed, for the other steps of the gate and for later runs. */
const kept = fileURLToPath(new URL('../../.tap/nodes/', import.meta.url))

/** The oldest Node that package.json supports, for example `22.18.0`. */
export const oldestNode = `${engines.node.replace(/^>=/u, '')}.0`

/**
 * Installs a Node of exactly this version from the registry, if no earlier call has.
 * @returns the path of its program
 */
export async function installNode(version: string): Promise<string> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const place = join(kept, version)
  if (!existsSync(place)) {
    mkdirSync(kept, { recursive: true })
    const folder = mkdtempSync(join(kept, 'new-'))
    try {
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
      // The package that the install script of `node` would fetch. Installed by name, it needs no script.
      await run(
        'npm',
        ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', `${name}@${version}`],
        { cwd: folder }
      )
      // Whole from the beginning. A second process that installs it at the same time replaces nothing.
      if (!existsSync(place)) renameSync(folder, place)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return join(place, 'node_modules', name, 'bin/node')
}
