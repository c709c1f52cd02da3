/** The public surface: a list of names, nothing defined. */
export { default, openInbox, riverhook } from './plugin.ts'
export type { Health, Riverhook, RiverhookOptions } from './plugin.ts'
export { endpointSettings, pluginSettings, toMs } from './options.ts'
export type { BasicCredentials, EndpointOptions, Setting } from './options.ts'

export { defineHandler } from './handlers/define-handler.ts'
export { matches } from './handlers/pattern.ts'
export type {
  HandlerContext,
  HandlerDefinition,
  HandlerFunction,
  HandlerOptions,
  Registrar,
  RetryOptions,
  TypesOf
} from './handlers/registry.ts'

export { deliveryStates, eventStates } from './event.ts'
export type { DeliveryInfo, DeliveryState, Event, EventState, Outcome, Receipt } from './event.ts'
export { errorCodes, isPermanentError, isRetryLater, PermanentError, RetryLater, RiverhookError } from './errors.ts'
export type { RiverhookErrorCode } from './errors.ts'
export { channels } from './channels.ts'
export type { ChannelMessages, ReceivedMessage, RejectedMessage, SettledMessage } from './channels.ts'
export type { Log } from './log.ts'

export type { Rejection } from './receive/route.ts'

export { digitalRiver } from './source/digital-river/index.ts'
export type { Reading, Source, SourceRequest, Verdict, Verifier } from './source/source.ts'

export { memoryInbox } from './inbox/memory.ts'
export { sqliteInbox } from './inbox/sqlite/engine.ts'
export type { SqliteInboxOptions } from './inbox/sqlite/engine.ts'
export { isDeliveryState, replayHandlers, retryQuarantined, selectReplay } from './inbox/replay.ts'
export type { QuarantineResult, ReplayFilter, ReplayHandlers } from './inbox/replay.ts'
export type * from './inbox/inbox.ts'
export type { DeadLetter, FailedEvent, Failure, Tellers } from './deliver/report.ts'
