import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { configFileNames } from '../options/config-names.ts'
import { devFilePath } from './dev/dev-path.ts'

const words: readonly string[] = ['stats', 'audit', 'handlers list']

/** Variables that change what a command opens, or how. */
const variables = [
  'RIVERHOOK_CONFIG',
  'RIVERHOOK_SOURCE',
  'RIVERHOOK_INBOX_FILE',
  'RIVERHOOK_ENCRYPTION_KEYS',
  'RIVERHOOK_ENCRYPTION_KEYS_FILE'
]

/**
 * True if `quick.ts` can run the command line: one of its commands, for a SQLite inbox without keys, and no config file
 * or `riverhook dev` in the folder.
 * @param folder the current one, which may be deleted: then `process.cwd()` throws
 */
export function isQuick(args: readonly string[], environment: NodeJS.ProcessEnv, folder = '.'): boolean {
  const isKnown = words.some((each) => each === args[0] || each === `${String(args[0])} ${String(args[1])}`)
  return (
    isKnown &&
    variables.every((name) => environment[name] === undefined) &&
    addressesIn(args, environment).every((address) => address !== undefined && /^sqlite:.+$/.test(address)) &&
    ![...configFileNames, devFilePath].some((name) => existsSync(join(folder, name)))
  )
}

/** All that may be the address of the inbox. */
function addressesIn(args: readonly string[], { RIVERHOOK_INBOX: given }: NodeJS.ProcessEnv): (string | undefined)[] {
  const flags = args.flatMap((arg, index) =>
    arg.startsWith('--inbox') ? [arg === '--inbox' ? args[index + 1] : arg.replace('--inbox=', '')] : []
  )
  return given === undefined ? flags : [given, ...flags]
}
