/** The public surface: a list of names, nothing defined. */
import './require-runtime.ts'

export type { PayloadRefusalOptions } from './payload/refusals.ts'
export { default, riverhook } from './plugin.ts'
export { createRiverhook } from './riverhook.ts'

export { backupInbox, migrationSql, openInbox, restoreInbox } from './inbox/open-inbox.ts'
export type { BackupContent, OpenInboxOptions, RestoredInbox } from './inbox/open-inbox.ts'
export type { EncryptionOptions } from './model/encryption-keys.ts'
export type {
  AcknowledgeOptions,
  ActOptions,
  BackfillSpan,
  CommandRiverhook,
  CreateOptions,
  EraseOptions,
  Erasure,
  ReceiveAnswer,
  ReceiveRequest,
  Riverhook,
  RemoveOptions,
  EventTrace,
  MaskedEvent,
  MaskedSummary,
  ReplayPlan,
  StartReplayOptions,
  SyncRegistrationOptions
} from './riverhook.ts'
export { defineConfig } from './options/config-file.ts'
export type { RiverhookConfig } from './options/config-file.ts'
export type { AlarmOptions, RiverhookOptions, SearchOptions } from './options/riverhook-options.ts'
export type { DrainOptions } from './lifecycle/draining.ts'
export type { Health, HealthWarnings } from './lifecycle/readiness.ts'

export type { SpanBounds } from './model/span.ts'
export type {
  BackfillOptions,
  BasicCredentials,
  EndpointOptions,
  RegisterOptions,
  TokenClient,
  TokenEndpointOptions
} from './options/endpoint-options.ts'
export type { Setting } from './options/setting.ts'

export { defineHandler, forward } from './options/default-source.ts'
export type { ForwardOptions } from './forward/forward.ts'
export type {
  EventOf,
  HandlerContext,
  HandlerFunction,
  HandlerOptions,
  OwnSchemaOptions,
  Registrar,
  TypesOf
} from './options/default-source.ts'
export { eventType } from './handlers/event-type.ts'

export type {
  Handler,
  HandlerDefinition,
  Handlers,
  RetryOptions,
  SourceHandlers,
  SourceRegistrar
} from './handlers/registry.ts'

export type { Act, Actor, ActorOrigin, ActResult, AuditEntry } from './model/audit.ts'
export { deliveryStates, eventStates } from './model/event.ts'
export type {
  AnyEvent,
  CustomEventType,
  DeliveryInfo,
  DeliveryState,
  EventKey,
  EventState,
  InboxTransaction,
  InboxTransactions,
  KeptHeaders,
  Outcome,
  Receipt
} from './model/event.ts'
export type {
  DigitalRiverEvent,
  DigitalRiverPayloads,
  Event,
  KnownEventType,
  PayloadOf,
  PreviousAttributes
} from './source/digital-river/event.ts'
export { alarmNames } from './model/alarm.ts'
export type {
  Alarm,
  AlarmChange,
  AlarmChangeKind,
  AlarmKey,
  AlarmLevel,
  AlarmName,
  ListedAlarm
} from './model/alarm.ts'
export { tallyKinds } from './model/tally.ts'
export type { CountedRequests, TallyKind, TallyQuery, TallyRow } from './model/tally.ts'
export { errorText, loggedError } from './model/error-text.ts'
export type { LoggedError } from './model/error-text.ts'
export {
  errorCodes,
  isPermanentError,
  isRetryLater,
  PermanentError,
  RetryLater,
  RiverhookError
} from './model/errors.ts'
export type { RiverhookErrorCode } from './model/errors.ts'
export { channels } from './model/channels.ts'
export type {
  AnsweredMessage,
  AuditedMessage,
  BackfilledMessage,
  ChannelMessages,
  CommittedMessage,
  DriftMessage,
  PurgedMessage,
  ReceivedMessage,
  RegistrationMessage,
  RejectedMessage,
  SettledMessage
} from './model/channels.ts'
export type { Job, JobState, NewJob, ReplayFilter } from './model/job.ts'
export type { Log } from './model/log.ts'

export type { MetricsOptions } from './observe/metrics/metering.ts'
export type { TraceOptions } from './observe/traces/traces.ts'
export type { Rejection } from './receive/rejections.ts'

export type { BackfillReport, BackfillRequest } from './manage/backfill/backfill.ts'

export type { RegistrationChange, RegistrationStatus, RegistrationSync } from './manage/registration/watch.ts'

export type { Plan, PlanLine } from './manage/registration/plan.ts'

export type { RegistrationSettings } from './manage/registration/registration.ts'
export type { SyncResult } from './manage/registration/sync.ts'
export type { Interest } from './manage/registration/wanted-types.ts'

export { digitalRiver } from './source/digital-river/index.ts'
export type { DigitalRiverSource } from './source/digital-river/index.ts'
export { DigitalRiverClient } from './source/digital-river/api/client.ts'
export type { DigitalRiverClientOptions } from './source/digital-river/api/client.ts'
export type { DigitalRiverEvents, EventsPage } from './source/digital-river/api/events.ts'
export type { EventsFilter, EventsPageFilter, Instant } from './source/digital-river/api/events-query.ts'
export type { DigitalRiverWebhooks } from './source/digital-river/api/webhooks.ts'
export { DigitalRiverApiError } from './source/digital-river/api/api-error.ts'
export type { ApiErrorDetail } from './source/digital-river/api/api-error.ts'
export type {
  ListedEvent,
  Webhook,
  WebhookAuthentication,
  WebhookChanges,
  WebhookOauth,
  WebhookRequest,
  WebhooksFilter
} from './source/digital-river/api/models.ts'
export { catalogue } from './source/digital-river/catalogue.ts'
export type { Basis, CatalogueEntry } from './source/digital-river/catalogue.ts'
export { eventTypes } from './source/digital-river/event-types.ts'
export { orderIdOf, resourceIdOf } from './source/digital-river/resource-id.ts'
export { schemaOf } from './source/digital-river/schema-of.ts'

export type {
  Answer,
  ApiOptions,
  EventsOf,
  IncomingRequest,
  ListedRange,
  CreatedRegistration,
  NewRegistration,
  Precheck,
  Prepared,
  Reading,
  Recorded,
  Registration,
  RegistrationGiven,
  RegistrationRules,
  SampleInput,
  SignInput,
  Source,
  SourceApi,
  SourceLimits,
  SourceRequest,
  Verdict,
  Verifier
} from './source/source.ts'

export { copyInbox } from './inbox/copy.ts'
export type { CopyOptions, CopyReport } from './inbox/copy.ts'
export { memoryInbox } from './inbox/memory/engine.ts'
export { postgresInbox } from './inbox/postgres/engine.ts'
export type { PostgresInboxOptions } from './inbox/postgres/options.ts'
export { sqliteInbox } from './inbox/sqlite/engine.ts'
export type { SqliteInboxOptions } from './inbox/sqlite/engine.ts'

export type { FailureGroup, Failures, FailuresRequest } from './inbox/failures.ts'
export type {
  QuarantineReading,
  QuarantineResult
} from './inbox/replay.ts'
export type * from './inbox/inbox.ts'
export type { DeadLetter, FailedEvent, Failure, DeliveryCallbacks } from './deliver/report.ts'
