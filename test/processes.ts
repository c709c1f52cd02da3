import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import { asUser, environment, type Environment } from './environment.ts'

const root = new URL('../', import.meta.url)
const fromSource = '--conditions=riverhook-source'
const main = fileURLToPath(new URL('src/cli/main.ts', root))

/** A real server in a separate process. */
export interface Server {
  readonly url: string
  readonly process: ChildProcess
  /** Its output, by line. */
  readonly lines: readonly string[]
  /** Resolves with the first line that matches the pattern, already printed or later. */
  line(pattern: RegExp): Promise<string>
  /** Ends the process and returns its exit code; null after a SIGKILL. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Starts `riverhook serve` and resolves when it listens. @throws with its output if it ends before that */
export function startServer(env: Environment): Promise<Server> {
  return startListening([main, 'serve'], {
    RIVERHOOK_PORT: '0',
    RIVERHOOK_LOG_LEVEL: 'info',
    RIVERHOOK_DRAIN_DELAY: '0',
    ...env
  })
}

/**
 * Starts a TypeScript file that listens and reports it in Fastify's format.
 * @param own the line of another format, with the port as its group
 */
export async function startListening(
  args: readonly string[],
  env: Environment,
  cwd = fileURLToPath(root),
  own?: RegExp
): Promise<Server> {
  const child = spawn(...asUser(process.execPath, [fromSource, ...args]), {
    env: environment(env),
    cwd,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  const lines: string[] = []
  const waiting = new Set<(line: string) => void>()
  for (const stream of [child.stdout, child.stderr]) {
    // Read to the end, because a full pipe would block the server.
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const look of waiting) look(line)
    })
  }
  const line = (pattern: RegExp): Promise<string> => {
    const found = lines.find((each) => pattern.test(each))
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve) => {
      const look = (each: string): void => {
        if (!pattern.test(each)) return
        waiting.delete(look)
        resolve(each)
      }
      waiting.add(look)
    })
  }
  const first = await Promise.race([line(own ?? /Server listening at http:/), exited])
  if (typeof first !== 'string')
    throw new Error(`the server ended with ${String(first[0])}:\n${lines.slice(-20).join('\n')}`)
  return {
    url: own === undefined ? (/http:[^"\s]+/.exec(first)?.[0] ?? '') : `http://127.0.0.1:${own.exec(first)?.[1] ?? ''}`,
    process: child,
    lines,
    line,
    async end(signal) {
      child.kill(signal)
      return (await exited)[0]
    }
  }
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts a command of the CLI, for a test that ends it or does not read its output. */
export function startCli(
  args: readonly string[],
  env: Environment,
  cwd = fileURLToPath(root)
): ChildProcessByStdio<null, Readable, null> {
  return spawn(...asUser(process.execPath, [fromSource, main, ...args]), {
    env: environment(env),
    cwd,
    stdio: ['ignore', 'pipe', 'ignore']
  })
}

/** Runs a command of the CLI to its end. */
export function runCli(
  args: readonly string[],
  options: { env?: Environment; input?: string | Uint8Array; cwd?: string } = {}
): Promise<Finished> {
  return runProcess(process.execPath, [fromSource, main, ...args], options)
}

export async function runProcess(
  command: string,
  args: readonly string[],
  {
    env = {},
    input = '',
    cwd = fileURLToPath(root)
  }: { env?: Environment; input?: string | Uint8Array; cwd?: string } = {}
): Promise<Finished> {
  const child = spawn(...asUser(command, args), {
    env: environment({ NO_COLOR: '1', ...env }),
    cwd,
    stdio: ['pipe', 'pipe', 'pipe']
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  // A command that does not read its input may have ended before the write.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}
