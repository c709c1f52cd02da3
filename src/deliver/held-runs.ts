import type { Run } from './run.ts'

/** A power of two. */
const groupCount = 256

/**
 * Runs by the id of their delivery. Not a Map: V8 links each table of a Map to the next one, so a table in the old
 * generation keeps all later ones until the next full collection. At thousands of runs a second, that makes the pauses
 * of the collector ten times as long.
 */
export class HeldRuns {
  readonly #groups: readonly Run[][] = Array.from({ length: groupCount }, () => [])
  #size = 0

  get size(): number {
    return this.#size
  }

  get all(): readonly Run[] {
    return this.#groups.flat()
  }

  get(id: number): Run | undefined {
    return this.#groupOf(id).find((run) => run.delivery.id === id)
  }

  /** In the place of another run of the same delivery, if there is one. */
  add(run: Run): void {
    const { id } = run.delivery
    const other = this.get(id)
    if (other !== undefined) this.delete(other)
    this.#groupOf(id).push(run)
    this.#size += 1
  }

  /** Nothing if the run is not held. */
  delete(run: Run): void {
    const group = this.#groupOf(run.delivery.id)
    const index = group.indexOf(run)
    if (index === -1) return
    group.splice(index, 1)
    this.#size -= 1
  }

  #groupOf(id: number): Run[] {
    // The lowest bits, also of an id of more than 32 bits.
    return this.#groups[id & (groupCount - 1)] as Run[]
  }
}
