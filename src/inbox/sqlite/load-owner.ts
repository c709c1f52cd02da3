import { ownModule } from '../../model/own-place.ts'
import type { FileOwner } from './file-owner.ts'

/** As a thread, it shares no object with the rest, and has its own file in the published package. */
export async function loadOwner(): Promise<typeof FileOwner> {
  const loaded = (await import(ownModule('inbox/sqlite/file-owner').href)) as { readonly FileOwner: typeof FileOwner }
  return loaded.FileOwner
}
