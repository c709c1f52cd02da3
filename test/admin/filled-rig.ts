import tap, { type Test } from 'tap'

import type { Scope } from '../../src/admin/index.ts'
import { defineHandler, PermanentError, type Inbox, type RiverhookOptions } from '../../src/index.ts'
import { whenSettled } from '../../src/testing/index.ts'
import { makeFolder } from '../folder.ts'
import type { EmptiedInboxes } from '../inbox/emptied-inboxes.ts'
import { emptiedSqlite, type EmptiedFile } from '../inbox/emptied-sqlite.ts'
import { event, post, secret } from '../receive/receiver.ts'
import { startAdmin, type Call, type Rig } from './rig.ts'

export interface FilledRig extends Rig {
  readonly inbox: Inbox
  /** Its address: a command can open it beside the server. */
  readonly address: string
  /** Sends an event to the receiver, and waits for the end of its deliveries. */
  send(body: Buffer, id?: string): Promise<void>
  /** Reads the JSON of a route. Default scope: read. */
  json(path: string, call?: Call): Promise<Json>
}

export interface Json {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** The scopes of somebody who may do everything. */
export const everything: readonly Scope[] = ['read', 'reveal', 'operate', 'erase']

export const realm = 'digital-river'

/** An event about a resource. */
export const about = (id: string, object: object, type = 'order.accepted'): Buffer =>
  event({ id, type, data: { object } })

/** Most tests only need an inbox that has a file: its threads would take longer to start than the test. */
let files: EmptiedInboxes<EmptiedFile> | undefined

/**
 * The operator's API on an inbox with events e1 and e2 about the order O-1, e3 about its refund, and a quarantined
 * request. `mail` has handled all of them; `erp` gives up on orders.
 * @param given the address of its inbox; default: an empty SQLite file
 * @param receiver more options of the receiver
 */
export async function startFilled(t: Test, given?: string, receiver: RiverhookOptions = {}): Promise<FilledRig> {
  const file = given === undefined ? await (files ??= emptiedSqlite(tap, makeFolder(tap))).lend(Date.now) : undefined
  const address = given ?? `sqlite:${file?.path ?? ''}`
  const rig = await startAdmin(t, {
    receiver: {
      inbox: file?.inbox ?? address,
      secrets: secret,
      path: '/hook',
      handlers: [
        defineHandler('*', { name: 'mail' }, () => undefined),
        defineHandler('order.*', { name: 'erp', orderBy: ({ id }) => id }, ({ id }) => {
          throw new PermanentError(`the ERP has no order ${id}`)
        })
      ],
      ...receiver
    }
  })
  const { inbox } = rig.app.riverhook
  const url = new URL('/hook', rig.api).href
  const send = async (body: Buffer, id?: string): Promise<void> => {
    const { status } = await post(url, body)
    t.equal(status, id === undefined ? 400 : 202)
    if (id !== undefined) await whenSettled(inbox, id, { deliveries: 1 })
  }
  await send(about('e1', { id: 'O-1', total: 1, email: 'buyer@x.example' }), 'e1')
  await send(about('e2', { id: 'O-1', total: 2, email: 'buyer@x.example' }), 'e2')
  await send(about('e3', { id: 'R-1', orderId: 'O-1' }, 'refund.complete'), 'e3')
  await send(Buffer.from('{"no":"event"}'))
  return { ...rig, inbox, address, send, json: (path, call) => readJson(rig, path, call) }
}

async function readJson(rig: Rig, path: string, call: Call = {}): Promise<Json> {
  const answer = await rig.call(path, { scopes: ['read'], ...call })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}
