import { globSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import t from 'tap'

/**
 * Runs the test files of a folder one after the other in this process, because starting a process takes longer than
 * most of them. Files that take or wait long, load the machine or change process-wide state are in a folder `alone`,
 * and have one process each. To run one file: `npx tap FILE`.
 *
 * The tests begin when all files are loaded, so a file must not await its own tests while it is loaded.
 *
 * Leaves out the files that the variable TEST_LEAVE_OUT lists: see test/package/oldest-node.ts.
 * @param folder beside this file
 */
export async function runTogether(folder: string): Promise<void> {
  const cwd = import.meta.dirname
  const leftOut = (process.env['TEST_LEAVE_OUT'] ?? '').split(delimiter)
  const files = globSync(`${folder}/**/*.test.ts`, { cwd, exclude: [`${folder}/alone/*`] })
    .filter((file) => !leftOut.includes(resolve(cwd, file)))
    .sort()
  if (files.length === 0) throw new Error(`There is no test in ${folder}`)
  const loading = Promise.withResolvers<undefined>()
  // tap ends a run that is idle. That must not happen while a file awaits its database.
  void t.test(`${files.length} files are loaded`, () => loading.promise)
  try {
    for (const file of files) await import(new URL(file, import.meta.url).href)
  } finally {
    loading.resolve(undefined)
  }
}
