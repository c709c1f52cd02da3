import type { Call } from './protocol.ts'

/** About 8 MiB and 32 MiB, in pages. */
const [short, long] = [1_000, 4_000]

/** How many transactions with new events the mean is of, about. */
const meanOf = 16
/** The mean of events in a transaction while more arrive than are stored one after the other. */
const many = 20
/** After this time without new events, none is expected. */
const recentMs = 1_000

/**
 * Decides how long the log may be before it is copied into the file.
 *
 * Pages that change often are copied less often from a long log: that saves about a tenth of the CPU time of a server
 * that is at its limit, or that only delivers. Otherwise a short one is better, because events that arrive during a
 * copy wait for its end. A purge changes pages all over the file, which take much longer to write.
 */
export class LogLimit {
  #mean = 0
  #recordedAt = -Infinity

  /** @returns the limit after these calls, in pages */
  after(calls: readonly Call[]): number {
    let arrivals = 0
    for (const call of calls) {
      if (!isRecording(call)) continue
      arrivals += call.args.arrivals.length
      this.#recordedAt = call.now
    }
    if (arrivals > 0) this.#mean += (arrivals - this.#mean) / meanOf
    if (calls.some(({ name }) => name === 'prune')) return short
    const isRecent = calls.some(({ now }) => Math.abs(now - this.#recordedAt) < recentMs)
    return isRecent && this.#mean < many ? short : long
  }
}

function isRecording(call: Call): call is Call<'record'> {
  return call.name === 'record'
}
