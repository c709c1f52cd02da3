import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** The real server in a process of its own. */
export interface Server {
  readonly url: string
  readonly process: ChildProcess
  /** Ends it and gives its exit code; null after a SIGKILL. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

const main = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** Starts `riverhook serve` and resolves when it listens. @throws with what it printed when it ends before that */
export async function startServer(env: Readonly<Record<string, string>>): Promise<Server> {
  const process_ = spawn(process.execPath, ['--conditions=riverhook-source', main, 'serve'], {
    env: { ...process.env, RIVERHOOK_PORT: '0', RIVERHOOK_LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const exited = once(process_, 'exit') as Promise<[number | null]>
  const lastLines: string[] = []
  let listening: (url: string) => void = () => undefined
  const url = new Promise<string>((resolve) => { listening = resolve })
  for (const stream of [process_.stdout, process_.stderr]) {
    // Read to the end: a full pipe would stop the server.
    createInterface({ input: stream }).on('line', (line) => {
      const found = /Server listening at (http:[^"\s]+)/.exec(line)?.[1]
      if (found !== undefined) listening(found)
      lastLines.push(line)
      if (lastLines.length > 20) lastLines.shift()
    })
  }
  const first = await Promise.race([url, exited])
  if (typeof first !== 'string') throw new Error(`the server ended with ${String(first[0])}:\n${lastLines.join('\n')}`)
  return {
    url: first,
    process: process_,
    async end(signal) {
      process_.kill(signal)
      return (await exited)[0]
    }
  }
}
