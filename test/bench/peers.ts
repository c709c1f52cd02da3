import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./peers/', import.meta.url))

/**
 * Installs the packages that riverhook is compared with, unless that has been done for this lock file. They have a
 * separate package, so that they are no dependency of the project.
 */
export function installPeers(): void {
  const installed = `${folder}node_modules/.package-lock.json`
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs) return
  process.stderr.write('Installing the packages that riverhook is compared with (once): npm ci in test/bench/peers\n')
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', process.stderr, process.stderr]
  })
  if (status !== 0) throw new Error('npm ci in test/bench/peers failed')
}
