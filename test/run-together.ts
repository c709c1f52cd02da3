import { globSync } from 'node:fs'

/**
 * Runs the test files of a folder one after the other in this process, because starting a process takes longer than
 * most of them. Files that wait for long, load the machine or change process-wide state are in a folder `alone`, and
 * have one process each. To run one file: `npx tap FILE`.
 * @param folder beside this file
 */
export async function runTogether(folder: string): Promise<void> {
  const files = globSync(`${folder}/**/*.test.ts`, { cwd: import.meta.dirname, exclude: [`${folder}/alone/*`] }).sort()
  if (files.length === 0) throw new Error(`There is no test in ${folder}`)
  for (const file of files) await import(new URL(file, import.meta.url).href)
}
