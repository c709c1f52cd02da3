import type { Test } from 'tap'

/**
 * A folder for a test, with these files, that is gone after it.
 * @returns its path
 */
export function makeFolder(t: Test, content: Parameters<Test['testdir']>[0] = {}): string {
  // tap removes its folder after what is torn down only if there was something to tear down before the folder was
  // made: else a server that is ended in a teardown would find itself without its files, or make new ones while they
  // are being removed.
  t.teardown(() => undefined)
  return t.testdir(content)
}
