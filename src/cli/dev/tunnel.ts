import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

import { RiverhookError } from '../../index.ts'

/** A public address that leads to this machine. */
export interface Tunnel {
  readonly url: string
  /** Resolves, with a sentence, when the program has ended on its own. */
  readonly lost: Promise<string>
  close(): void
}

interface Program {
  readonly name: string
  readonly args: (port: number) => readonly string[]
  /** Finds the public address in the output. */
  readonly address: RegExp
}

const programs: readonly Program[] = [
  {
    name: 'cloudflared',
    args: (port) => ['tunnel', '--url', `http://127.0.0.1:${port}`],
    // Its errors name the host `api`.
    address: /https:\/\/(?!api\.)[\w-]+\.trycloudflare\.com/
  },
  {
    name: 'ngrok',
    args: (port) => ['http', String(port), '--log', 'stdout', '--log-format', 'json'],
    address: /(?<="url":")https:\/\/[^"]+(?=")/
  }
]

const openingMs = 60_000
/** The signals that end this process while it waits. */
const ending = ['SIGINT', 'SIGTERM'] as const
/** In characters: the last output, for the error. */
const longestOutput = 2_000

/**
 * Starts an installed tunnel program, and waits for its public address.
 * @param limit aborts when the program has had its time
 * @throws {RiverhookError} RIVERHOOK_CLI_USAGE if there is none, or if it ends or has no address in time
 */
export async function openTunnel(port: number, limit: AbortSignal = AbortSignal.timeout(openingMs)): Promise<Tunnel> {
  const program = programs.find(({ name }) => isInstalled(name))
  if (program === undefined)
    throw new RiverhookError(
      'RIVERHOOK_CLI_USAGE',
      '--tunnel needs a tunnel program on the PATH, and there is none. Install cloudflared (https://github.com/cloudflare/cloudflared, needs no account) or ngrok (https://ngrok.com)'
    )
  const { name, args, address } = program
  const child = spawn(name, args(port), { stdio: ['ignore', 'pipe', 'pipe'] })
  const lost = Promise.withResolvers<string>()
  let isWanted = true
  const close = (): void => {
    isWanted = false
    child.kill()
  }
  const endHere = (): never => process.exit(1)
  for (const signal of ending) process.once(signal, endHere)
  // The tunnel must not outlive this process.
  process.once('exit', close)
  const url = await new Promise<string>((resolve, reject) => {
    let output = ''
    const fail = (what: string): void => {
      limit.removeEventListener('abort', onLimit)
      close()
      reject(new RiverhookError('RIVERHOOK_CLI_USAGE', `${name} ${what}${output === '' ? '' : `: ${output.trim()}`}`))
    }
    const onLimit = (): void => {
      fail(`gave no public address within ${openingMs / 1000} s`)
    }
    limit.addEventListener('abort', onLimit)
    const read = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-longestOutput)
      const [found] = address.exec(output) ?? []
      if (found === undefined) return
      limit.removeEventListener('abort', onLimit)
      resolve(found)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', (error) => {
      fail(`cannot be started (${error.message})`)
    })
    child.once('exit', (code, signal) => {
      const what = signal === null ? `ended with code ${String(code)}` : `was ended by ${signal}`
      if (isWanted)
        lost.resolve(`${name} ${what}: its public address leads nowhere now. Start riverhook dev --tunnel again`)
      fail(what)
    })
  }).finally(() => {
    for (const signal of ending) process.off(signal, endHere)
  })
  return { url, lost: lost.promise, close }
}

function isInstalled(name: string): boolean {
  const endings = process.platform === 'win32' ? ['.exe', '.cmd'] : ['']
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && endings.some((ending) => isExecutable(join(folder, name + ending))))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
