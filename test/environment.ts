import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)

export type Environment = Readonly<Record<string, string>>

/** The environment of this process with the test's variables, and one compile cache for all children in any folder. */
export function environment(env: Environment): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: cache, ...rest } = process.env
  return { ...rest, ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: absolute(cache) }), ...env }
}

/** Gives one compile cache to all children of this process, also to those that get its environment as it is. */
export function shareCompileCache(): void {
  const { NODE_COMPILE_CACHE: cache } = process.env
  if (cache !== undefined) process.env['NODE_COMPILE_CACHE'] = absolute(cache)
}

/** .taprc names a folder of this clone. */
function absolute(cache: string): string {
  return fileURLToPath(new URL(cache, root))
}

/**
 * The command that starts a child as a user would start it. tap gives every child a NODE_OPTIONS that loads a part of
 * tap, even if the caller set none. The child would differ from a user's process and start a fifth slower. This command
 * removes the variable, but for the option of test/run-tap.ts.
 */
export function asUser(command: string, args: readonly string[]): [command: string, args: string[]] {
  return ['env', [`NODE_OPTIONS=${process.env['TEST_NODE_OPTIONS'] ?? ''}`, command, ...args]]
}
