import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startChild, type Child } from '../child.ts'
import { cpuBetween, readCpu, type Cpu } from '../cpu.ts'
import type { Contestant } from './contestants.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { schemes } from './scheme.ts'

/** One loading of a server, counted until its deliveries are done. */
export interface Slice extends LoadResult {
  /** The CPU time of the server for one request: less shaken by other work on the machine than the rate. */
  readonly cpu: Cpu
  /** The CPU time of a database for one request, in microseconds; 0 if none was named. */
  readonly databaseCpu: number
}

export interface Measured extends Pick<Contestant, 'file' | 'scheme' | 'args' | 'expected' | 'handles'> {
  /** Reads the CPU time of the database that the server uses, in microseconds. */
  readonly readDatabaseCpu?: (() => number) | undefined
}

const path = '/webhooks'

/** The process that sends all requests. */
export class Generator {
  readonly #child = startChild('receive/load.ts')

  async ask<Answer>(order: LoadOrder): Promise<Answer> {
    this.#child.process.send(order)
    return (await this.#child.message()) as Answer
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}

/** A running server, with connections to it. */
export class Server {
  readonly #generator: Generator
  readonly #key: string
  readonly #handles: boolean
  readonly #child: Child
  readonly #folder: string
  readonly #readDatabaseCpu: () => number
  #sent = 0
  #accepted = 0

  private constructor(
    generator: Generator,
    key: string,
    { handles = false, readDatabaseCpu = () => 0 }: Measured,
    child: Child,
    folder: string
  ) {
    this.#generator = generator
    this.#key = key
    this.#handles = handles
    this.#child = child
    this.#folder = folder
    this.#readDatabaseCpu = readDatabaseCpu
  }

  /** Starts a server, and connects the load generator to it. */
  static async start(
    measured: Measured,
    { generator, key, ...load }: { generator: Generator; key: string; bodyBytes: number; connections: number }
  ): Promise<Server> {
    const { file, scheme, args, expected } = measured
    const folder = mkdtempSync(join(tmpdir(), 'riverhook-bench-'))
    const child = startChild(file, [path, schemes[scheme].secret, ...args(folder)])
    const server = new Server(generator, key, measured, child, folder)
    try {
      const { port } = (await child.message()) as { port: number }
      await generator.ask({ open: { key, port, path, scheme, expected, ...load } })
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  /** Sends requests, and waits until all have been answered and handled. */
  async drive(requests: number): Promise<Slice> {
    const before = await readCpu(this.#child)
    const databaseBefore = this.#readDatabaseCpu()
    const result = await this.#generator.ask<LoadResult>({ drive: { key: this.#key, requests } })
    this.#sent += requests
    this.#accepted += requests - result.refused
    if (this.#handles) {
      this.#child.process.send({ untilSettled: this.#accepted })
      await this.#child.message()
    }
    const cpu = cpuBetween(before, await readCpu(this.#child), requests)
    return { ...result, cpu, databaseCpu: (this.#readDatabaseCpu() - databaseBefore) / requests }
  }

  /**
   * Sends requests until it has answered this many, so that all contestants are compiled as far, however slow the
   * machine is.
   * @returns how many requests it answers in a second
   */
  async warmUp(requests: number): Promise<number> {
    let perSecond = 0
    while (this.#sent < requests) ({ perSecond } = await this.drive(500))
    return perSecond
  }

  async stop(): Promise<void> {
    await this.#child.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export interface Load {
  readonly bodyBytes: number
  readonly connections: number
  readonly warmUpRequests: number
  readonly measuredMs: number
}

/** Starts a server for one long slice, and ends it. */
export async function measure(contestant: Measured, { warmUpRequests, measuredMs, ...load }: Load): Promise<Slice> {
  const generator = new Generator()
  try {
    const server = await Server.start(contestant, { generator, key: 'only', ...load })
    try {
      const perSecond = await server.warmUp(warmUpRequests)
      return await server.drive(Math.max(1_000, Math.round((perSecond * measuredMs) / 1000)))
    } finally {
      await server.stop()
    }
  } finally {
    await generator.stop()
  }
}
