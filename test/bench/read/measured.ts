/** The measurements of another process. */
export interface Answered {
  readonly times: readonly (readonly [string, number[]])[]
  readonly errors: readonly (readonly [string, number])[]
}

/** Latencies by name, and errors with their numbers. */
export class Measured {
  readonly times: Map<string, number[]>
  readonly errors: Map<string, number>

  constructor({ times, errors }: Answered = { times: [], errors: [] }) {
    this.times = new Map(times)
    this.errors = new Map(errors)
  }

  /** Adds what was measured under other names. */
  addAll({ times, errors }: Measured): void {
    for (const [name, list] of times) this.times.set(name, list)
    for (const [name, count] of errors) this.errors.set(name, count)
  }

  async time(name: string, work: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now()
    try {
      await work()
    } catch (error) {
      const key = `${name}: ${error instanceof Error ? error.message : String(error)}`
      this.errors.set(key, (this.errors.get(key) ?? 0) + 1)
    }
    this.add(name, performance.now() - startedAt)
  }

  add(name: string, ms: number): void {
    const times = this.times.get(name) ?? []
    times.push(ms)
    this.times.set(name, times)
  }
}
