import type { Test } from 'tap'

/**
 * A folder with these files, removed after the test.
 * @returns its path
 */
export function makeFolder(t: Test, content: Parameters<Test['testdir']>[0] = {}): string {
  // tap removes its folder after the other teardowns only if one existed before the folder was created. Otherwise a
  // server that a teardown ends would lose its files first, or create new ones during the removal.
  t.teardown(() => undefined)
  return t.testdir(content)
}
