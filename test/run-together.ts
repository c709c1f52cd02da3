import { globSync } from 'node:fs'

/**
 * Runs the test files of a folder one after the other in this process: a process of their own would cost most of them
 * more than they do. Those that wait for long, load the machine or change what all of a process share are in a folder
 * `alone`, and have one each. For one of them: `npx tap FILE`.
 * @param folder beside this file
 */
export async function runTogether(folder: string): Promise<void> {
  const files = globSync(`${folder}/**/*.test.ts`, { cwd: import.meta.dirname, exclude: [`${folder}/alone/*`] }).sort()
  if (files.length === 0) throw new Error(`There is no test in ${folder}`)
  for (const file of files) await import(new URL(file, import.meta.url).href)
}
