/**
 * The values that the programs of this package (server, commands, test kit) use in addition to the public surface. Not
 * exported by the package.
 */
export { composeCommand, type CommandParts } from './command.ts'
export { sendTestAlarm } from './lifecycle/alarm-sender.ts'
export { listAlarms } from './lifecycle/alarms.ts'
export { beginExport } from './lifecycle/export-events.ts'
export { firstSecret } from './lifecycle/managed.ts'
export { handlersIn } from './lifecycle/mount-handlers.ts'
export { recordReveal, recordSearch } from './lifecycle/reveal.ts'
export { recordedHandlers, type KnownOfSource } from './lifecycle/known-handlers.ts'
export { describeAddress } from './inbox/address.ts'
export { eventPages } from './inbox/event-pages.ts'
export {
  checkInboxAddress,
  countEncrypted,
  isSameInbox,
  openPlain,
  readEncryption,
  reencryptInbox
} from './inbox/open-inbox.ts'
export { createRegistry } from './observe/metrics/metering.ts'
export { endpointSettings, pluginSettings } from './options/settings.ts'
export { AddressList, readRange } from './model/address-list.ts'
export { errorText } from './model/error-text.ts'
export { delay } from './model/timers.ts'
export { ownExtension, ownFolder, readOwnJson } from './model/own-place.ts'
export { readInstant, spanProblem, toMs } from './model/span.ts'
export { unknownTypeHint } from './handlers/event-type.ts'
export { matches } from './model/pattern.ts'
export { readKeySearch, toSearchKeys } from './model/search-keys.ts'
export { readBodyText } from './model/body-text.ts'
export { packageVersion } from './runtime.ts'
export {
  findPending,
  findStats,
  mostFailedRead,
  type FoundStats,
  type LastDay,
  type Pending
} from './inbox/find-stats.ts'
export { countOpen, findErasable, findRemovable, type FoundEvents } from './inbox/find-seen.ts'
export { describeStates } from './inbox/seen-states.ts'
export { listHandlers, unfinishedStates, type ListedHandler } from './inbox/list-handlers.ts'
export { readSecretValue, valueIn } from './model/value-text.ts'
export { shellWord } from './model/shell-word.ts'
export { visible } from './model/visible.ts'
export { describePlan } from './manage/registration/plan.ts'
export { wantedTypes } from './manage/registration/wanted-types.ts'
export { apiOf, modeWarnings, ownFieldsOf, planWebhook, syncWebhook } from './manage/registration/registration.ts'
export { defaultPathOf } from './options/default-names.ts'
export { parseExactJson } from './source/exact-json.ts'
export { registeredOauth } from './options/registered-oauth.ts'
export { keptHeaders } from './source/kept-headers.ts'
export { syncResult } from './inbox/act-results.ts'
export { isDeliveryState } from './inbox/replay.ts'
export { conditionForm, readCondition } from './model/where.ts'
export { hideAbout, reviveFilter } from './model/job.ts'
export * as optionRules from './model/option-rules.ts'
