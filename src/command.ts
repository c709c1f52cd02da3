import type { Log } from './model/log.ts'
import { RiverhookError } from './model/errors.ts'
import { checkBackfillSpan } from './inbox/check.ts'
import type { CommandRiverhook } from './interface.ts'
import { recordedHandlers, registeredHandlers, type KnownHandlers } from './lifecycle/known-handlers.ts'
import { handlersMs } from './lifecycle/mount-handlers.ts'
import { makeParts } from './lifecycle/parts.ts'
import { pauseHandler, resumeHandler } from './lifecycle/pausing.ts'
import type { Recovery } from './lifecycle/recovery.ts'
import type { Registrar } from './options/default-source.ts'
import type { RiverhookOptions } from './options/riverhook-options.ts'

/** A receiver with `role: 'command'` in parts, for commands that show what they are about to do. */
export interface CommandParts {
  readonly riverhook: CommandRiverhook
  readonly recovery: Recovery
}

/** Makes a receiver that opens the inbox beside a running server, and neither receives nor delivers. */
export function composeCommand(options: RiverhookOptions, log: Log): CommandParts {
  let known: KnownHandlers | undefined
  let started: Promise<void> | undefined
  let stopped: Promise<void> | undefined
  const { inbox, registry, drift, managed, recovery, load } = makeParts(options, {
    log,
    prefix: '',
    role: 'command',
    handlers: () => {
      if (known === undefined) throw new RiverhookError('RIVERHOOK_INBOX_CLOSED', 'The inbox is not open yet')
      return known
    }
  })
  const riverhook: CommandRiverhook = {
    ...(registry.registrar() as Registrar),
    inbox,
    start: () => (started ??= start()),
    stop: () => (stopped ??= stop()),
    replay: (filter) => recovery.replay(filter),
    retryQuarantined: (id) => recovery.retry(id),
    pauseHandler: (name) => pauseHandler(inbox, registry.all, name),
    resumeHandler: (name) => resumeHandler(inbox, registry.all, name),
    backfill: (span) => managed.backfill(checkBackfillSpan(span))
  }
  return { riverhook, recovery }

  async function start(): Promise<void> {
    await load(handlersMs)
    registry.seal()
    await inbox.open()
    const isGiven = options.handlers !== undefined || registry.all.length > 0
    known = isGiven ? registeredHandlers(registry, log) : recordedHandlers(await inbox.handlers())
  }

  async function stop(): Promise<void> {
    await started?.catch(() => undefined)
    await drift.end()
    await inbox.close()
  }
}
