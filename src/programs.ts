/**
 * The values that the programs of this package (server, commands, test kit) use in addition to the public surface. Not
 * exported by the package.
 */
export { composeCommand, type CommandParts } from './command.ts'
export { firstSecret } from './lifecycle/managed.ts'
export { handlersIn } from './lifecycle/mount-handlers.ts'
export { recordedHandlers, type KnownOfSource } from './lifecycle/known-handlers.ts'
export { describeAddress } from './inbox/address.ts'
export { isSameInbox } from './inbox/open-inbox.ts'
export { endpointSettings, pluginSettings } from './options/settings.ts'
export { spanProblem, toMs } from './model/span.ts'
export { unknownTypeHint } from './handlers/event-type.ts'
export { matches } from './model/pattern.ts'
export { readKeySearch, toSearchKeys } from './model/search-keys.ts'
export { valueIn } from './model/value-text.ts'
export { visible } from './model/visible.ts'
export { describePlan } from './manage/registration/plan.ts'
export { apiOf, modeWarnings, ownFieldsOf, planWebhook, syncWebhook } from './manage/registration/registration.ts'
export { defaultPathOf } from './options/default-names.ts'
export { keptHeaders } from './source/kept-headers.ts'
export { isDeliveryState } from './inbox/replay.ts'
export * as optionRules from './model/option-rules.ts'
