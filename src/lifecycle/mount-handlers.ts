import type { Log } from '../model/log.ts'
import { configuredForwards, type ForwardSettings } from '../forward/configured.ts'
import { exposedPaths } from '../handlers/exposed.ts'
import { loadHandlers } from '../handlers/load.ts'
import { Registry, type Handlers, type Registrar } from '../handlers/registry.ts'
import { defaultSource } from '../options/default-source.ts'
import { ownPackage } from '../options/own-package.ts'
import type { RiverhookOptions } from '../options/riverhook-options.ts'
import type { Source } from '../source/source.ts'

/** How long the files of handlers may take to load where no framework sets a limit, in milliseconds. */
export const handlersMs = 60_000

/** The options that handlers come from. */
export type HandlerSettings = ForwardSettings & Pick<RiverhookOptions, 'handlers'>

/** Registers the handlers of folders, and those that are values, in the order of the list; then those that forward. */
export async function mountHandlers(
  { handlers, forward, forwardSecret }: HandlerSettings,
  registrar: Registrar,
  { timeoutMs, log }: { readonly timeoutMs: number | undefined; readonly log?: Log | undefined }
): Promise<void> {
  for (const each of handlers === undefined ? [] : [handlers].flat()) {
    if (typeof each === 'string') {
      const files = await loadHandlers(each, registrar, { ...ownPackage, timeoutMs })
      if (log !== undefined) await tell(log, each, files)
    } else registrar.on(each)
  }
  const definitions = configuredForwards({ forward, forwardSecret })
  for (const each of definitions) registrar.on(each)
  if (log === undefined || definitions.length === 0) return
  const facts = { handlers: definitions.map(({ options, pattern }) => options.name ?? pattern) }
  if (forwardSecret === undefined)
    log.warn(
      facts,
      'forwarding events unsigned: their receivers cannot detect a forged one. Set RIVERHOOK_FORWARD_SECRET (forwardSecret)'
    )
  else log.info(facts, 'forwarding events, signed')
}

async function tell(log: Log, folder: string, files: Awaited<ReturnType<typeof loadHandlers>>): Promise<void> {
  log.info({ folder, files }, 'handlers loaded')
  const paths = await exposedPaths(folder)
  if (paths.length > 0)
    log.warn(
      { paths },
      'every user of this machine can write to the handlers and so run code in this process; run chmod o-w on these paths'
    )
}

/**
 * The handlers of the option `handlers`, without a receiver: for commands that need no inbox.
 * @param source the source of handlers that name none
 * @param forwards the options of handlers that forward
 * @throws {RiverhookError} RIVERHOOK_HANDLERS_LOAD
 */
export async function handlersIn(
  handlers: RiverhookOptions['handlers'],
  source: Pick<Source, 'name'> = defaultSource(),
  { forward, forwardSecret }: ForwardSettings = {}
): Promise<Handlers> {
  const registry = new Registry(source.name)
  await mountHandlers({ handlers, forward, forwardSecret }, registry.registrar(), { timeoutMs: handlersMs })
  registry.seal()
  return registry
}
