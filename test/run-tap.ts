import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { stop } from 'esbuild'

import { bundlePackages } from './bundled-packages.ts'
import { bundle } from './package/bundle.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs tap with these arguments, and sets the exit code of this process.
 * @param node the program that runs the tests
 * @param env variables of the tests
 */
export function runTap(args: readonly string[], node = process.execPath, env: Readonly<Record<string, string>> = {}) {
  const options = `--import=${new URL('quick-resolve.js', import.meta.url).href}`
  const { status } = spawnSync(node, [join(root, 'node_modules/.bin/tap'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      // First on the path too, for tests that start a program by name.
      PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
      NODE_OPTIONS: options,
      // For the children from which `asUser` takes NODE_OPTIONS.
      TEST_NODE_OPTIONS: options,
      ...env
    }
  })
  process.exitCode = status ?? 1
}

// npm test
if (import.meta.main) {
  // Built at each run, so that no older build passes for src.
  rmSync(join(root, '.bundle'), { recursive: true, force: true })
  await bundle('.bundle')
  await bundlePackages(join(root, '.bundle/packages'))
  await stop()
  runTap(process.argv.slice(2), process.execPath, { TEST_BUNDLE: '1' })
}
