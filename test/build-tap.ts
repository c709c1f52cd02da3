// npm run pretest. During its first run after an install, tap compiles its Test class for the plugins that .taprc
// names. That run still starts every test with the default plugins: on a fresh clone the TypeScript plugin, which
// .taprc excludes, would fail every file. This script compiles the class before the first run.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const testClass = fileURLToPath(new URL('../node_modules/@tapjs/test/test-built/dist/esm/index.js', import.meta.url))

if (readFileSync(testClass, 'utf8').includes('@tapjs/typescript')) {
  const { status } = spawnSync('tap', ['build'], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('tap build failed')
}
