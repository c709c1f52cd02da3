import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { ownExtension, ownFolder } from '../programs.ts'

/** How a user runs these commands, in texts to paste: from a clone, or where the package is installed. */
export const riverhookCommand = ownExtension === 'ts' ? 'npm run -s riverhook --' : 'npx riverhook'

/** The folder of the example handlers, from the current folder. */
export function exampleHandlers(): string {
  return relative(process.cwd(), fileURLToPath(new URL('../examples/handlers', ownFolder)))
}
