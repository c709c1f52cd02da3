import type { AuditEntry } from '../../model/audit.ts'
import type { EventKey } from '../../model/event.ts'
import type * as contract from '../inbox.ts'
import { isSettled, newSigningKey } from '../rows.ts'
import { TallyCounts } from '../tally.ts'
import { Lines } from './order.ts'
import { keyText, type AlarmRow, type Delivery, type JobRow, type Row } from './rows.ts'

/** All data of one inbox. */
export class Store {
  /** By `keyText`, in the order of arrival. */
  readonly rows = new Map<string, Row>()
  /** By id. */
  readonly deliveries = new Map<number, Delivery>()
  readonly lines = new Lines()
  /** By realm and name. */
  readonly watermarks = new Map<string, contract.Watermark>()
  /** By kind. */
  readonly mismatches = new Map<string, contract.Mismatch>()
  /** By handler. */
  readonly pauses = new Map<string, contract.Pause>()
  readonly tally = new TallyCounts()
  /** In the order of `seq`. */
  readonly audits: AuditEntry[] = []
  /** By id, in the order in which they were added. */
  readonly jobs = new Map<number, JobRow>()
  readonly signingKey = newSigningKey()
  handlers: readonly contract.HandlerRecord[] = []
  alarms: AlarmRow | undefined
  /** By condition, subject and time. */
  readonly acknowledged = new Map<string, contract.AcknowledgedAlarm>()
  encryption: string | undefined
  lastSeq = 0
  lastDeliveryId = 0
  lastAuditSeq = 0
  lastJobId = 0

  find(key: EventKey): Row | undefined {
    return this.rows.get(keyText(key))
  }

  /** Adds a delivery, and puts it in its line if it is not settled. */
  add(delivery: Delivery): void {
    delivery.row.deliveries.push(delivery)
    this.deliveries.set(delivery.id, delivery)
    if (isSettled(delivery)) return
    this.lines.add(delivery)
    this.lines.lineUp(delivery)
  }

  /** Deletes an event with its deliveries, and lets the deliveries continue that waited for them. */
  drop(row: Row): void {
    this.rows.delete(keyText(row.arrival))
    this.dropDeliveries(row, () => true)
  }

  /** Deletes deliveries of an event, and lets those continue that waited for them. */
  dropDeliveries(row: Row, isDropped: (delivery: Delivery) => boolean): void {
    for (const delivery of row.deliveries.filter(isDropped)) {
      row.deliveries.splice(row.deliveries.indexOf(delivery), 1)
      this.deliveries.delete(delivery.id)
      this.lines.delete(delivery)
      this.lines.lineUp(delivery)
    }
  }

  /** True if a handler has the delivery's name and is for events of its event's source. */
  hasHandler({ handler, row }: Delivery): boolean {
    return this.handlers.some(({ name, source }) => name === handler && source === row.arrival.source)
  }

  /** The unsettled deliveries of a handler. */
  unsettled({ name, source }: contract.HandlerName): Delivery[] {
    return [...this.lines.of(name)].filter(({ row }) => row.arrival.source === source)
  }
}
