/** Latencies by name, and errors with their numbers. */
export class Measured {
  readonly times = new Map<string, number[]>()
  readonly errors = new Map<string, number>()

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
