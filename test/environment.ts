import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)

export type Environment = Readonly<Record<string, string>>

/** This process's environment with what a test sets, and one compile cache for all children, wherever they run. */
export function environment(env: Environment): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: cache, ...rest } = process.env
  return {
    ...rest,
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: fileURLToPath(new URL(cache, root)) }),
    ...env
  }
}

/**
 * What to spawn so that a child starts as a user's would. tap gives every child a NODE_OPTIONS that loads a part of
 * itself, also where the caller set none: that is another process than a user has, and a fifth more of a start. So it
 * is taken away between the two.
 */
export function asUser(command: string, args: readonly string[]): [command: string, args: string[]] {
  return ['env', ['NODE_OPTIONS=', command, ...args]]
}
