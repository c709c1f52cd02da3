import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)

export type Environment = Readonly<Record<string, string>>

/**
 * This process's environment with what a test sets, without what tap would load into every child: users have it not, and it costs a fifth of a
 * start. One compile cache for all, wherever they run.
 */
export function environment(env: Environment): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _tap, NODE_COMPILE_CACHE: cache, ...rest } = process.env
  return { ...rest, ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: fileURLToPath(new URL(cache, root)) }), ...env }
}
