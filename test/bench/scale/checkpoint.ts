import { run } from '../../inbox/postgres-server.ts'

/** The size of the log after which a server with `max_wal_size=4GB` begins a checkpoint. */
const walBytes = (4 * 2 ** 30) / 1.9

/** The settings of a server that two inboxes use in turn: twice the log. Only its size ends a cycle. */
export const checkpointSettings = ['max_wal_size=8GB', 'checkpoint_timeout=1h', 'fsync=on', 'full_page_writes=on']

/**
 * The time from a checkpoint until the next one is due. PostgreSQL writes a page to its log as a whole when it changes
 * for the first time after a checkpoint: so recording is slow at first, and then gets faster.
 */
export class CheckpointCycle {
  readonly #address: string
  readonly #from: string

  private constructor(address: string, from: string) {
    this.#address = address
    this.#from = from
  }

  /** @param address of a database of the server */
  static async begin(address: string): Promise<CheckpointCycle> {
    await run(address, 'CHECKPOINT')
    const [row] = await run(address, 'SELECT pg_current_wal_lsn()::text AS place')
    return new CheckpointCycle(address, String(row?.['place']))
  }

  async isOver(): Promise<boolean> {
    const [row] = await run(this.#address, `SELECT pg_current_wal_lsn() - '${this.#from}' AS bytes`)
    return Number(row?.['bytes']) > 2 * walBytes
  }
}
