import { globSync } from 'node:fs'

/**
 * Runs the test files of a folder one after the other in this process: each is done in a moment, and a process of its own would cost it more.
 * For one of them alone: `npx tap FILE`.
 * @param folder beside this file
 */
export async function runTogether(folder: string): Promise<void> {
  const files = globSync(`${folder}/**/*.test.ts`, { cwd: import.meta.dirname }).sort()
  if (files.length === 0) throw new Error(`There is no test in ${folder}`)
  for (const file of files) await import(new URL(file, import.meta.url).href)
}
