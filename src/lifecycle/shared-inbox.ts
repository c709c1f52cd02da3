import type { Inbox } from '../inbox/inbox.ts'
import { requireKeys } from '../inbox/open-inbox.ts'

/** How many receivers of this process have opened an inbox: a server and commands may be given the same object. */
const users = new WeakMap<Inbox, number>()

/** True while a receiver of this process has the inbox open. */
export function isShared(inbox: Inbox): boolean {
  return users.has(inbox)
}

/** Opens an inbox for one receiver. Each successful call needs one `closeShared()`. @throws as `Inbox.open` */
export async function openShared(inbox: Inbox): Promise<void> {
  users.set(inbox, (users.get(inbox) ?? 0) + 1)
  try {
    await inbox.open()
    await requireKeys(inbox)
  } catch (error) {
    // The error of the opening says more than one of the closing.
    await closeShared(inbox).catch(() => undefined)
    throw error
  }
}

/** Closes an inbox when the last of its receivers has ended. */
export async function closeShared(inbox: Inbox): Promise<void> {
  const left = (users.get(inbox) ?? 1) - 1
  if (left > 0) {
    users.set(inbox, left)
    return
  }
  users.delete(inbox)
  await inbox.close()
}
