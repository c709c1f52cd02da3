import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
const { engines } = JSON.parse(manifest) as { engines: { node: string } }

/** The oldest Node that package.json supports, for example `22.18.0`. */
export const oldestNode = `${engines.node.replace(/^>=/u, '')}.0`

/**
 * Installs a Node of exactly this version from the registry into a new folder.
 * @returns the path of its program
 */
export async function installNode(version: string, folder: string): Promise<string> {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
  // The package that the install script of `node` would fetch. Installed by name, it needs no script.
  await run(
    'npm',
    ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', `${name}@${version}`],
    { cwd: folder }
  )
  return join(folder, 'node_modules', name, 'bin/node')
}
