import { Command } from 'commander'

import { RiverhookError } from '../index.ts'
import { countEncrypted, readEncryption, reencryptInbox } from '../programs.ts'
import { commandAct } from './audited.ts'
import { givenEncryption } from './config.ts'
import { inboxOption, withInbox } from './inbox.ts'
import { print, printError } from './output.ts'
import { counted, startProgress } from './print.ts'

/** `riverhook inbox encryption | reencrypt`. */
export function encryptionCommands(): Command[] {
  return [countCommand(), reencryptCommand()]
}

function countCommand(): Command {
  return new Command('encryption')
    .description('count the events by the keys that they are encrypted with; the server may be running')
    .addOption(inboxOption())
    .action(({ inbox: address }: { readonly inbox: string }) =>
      withInbox(address, async (inbox) => {
        const { events, quarantined } = await inbox.stats()
        const progress = await startProgress(events + quarantined, 'events')
        const counts = await countEncrypted(inbox, (count) => {
          progress.add(count)
        }).finally(() => {
          progress.stop()
        })
        for (const [key, count] of [...counts].sort()) print(`${key}: ${counted(count, 'event')}`)
        const writes = await readEncryption(inbox)
        print(writes === 'sealed' ? 'New events are encrypted.' : 'New events are in plain text.')
      })
    )
}

function reencryptCommand(): Command {
  return new Command('reencrypt')
    .description('encrypt all events with the first key, after the keys have changed; the server may be running')
    .option('--decrypt', 'store all events in plain text: the first line of the keys is "plain"')
    .addOption(inboxOption())
    .action(({ inbox: address, decrypt = false }: { readonly inbox: string; readonly decrypt?: boolean }) => {
      const { encryption } = givenEncryption()
      if (encryption === undefined)
        throw new RiverhookError('RIVERHOOK_CLI_USAGE', 'Give the keys of the server: RIVERHOOK_ENCRYPTION_KEYS_FILE')
      return withInbox(address, async (inbox) => {
        const writes = await readEncryption(inbox)
        if (writes === undefined) {
          throw new RiverhookError(
            'RIVERHOOK_CLI_USAGE',
            'The inbox is not encrypted: to begin, start its server with the keys, and run this again'
          )
        }
        if ((writes === 'plain') !== decrypt) {
          throw new RiverhookError(
            'RIVERHOOK_CLI_USAGE',
            decrypt
              ? 'New events are still encrypted: write the line "plain" before the first key, start the server with it, and run this again'
              : 'New events are in plain text: to store all others so, add --decrypt'
          )
        }
        const act = commandAct('inbox.reencrypt', decrypt ? 'all events, to plain text' : 'all events')
        // It may take minutes and be ended before its end, with a part of the events changed.
        await inbox.audit(act, { count: 0, outcome: 'begun' })
        const { events, quarantined } = await inbox.stats()
        const progress = await startProgress(events + quarantined, 'events')
        const { seen, changed, damaged } = await reencryptInbox(inbox, encryption, (count) => {
          progress.add(count)
        }).finally(() => {
          progress.stop()
        })
        await inbox.audit(act, { count: changed, outcome: `${changed} of ${seen} changed` })
        print(`${counted(changed, 'event')} of ${seen} changed.`)
        // Also after no change: a run that was killed may have left plain text in unused parts of the file.
        const rest = await inbox.scrub()
        if (rest !== undefined) print(`Of the former data: ${rest}.`)
        if (damaged.length === 0) return
        for (const { realm, id } of damaged.slice(0, 20)) printError(`Cannot be decrypted: ${realm} ${id}`)
        throw new RiverhookError(
          'RIVERHOOK_INBOX_DAMAGED',
          `${counted(damaged.length, 'event')} cannot be decrypted, and ${damaged.length === 1 ? 'stays as it is' : 'stay as they are'}. Keep all keys`
        )
      })
    })
}
