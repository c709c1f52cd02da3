import { openSync, readSync } from 'node:fs'

/** The length of the header of the log's index, which is stored twice. https://sqlite.org/walformat.html */
const copyBytes = 48
/** After the two copies of the header, the index says how many frames were copied into the file. */
const indexBytes = 2 * copyBytes + 4
const frameHeaderBytes = 24
const logHeaderBytes = 32
/** Reads before the log is rejected: another process may commit, or restart the log, between two reads. */
const maxReads = 20

/**
 * Detects a log that another program has overwritten. The index of the log, which all processes share, has the checksum
 * of the last committed frame: the frame at the end of the log must have the same. SQLite itself trusts the index, so
 * it would lose commits, and a checkpoint would write pages of another file.
 */
export class LogEnd {
  readonly #log: number
  readonly #index: number
  #uncopied = 0

  private constructor(log: number, index: number) {
    this.#log = log
    this.#index = index
  }

  /**
   * @param keep called with descriptors that must stay open: closing that of the index would release SQLite's locks
   * @returns undefined if there is no log, or the index cannot be read
   */
  static open(path: string, keep: (descriptor: number) => void): LogEnd | undefined {
    try {
      const log = openSync(`${path}-wal`, 'r')
      keep(log)
      const index = openSync(`${path}-shm`, 'r')
      keep(index)
      return new LogEnd(log, index)
    } catch {
      return undefined
    }
  }

  /** How many frames the log had that were not copied into the file, when its end was checked last. */
  get uncopied(): number {
    return this.#uncopied
  }

  isAsCommitted(): boolean {
    let before = this.#readIndex()
    for (let attempt = 0; attempt < maxReads; attempt += 1) {
      if (this.#endsAs(before)) return true
      const after = this.#readIndex()
      if (headersOf(after).equals(headersOf(before)) && isStable(after)) return false
      before = after
    }
    return true
  }

  #readIndex(): Buffer {
    const index = Buffer.alloc(indexBytes)
    readSync(this.#index, index, 0, index.length, 0)
    return index
  }

  #endsAs(index: Buffer): boolean {
    // The index is in the byte order of the machine, and the frames are big-endian.
    const [size = 0] = new Uint16Array(index.buffer, index.byteOffset + 14, 1)
    const [frames = 0] = new Uint32Array(index.buffer, index.byteOffset + 16, 1)
    const [copied = 0] = new Uint32Array(index.buffer, index.byteOffset + 2 * copyBytes, 1)
    this.#uncopied = frames - copied
    const [first, second] = new Uint32Array(index.buffer, index.byteOffset + 24, 2)
    if (index[12] !== 1 || frames === 0) return true
    const pageSize = size === 1 ? 65_536 : size
    const frame = Buffer.alloc(frameHeaderBytes)
    const read = readSync(
      this.#log,
      frame,
      0,
      frame.length,
      logHeaderBytes + (frames - 1) * (frameHeaderBytes + pageSize)
    )
    return read === frame.length && frame.readUInt32BE(16) === first && frame.readUInt32BE(20) === second
  }
}

function headersOf(index: Buffer): Buffer {
  return index.subarray(0, 2 * copyBytes)
}

/** True if no writer is between its writes of the two copies of the header. */
function isStable(index: Buffer): boolean {
  return index.subarray(0, copyBytes).equals(index.subarray(copyBytes, 2 * copyBytes))
}
