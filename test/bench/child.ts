import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of the bench, and a way to hear from it that ends when it dies. */
export interface Child {
  readonly process: ChildProcess
  /** The next message. @throws {Error} when the process ends instead */
  message(): Promise<unknown>
  stop(): Promise<void>
}

/** Starts a file of this folder as a separate process, connected by messages. */
export function startChild(file: string, args: readonly string[] = []): Child {
  const execArgv = ['--import', new URL('report-cpu.ts', import.meta.url).href]
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const exited = once(child, 'exit')
  return {
    process: child,
    async message() {
      const stopped = new AbortController()
      try {
        return await Promise.race([
          once(child, 'message', { signal: stopped.signal }).then(([message]) => message as unknown),
          exited.then(([code, signal]) => {
            throw new Error(`${file} ended (${String(signal ?? code)}) before it answered`)
          })
        ])
      } finally {
        stopped.abort()
      }
    },
    async stop() {
      child.kill()
      await exited
    }
  }
}
