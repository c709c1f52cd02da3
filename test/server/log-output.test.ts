import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

import { asUser, environment } from '../environment.ts'
import { runProcess } from '../processes.ts'

// Risk: events, because the log is not read or its disk is full.

const output = new URL('../../src/server/log-output.ts', import.meta.url).href
const logging = (script: string): string[] => [
  '--conditions=riverhook-source',
  '--input-type=module',
  '-e',
  `const { logOutput } = await import('${output}'); const log = logOutput(1); ${script}`
]
const full = existsSync('/dev/full') ? false : 'there is no /dev/full'

t.test('lines arrive whole and in order, with control characters escaped, also at process.exit()', async (t) => {
  const { stdout, code } = await runProcess(
    process.execPath,
    logging(`
    for (let line = 0; line < 2_000; line++) log.write(JSON.stringify({ line, text: '\\u009b\\u202e' }) + '\\n')
    process.exit(3)`)
  )
  t.equal(code, 3)
  const lines = stdout.trimEnd().split('\n')
  t.same(
    lines.map((line) => (JSON.parse(line) as { line: number }).line),
    [...Array(2_000).keys()]
  )
  t.equal(lines[0], '{"line":0,"text":"\\u009b\\u202e"}')
})

t.test('a reader that blocks does not stop the process, and learns how many lines it missed', async (t) => {
  const script = `
    const line = JSON.stringify({ text: 'x'.repeat(10_000) }) + '\\n'
    for (let count = 0; count < 2_000; count++) log.write(line)
    setTimeout(() => process.stderr.write('still running'), 1)`
  const child = spawn(...asUser(process.execPath, logging(script)), {
    env: environment({}),
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const [said] = (await once(child.stderr, 'data')) as [Buffer]
  t.equal(said.toString(), 'still running')
  const lines = (await text(child.stdout))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { text?: string; dropped?: number })
  const dropped = lines.reduce((sum, line) => sum + (line.dropped ?? 0), 0)
  t.ok(dropped > 0)
  t.equal(lines.filter((line) => line.text !== undefined).length + dropped, 2_000)
})

t.test('a full disk is reported, and does not end the process', { skip: full }, async (t) => {
  const script = `
    log.write('{}\\n')
    setTimeout(() => log.write('{}\\n'), 1)
    setTimeout(() => process.stderr.write('still running'), 10)`
  const child = spawn(...asUser(process.execPath, logging(script)), {
    env: environment({}),
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe']
  })
  const [said, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit') as Promise<[number]>])
  t.match(said, /riverhook: the log cannot be written: ENOSPC/)
  t.equal(said.match(/cannot be written/g)?.length, 1, 'it is reported once')
  t.match(said, /still running/)
  t.equal(code, 0)
})

t.test('a command whose output cannot be written reports it and fails', { skip: full }, async (t) => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
  const child = spawn(...asUser(process.execPath, ['--conditions=riverhook-source', main, 'event-types']), {
    env: environment({}),
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe']
  })
  const [said, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit') as Promise<[number]>])
  t.match(said, /^riverhook: the output cannot be written: ENOSPC[^\n]*\n$/)
  t.equal(code, 1)
})
