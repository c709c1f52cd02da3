import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { catalogue } from '../../../src/index.ts'
import { median } from '../statistics.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const limitSeconds = 5

const start = `import Fastify from 'fastify'
import { resourceIdOf, riverhook } from '../../../src/index.ts'
const app = Fastify()
await app.register(riverhook, { path: '/w', secrets: ['whk_a'] })
`
const on = (pattern: string): string =>
  `app.riverhook.on('${pattern}', { orderBy: resourceIdOf }, (event) => { console.log(event.type, event.data.object) })\n`

/**
 * The programs whose type check is measured: all handlers of one program, each with the exact payload of its type, or
 * of a pattern.
 */
const programs: Readonly<Record<string, string>> = {
  'one handler': on('order.accepted'),
  'a handler for every type': Object.keys(catalogue).map(on).join(''),
  'a handler on *, narrowed by every type': `app.riverhook.on('*', { orderBy: resourceIdOf }, (event) => {
  switch (event.type) {
${Object.keys(catalogue)
  .map((type) => `    case '${type}': return console.log(event.data.object)\n`)
  .join('')}  }
})\n`
}

/**
 * Type-checks each program in a separate compiler, and prints how long it took compared with the program with one
 * handler.
 * @returns false if a program takes more than 5 s longer
 */
export function types(rounds: number): boolean {
  const folder = mkdtempSync(join(root, 'test/bench/types-'))
  try {
    const names = Object.keys(programs)
    const seconds = new Map<string, number[]>(names.map((name) => [name, []]))
    for (let round = 1; round <= rounds; round += 1) {
      for (const [index, name] of names.entries()) {
        seconds.get(name)?.push(check(folder, `program-${index}.ts`, `${start}${programs[name] ?? ''}`))
        process.stderr.write(`round ${round}/${rounds}, ${name}\n`)
      }
    }
    const [base = Number.NaN, ...others] = names.map((name) => median(seconds.get(name) ?? []))
    console.log(`${names[0] ?? ''}: ${base.toFixed(1)} s`)
    for (const [index, value] of others.entries()) {
      console.log(
        `${names[index + 1] ?? ''}: ${value.toFixed(1)} s, ${(value - base).toFixed(1)} s more (expected < ${limitSeconds}: ${value - base < limitSeconds ? 'reached' : 'MISSED'})`
      )
    }
    return others.every((value) => value - base < limitSeconds)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function check(folder: string, file: string, program: string): number {
  writeFileSync(join(folder, file), program)
  const tsconfig = join(folder, 'tsconfig.json')
  writeFileSync(tsconfig, JSON.stringify({ extends: '../../../tsconfig.json', include: [], files: [file] }))
  const startedAt = performance.now()
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', tsconfig], {
    stdio: ['ignore', 'inherit', 'inherit']
  })
  return (performance.now() - startedAt) / 1000
}
