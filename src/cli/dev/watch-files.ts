import { watch, type FSWatcher } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'

/** An editor writes a file in several steps. */
const quietMs = 100

/** Watches files, and calls `onChange` when one of them has changed, was added or removed. */
export class FileWatch {
  readonly #onChange: (file: string) => void
  readonly #folders = new Map<string, FSWatcher>()
  #isWatched: (file: string) => boolean = () => false
  #timer: NodeJS.Timeout | undefined

  constructor(onChange: (file: string) => void) {
    this.#onChange = onChange
  }

  /**
   * Watches these files in addition, and all files in these folders that `isOfInterest` accepts.
   * @param isOfInterest for the files of the folders
   */
  set(files: Iterable<string>, folders: readonly string[], isOfInterest: (name: string) => boolean): void {
    const known = new Set(files)
    const whole = new Set(folders.map((folder) => resolve(folder)))
    this.#isWatched = (file) => known.has(file) || (whole.has(dirname(file)) && isOfInterest(basename(file)))
    // Watch folders: many editors replace a file by another one.
    for (const folder of new Set([...whole, ...[...known].map((file) => dirname(file))])) this.#watch(folder)
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#folders.values()) watcher.close()
  }

  #watch(folder: string): void {
    if (this.#folders.has(folder)) return
    const watcher = watch(folder, (_kind, name) => {
      const file = resolve(folder, name ?? '')
      if (!this.#isWatched(file)) return
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => {
        this.#onChange(file)
      }, quietMs)
    })
    // The folder was removed.
    watcher.on('error', () => {
      watcher.close()
      this.#folders.delete(folder)
    })
    this.#folders.set(folder, watcher)
  }
}
