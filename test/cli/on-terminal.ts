import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import type { Test } from 'tap'

import { asUser, environment } from '../environment.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** For tests on a terminal. */
export const skip = process.platform === 'linux' ? false : 'needs the command script of util-linux'

/** Runs a command on a terminal of some columns. @param program default: riverhook */
export function onTerminal(t: Test, columns: number, args: string, cwd: string, program = main) {
  const command = `stty cols ${columns}; exec ${process.execPath} --conditions=riverhook-source ${program} ${args}`
  const child = spawn(...asUser('script', ['-qec', command, '/dev/null']), {
    cwd,
    env: environment({ TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '1' }),
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  let look = (): void => undefined
  child.stdout.on('data', (chunk: Buffer) => {
    output += stripVTControlCharacters(chunk.toString()).replaceAll('\r\n', '\n')
    look()
  })
  return {
    ended: once(child, 'close') as Promise<[number | null]>,
    type: (keys: string) => child.stdin.write(keys),
    get lines() {
      return output.split('\n')
    },
    /** Resolves with the output when it has the text, already printed or later. */
    until: (pattern: RegExp) =>
      new Promise<string>((resolve) => {
        look = () => {
          if (pattern.test(output)) resolve(output)
        }
        look()
      })
  }
}

/** The lines that the terminal would break. A long address stands alone in its line. */
export const tooWide = (lines: readonly string[], columns: number): readonly string[] =>
  lines.filter((line) => line.length > columns && line.includes(' '))
