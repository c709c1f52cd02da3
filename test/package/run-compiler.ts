import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { asUser } from '../environment.ts'

interface Output {
  readonly stdout: string
  readonly stderr: string
  readonly code?: number
}

/** @param tsc its file and arguments. @returns what it prints: nothing if it starts and finds no error */
export async function runCompiler(tsc: readonly string[], cwd: string): Promise<string> {
  const { stdout, stderr, code } = await promisify(execFile)(...asUser(process.execPath, tsc), { cwd }).then(
    (output): Output => ({ ...output, code: 0 }),
    (error: unknown) => error as Output
  )
  return code === 0 ? stdout + stderr : `code ${code}\n${stdout}${stderr}`
}
