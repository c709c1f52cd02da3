import type { Actor } from './model/audit.ts'
import type { Log } from './model/log.ts'
import { RiverhookError } from './model/errors.ts'
import { findFailures } from './inbox/failures.ts'
import { checkBackfillSpan } from './inbox/check.ts'
import type { HandlerRecord } from './inbox/inbox.ts'
import type { CommandRiverhook } from './interface.ts'
import { acknowledgeMismatches } from './lifecycle/acknowledging.ts'
import { acknowledgeAlarms, listAlarms } from './lifecycle/alarms.ts'
import { traceOf } from './lifecycle/event-trace.ts'
import { givenHandlers, recordedHandlers, type KnownHandlers } from './lifecycle/known-handlers.ts'
import { handlersMs } from './lifecycle/mount-handlers.ts'
import { maskEvent, maskError, maskSummaries } from './lifecycle/masked-event.ts'
import { makeParts } from './lifecycle/parts.ts'
import type { Audit } from './lifecycle/audit.ts'
import { pauseHandler, resumeHandler } from './lifecycle/pausing.ts'
import type { Recovery } from './lifecycle/recovery.ts'
import { eraseEvents, removeEvents } from './lifecycle/removal.ts'
import { checkServed } from './lifecycle/served-realms.ts'
import { closeShared, isShared, openShared } from './lifecycle/shared-inbox.ts'
import type { Registrar } from './options/default-source.ts'
import type { RiverhookOptions } from './options/riverhook-options.ts'
import { packageVersion } from './runtime.ts'

/** A receiver with `role: 'command'` in parts, for commands that show what they are about to do. */
export interface CommandParts {
  readonly riverhook: CommandRiverhook
  readonly recovery: Recovery
  readonly audit: Audit
}

/**
 * Makes a receiver that opens the inbox beside a running server, and neither receives nor delivers. The commands of the
 * command line, which use it, are listed in `cli/program.ts`.
 */
export function composeCommand(
  options: RiverhookOptions,
  {
    log,
    actor,
    isAlone
  }: {
    readonly log: Log
    readonly actor?: Actor | undefined
    /** True if the process does nothing else. */
    readonly isAlone?: boolean
  }
): CommandParts {
  let known: KnownHandlers | undefined
  let started: Promise<void> | undefined
  let stopped: Promise<void> | undefined
  let isOpen = false
  const { inbox, registry, sources, drift, managed, audit, recovery, checkFilter, replays, traces, load } = makeParts(
    options,
    {
      log,
      prefix: '',
      role: 'command',
      isAlone,
      actor,
      handlers: current
    }
  )
  const riverhook: CommandRiverhook = {
    ...(registry.registrar() as Registrar),
    inbox,
    async start() {
      if (stopped !== undefined) throw ended()
      await (started ??= start())
    },
    stop: () => (stopped ??= stop()),
    async pauseHandler(name, how) {
      current()
      await pauseHandler({ inbox, audit, own: registry.all }, name, how)
    },
    async resumeHandler(name, how) {
      current()
      return resumeHandler({ inbox, audit, own: registry.all }, name, how)
    },
    async checkFilter(filter) {
      current()
      await checkFilter(filter)
    },
    async planReplay(filter, how) {
      await refresh()
      return replays.plan(filter, how)
    },
    async startReplay(filter, how) {
      await refresh()
      return replays.start(filter, how)
    },
    async jobs({ limit } = {}) {
      current()
      return replays.list(limit)
    },
    async job(id) {
      current()
      return replays.find(id)
    },
    async stopJob(id, how) {
      current()
      return replays.stop(id, how)
    },
    async replay(filter, { by } = {}) {
      await refresh()
      return replays.replay(filter, by)
    },
    async retryQuarantined(id, { by } = {}) {
      await refresh()
      return recovery.retry(id, by)
    },
    async removeEvents(keys, how) {
      current()
      return removeEvents({ inbox, audit }, keys, how)
    },
    async acknowledgeMismatches(kinds, how) {
      current()
      return acknowledgeMismatches({ inbox, audit }, kinds, how)
    },
    alarms: () => listAlarms(inbox),
    async acknowledgeAlarms(alarms, how) {
      current()
      return acknowledgeAlarms({ inbox, audit }, alarms, how)
    },
    async eraseEvents(keys, how) {
      current()
      return eraseEvents({ inbox, audit }, keys, how)
    },
    failures: (request) => findFailures(inbox, request, (failure) => maskError(sources, inbox, failure)),
    mask: (event) => maskEvent(sources, event),
    maskList: (events) => maskSummaries(sources, inbox, events),
    traceOf: (event) => traceOf(event, options.trace?.url),
    async backfill(span, { by } = {}) {
      await refresh()
      return managed.backfill(checkBackfillSpan(span), { by, check: (endpoint) => checkServed(inbox, endpoint) })
    }
  }
  return { riverhook, recovery, audit }

  async function start(): Promise<void> {
    await load(handlersMs)
    registry.seal()
    // A server's inbox has a lock or a heartbeat: here it would keep the server from starting, or count as a server.
    if (inbox.role === 'server' && !isShared(inbox)) throw ofServer(inbox.name)
    await openShared(inbox)
    isOpen = true
    await traces.start({ version: packageVersion(), inbox, log })
    try {
      const records = await inbox.handlers()
      sources.checkHandlers(registry.all, records)
      known = listKnown(records)
    } catch (error) {
      await close()
      throw error
    }
  }

  /** The server may have been started with other handlers since. */
  async function refresh(): Promise<void> {
    current()
    known = listKnown(await inbox.handlers())
  }

  function current(): KnownHandlers {
    if (stopped !== undefined) throw ended()
    if (known !== undefined) return known
    throw new RiverhookError('RIVERHOOK_INBOX_CLOSED', 'The inbox is not open yet: await start() first')
  }

  function listKnown(records: readonly HandlerRecord[]): KnownHandlers {
    const isGiven = options.handlers !== undefined || registry.all.length > 0
    return isGiven ? givenHandlers(registry, records) : recordedHandlers(records)
  }

  async function stop(): Promise<void> {
    await started?.catch(() => undefined)
    await replays.end()
    await drift.end()
    await close()
  }

  /** Closes the inbox only if it was opened here: otherwise it may be another receiver's. */
  async function close(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    await closeShared(inbox)
  }
}

function ended(): RiverhookError {
  return new RiverhookError('RIVERHOOK_INBOX_CLOSED', 'This receiver was stopped; create another one')
}

function ofServer(engine: string): RiverhookError {
  return new RiverhookError(
    'RIVERHOOK_OPTIONS_INVALID',
    `Option "inbox" is a ${engine} inbox for a server, which is not open in this process. For a command, pass its ` +
      `address, or make it with ${engine}Inbox({ ..., role: 'command' })`
  )
}
