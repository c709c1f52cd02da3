import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { endianness } from 'node:os'

/**
 * Properties of the file that a write-ahead log belongs to, read from the committed part of the log.
 * https://sqlite.org/fileformat2.html#walformat
 */
export interface WriteAheadLog {
  readonly pageSize: number
  /** The marks (see mark.ts) in the versions of page 1, oldest first. */
  readonly marks: readonly number[]
}

const headerBytes = 32
const frameHeaderBytes = 24
/** The lowest bit is set if the checksums are of big-endian words. */
const magic = 0x377f0682
/** The offset of the mark in page 1: `PRAGMA application_id`. */
export const markOffset = 68

/**
 * Reads the log as SQLite's recovery does: the frames up to the last commit, and none after a wrong salt or checksum.
 * @returns undefined if the log has nothing that SQLite would replay
 */
export function readLog(path: string): WriteAheadLog | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return readFrames(file)
  } finally {
    // Closing releases no lock: SQLite's locks are on the database and the -shm file.
    closeSync(file)
  }
}

function readFrames(file: number): WriteAheadLog | undefined {
  const header = Buffer.alloc(headerBytes)
  if (readSync(file, header, 0, headerBytes, 0) < headerBytes) return undefined
  const kind = header.readUInt32BE(0)
  const pageSize = header.readUInt32BE(8)
  if ((kind & ~1) >>> 0 !== magic || pageSize < 512 || pageSize > 65_536) return undefined
  const checksum = new Checksum((kind & 1) === 1)
  checksum.add(header.subarray(0, 24))
  if (!checksum.equals(header, 24)) return undefined

  const frame = Buffer.alloc(frameHeaderBytes + pageSize)
  const { size } = fstatSync(file)
  const marks: number[] = []
  let uncommitted: number[] = []
  let hasCommits = false
  for (let at = headerBytes; at + frame.length <= size; at += frame.length) {
    if (readSync(file, frame, 0, frame.length, at) < frame.length) break
    if (frame.compare(header, 16, 24, 8, 16) !== 0) break
    checksum.add(frame.subarray(0, 8))
    checksum.add(frame.subarray(frameHeaderBytes))
    if (!checksum.equals(frame, 16)) break
    if (frame.readUInt32BE(0) === 1) uncommitted.push(frame.readInt32BE(frameHeaderBytes + markOffset))
    if (frame.readUInt32BE(4) === 0) continue
    hasCommits = true
    marks.push(...uncommitted)
    uncommitted = []
  }
  return hasCommits ? { pageSize, marks } : undefined
}

/** The cumulative checksum of a log. */
class Checksum {
  readonly #isNative: boolean
  #first = 0
  #second = 0

  constructor(isBigEndian: boolean) {
    this.#isNative = isBigEndian === (endianness() === 'BE')
  }

  add(bytes: Buffer): void {
    // Copy words that are not aligned, or that must be swapped.
    const words = this.#isNative && bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
    if (!this.#isNative) words.swap32()
    const view = new Uint32Array(words.buffer, words.byteOffset, words.byteLength / 4)
    let first = this.#first
    let second = this.#second
    for (let index = 0; index < view.length; index += 2) {
      first = (first + (view[index] ?? 0) + second) >>> 0
      second = (second + (view[index + 1] ?? 0) + first) >>> 0
    }
    this.#first = first
    this.#second = second
  }

  equals(bytes: Buffer, offset: number): boolean {
    return bytes.readUInt32BE(offset) === this.#first && bytes.readUInt32BE(offset + 4) === this.#second
  }
}
