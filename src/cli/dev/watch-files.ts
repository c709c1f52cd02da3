import { existsSync, watch, type FSWatcher } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'

/** An editor writes a file in several steps. */
const quietMs = 100

/** Watches files, and calls `onChange` when one of them has changed, was added or removed. */
export class FileWatch {
  readonly #onChange: (file: string) => void
  readonly #folders = new Map<string, FSWatcher>()
  #wanted: ReadonlySet<string> = new Set()
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
    this.#wanted = new Set([...whole, ...[...known].map((file) => dirname(file))])
    for (const folder of this.#wanted) this.#watch(folder)
    for (const folder of whole) if (dirname(folder).startsWith(resolve())) this.#watch(dirname(folder))
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#folders.values()) watcher.close()
  }

  #renew(folder: string): void {
    this.#folders.get(folder)?.close()
    this.#folders.delete(folder)
    this.#watch(folder)
  }

  #watch(folder: string): void {
    // A folder of a configuration that is not right yet may not exist.
    if (this.#folders.has(folder) || !existsSync(folder)) return
    const watcher = watch(folder, (_kind, name) => {
      const file = resolve(folder, name ?? '')
      // A folder that was removed and made again, as Git does for another branch, is another one.
      const isFolder = this.#wanted.has(file)
      if (isFolder) this.#renew(file)
      if (!isFolder && !this.#isWatched(file)) return
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
