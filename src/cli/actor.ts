import { randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'

import type { Actor } from '../index.ts'

let actor: Actor | undefined

/** The user who runs this command, on this machine. */
export function commandActor(): Actor {
  return (actor ??= { name: `${userName()}@${hostname()}`, via: 'command', requestId: randomUUID() })
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run with a number that has no name.
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}
