import type { AlarmKey } from '../model/alarm.ts'
import { actorOrigins, type Act, type Actor, type ActResult } from '../model/audit.ts'
import { deliveryStates, eventStates, type EventKey } from '../model/event.ts'
import type { NewJob, ReplayFilter } from '../model/job.ts'
import { readKeySearch, toSearchKeys } from '../model/search-keys.ts'
import { tallyKinds, type CountedRequests, type TallyQuery } from '../model/tally.ts'
import { conditionForm, mostConditions, readCondition } from '../model/where.ts'
import { shorten } from '../model/shorten.ts'
import {
  among,
  checkFields,
  checkKeys,
  checkList,
  count,
  flag,
  instant,
  invalid,
  list,
  type Rule,
  type Rules,
  size,
  text,
  whole
} from './check-rules.ts'
import type {
  Admission,
  AlarmHold,
  AlarmSave,
  AuditFilter,
  AuditPruneRequest,
  ClaimRequest,
  EventFilter,
  EventStates,
  IndexEntry,
  JobClaim,
  JobLease,
  JobsRequest,
  MismatchKind,
  PruneRequest,
  PruneTallyRequest,
  RemovalTarget,
  ReplayTarget
} from './inbox.ts'

/**
 * Run-time checks of the values that callers pass to an inbox: TypeScript does not check a query string or a JSON body.
 * Every engine calls these first and uses only the returned values, so that each value is read once.
 */

/** In characters. */
const longestErrorText = 500

const state: Rule = (value) =>
  ([...deliveryStates, ...eventStates] as unknown[]).includes(value)
    ? undefined
    : `must be one of ${[...deliveryStates, ...eventStates].join(', ')}`
const about: Rule = (value) =>
  typeof value === 'string' && readKeySearch(value) !== undefined
    ? undefined
    : 'must be a text of 1 to 200 characters, or at least 3 characters and a * at the end'
const where: Rule = (value) => {
  if (!Array.isArray(value) || value.length > mostConditions)
    return `must be a list of at most ${mostConditions} conditions`
  const isFault = (each: unknown): boolean => typeof each !== 'string' || readCondition(each) === undefined
  const index = value.findIndex(isFault)
  return index === -1 ? undefined : `[${index}] ${conditionForm}`
}
const object: Rule = (value) => (typeof value === 'object' && value !== null ? undefined : 'must be an object')

const error: Rule = (value) =>
  typeof value === 'string' && value.trim() !== '' && value.length <= longestErrorText
    ? undefined
    : `must be a text of 1 to ${longestErrorText} characters`
const position: Rule = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : 'must be `next` of a page, or a `position()`'
const eventKey: Rules = { realm: { rule: text, isRequired: true }, id: { rule: text, isRequired: true } }
/** An object with the key of an event. It may have other fields too. */
const key: Rule = (value) =>
  Object.entries(eventKey).every(
    ([name, { rule }]) => rule((value as Record<string, unknown> | null)?.[name]) === undefined
  )
    ? undefined
    : 'must name an event by "realm" and "id", both strings'

/** The most events that a replay may name. */
const mostChosen = 200
const chosen: Rule = (value) =>
  Array.isArray(value) &&
  value.length >= 1 &&
  value.length <= mostChosen &&
  value.every((each) => key(each) === undefined)
    ? undefined
    : `must be a list of 1 to ${mostChosen} events, each with "realm" and "id", both strings`

const narrowing = {
  id: { rule: text },
  about: { rule: about },
  realm: { rule: text },
  source: { rule: text },
  type: { rule: text },
  endpoint: { rule: text },
  live: { rule: flag },
  state: { rule: state },
  handler: { rule: text },
  error: { rule: error },
  where: { rule: where },
  since: { rule: instant },
  until: { rule: instant }
} as const
const eventFilter: Rules = {
  ...narrowing,
  limit: { rule: whole(1, 1000), isRequired: true },
  after: { rule: position },
  upTo: { rule: position },
  oldestFirst: { rule: flag }
}
const replayFilter: Rules = { ...narrowing, events: { rule: chosen }, includeDone: { rule: flag } }
const replayTarget: Rules = {
  event: { rule: key, isRequired: true },
  handler: { rule: text, isRequired: true },
  orderKey: { rule: text },
  unlessDone: { rule: flag },
  dueInMs: { rule: whole(0, 600_000) }
}
const pruneRequest: Rules = {
  before: { rule: instant, isRequired: true },
  deadBefore: { rule: instant },
  quarantinedBefore: { rule: instant },
  limit: { rule: whole(1, 100_000), isRequired: true },
  after: { rule: position }
}
const auditFilter: Rules = {
  limit: { rule: whole(1, 1000), isRequired: true },
  after: { rule: position },
  since: { rule: instant }
}
const failedRequest: Rules = { limit: { rule: whole(1, 10_000), isRequired: true } }
const failuresRequest: Rules = {
  handler: { rule: text },
  since: { rule: instant },
  limit: { rule: whole(1, 1000) }
}
const auditPruneRequest: Rules = {
  before: { rule: instant, isRequired: true },
  limit: { rule: whole(1, 100_000), isRequired: true }
}
const admission: Rules = {
  request: { rule: key, isRequired: true },
  id: { rule: text, isRequired: true },
  type: { rule: text, isRequired: true },
  liveMode: { rule: flag },
  createdTime: { rule: text },
  about: { rule: list },
  resource: { rule: text },
  deliveries: { rule: list, isRequired: true }
}
const mismatchKind: Rules = {
  realm: { rule: text, isRequired: true },
  type: { rule: text, isRequired: true },
  path: { rule: text, isRequired: true },
  rule: { rule: text, isRequired: true },
  handler: { rule: text, isRequired: true }
}
const indexEntry: Rules = {
  event: { rule: key, isRequired: true },
  about: { rule: list, isRequired: true },
  resource: { rule: text }
}
const seenEvent: Rules = {
  state: { rule: among(eventStates), isRequired: true },
  deliveries: { rule: list, isRequired: true }
}
const seenDelivery: Rules = {
  handler: { rule: text, isRequired: true },
  state: { rule: among(deliveryStates), isRequired: true }
}
const int32 = whole(0, 2 ** 31 - 1)
const idempotencyKey: Rule = (value) =>
  typeof value === 'string' && /^[\x21-\x7e]{1,200}$/.test(value)
    ? undefined
    : 'must be 1 to 200 printable ASCII characters without spaces'
const newJob: Rules = {
  kind: { rule: among(['replay']), isRequired: true },
  filter: { rule: object, isRequired: true },
  includeDone: { rule: flag, isRequired: true },
  upTo: { rule: position, isRequired: true },
  limit: { rule: whole(1, Number.MAX_SAFE_INTEGER) },
  ratePerSecond: { rule: whole(1, 10_000) },
  planned: { rule: int32, isRequired: true },
  idempotencyKey: { rule: idempotencyKey },
  trace: { rule: text },
  hiddenDigest: { rule: text },
  hidden: { rule: text },
  actor: { rule: object, isRequired: true }
}
const startOptions: Rules = {
  upTo: { rule: position },
  planned: { rule: int32 },
  limit: { rule: whole(1, Number.MAX_SAFE_INTEGER) },
  ratePerSecond: { rule: whole(1, 10_000) },
  idempotencyKey: { rule: idempotencyKey },
  by: { rule: object }
}
const jobsRequest: Rules = { limit: { rule: whole(1, 1000), isRequired: true }, before: { rule: size } }
const jobLease: Rules = {
  id: { rule: size, isRequired: true },
  token: { rule: size, isRequired: true },
  leaseMs: { rule: whole(1, 600_000), isRequired: true }
}
const jobClaim: Rules = {
  owner: { rule: text, isRequired: true },
  leaseMs: { rule: whole(1, 600_000), isRequired: true },
  id: { rule: size }
}
const alarmHold: Rules = {
  owner: { rule: text, isRequired: true },
  leaseMs: { rule: whole(1, 600_000), isRequired: true }
}
const alarmSave: Rules = {
  token: { rule: size, isRequired: true },
  leaseMs: { rule: whole(0, 600_000), isRequired: true },
  state: { rule: text },
  forget: { rule: (value) => (Array.isArray(value) ? undefined : 'must be a list') }
}
const alarmKey: Rules = {
  condition: { rule: text, isRequired: true },
  subject: { rule: text, isRequired: true },
  since: { rule: instant, isRequired: true }
}
const callback: Rule = (value) => (typeof value === 'function' ? undefined : 'must be a function')
const backfillSpan: Rules = {
  since: { rule: instant, isRequired: true },
  until: { rule: instant },
  endpoint: { rule: text },
  type: { rule: text },
  dryRun: { rule: flag },
  onProgress: { rule: callback }
}

/** In characters. Longer texts are cut: an id from outside may be of any length. */
const longestName = 200
const longestTarget = 500

const tallyQuery: Rules = {
  since: { rule: instant, isRequired: true },
  until: { rule: instant, isRequired: true },
  step: { rule: among(['minute', 'hour']), isRequired: true },
  kind: { rule: among(tallyKinds) },
  name: { rule: text }
}
const pruneTallyRequest: Rules = {
  deleteBefore: { rule: instant, isRequired: true },
  foldBefore: { rule: instant, isRequired: true },
  limit: { rule: whole(1, 100_000), isRequired: true }
}
const countedRequests: Rules = {
  endpoint: { rule: text, isRequired: true },
  outcome: { rule: text, isRequired: true },
  at: { rule: instant, isRequired: true },
  count: { rule: whole(1, 2 ** 31 - 1), isRequired: true }
}
const actor: Rules = {
  name: { rule: text, isRequired: true },
  via: { rule: among(actorOrigins), isRequired: true },
  peer: { rule: text },
  requestId: { rule: text }
}
const act: Rules = { action: { rule: text, isRequired: true }, target: { rule: text, isRequired: true } }
const actResult: Rules = { count: { rule: count, isRequired: true }, outcome: { rule: text, isRequired: true } }
/** Claims are frequent, so check only the numbers that are passed to the store. */
const claimNumbers: Rules = {
  leaseMs: { rule: whole(1, 2 ** 31 - 1), isRequired: true },
  limit: { rule: whole(0, 2 ** 31 - 1), isRequired: true }
}

/** @throws {RiverhookError} RIVERHOOK_OPTIONS_INVALID, which names the field, like all checks in this file */
export const checkEventFilter = (given: unknown): EventFilter =>
  checkKeys('events()', eventFilter, given) as unknown as EventFilter
export const checkReplayFilter = <Filter>(given: Filter): Filter => checkKeys('replay()', replayFilter, given) as Filter
/** Refuses a later time for what is kept longer: a batch ends the purge at the first event that is not old. */
export function checkPrune(given: unknown): PruneRequest {
  const request = checkKeys('prune()', pruneRequest, given) as unknown as PruneRequest
  for (const name of ['deadBefore', 'quarantinedBefore'] as const)
    if ((request[name] ?? request.before) > request.before)
      throw invalid(`prune(): "${name}" must not be after "before"`)
  return request
}
export const checkTallyQuery = (given: unknown): TallyQuery =>
  checkKeys('tally()', tallyQuery, given) as unknown as TallyQuery
export const checkPruneTally = (given: unknown): PruneTallyRequest =>
  checkKeys('pruneTally()', pruneTallyRequest, given) as unknown as PruneTallyRequest
export const checkCounted = (given: readonly CountedRequests[]): readonly CountedRequests[] =>
  checkList(given, 'countRequests()').map(
    (each) => checkKeys('countRequests()', countedRequests, each) as unknown as CountedRequests
  )
export const checkAlarmHold = (given: unknown): AlarmHold =>
  checkKeys('holdAlarms()', alarmHold, given) as unknown as AlarmHold
export const checkAlarmSave = (given: unknown): AlarmSave =>
  checkKeys('saveAlarms()', alarmSave, given) as unknown as AlarmSave
export const checkBackfillSpan = <Span>(given: Span): Span => checkKeys('backfill()', backfillSpan, given) as Span

export const checkJobsRequest = (given: unknown): JobsRequest =>
  checkKeys('jobs()', jobsRequest, given) as unknown as JobsRequest
export const checkJobClaim = (given: unknown): JobClaim =>
  checkKeys('claimJob()', jobClaim, given) as unknown as JobClaim
export const checkJobLease = (given: unknown): JobLease =>
  checkKeys('lease of a job', jobLease, given) as unknown as JobLease

/** Checks a job that is to be added. */
export function checkNewJob(given: unknown): NewJob {
  const job = checkKeys('addJob()', newJob, given) as unknown as NewJob
  const { includeDone: _separate, ...filter } = checkReplayFilter<ReplayFilter>(job.filter)
  return { ...job, filter, actor: checkActor(job.actor, 'addJob(): "actor"') }
}

/** Checks the options of a new replay job. */
export const checkStart = <Options>(given: Options): Options =>
  checkKeys('startReplay()', startOptions, given) as Options

/** Checks the id of a job. */
export function checkJobId(given: number): number {
  if (size(given) !== undefined) throw invalid('The id of a job must be a whole number')
  return given
}

/** Checks the targets of one replay. */
export function checkTargets(given: readonly ReplayTarget[]): readonly ReplayTarget[] {
  return checkList(given, 'replay()').map((target) => {
    const checked = checkKeys('replay()', replayTarget, target) as unknown as ReplayTarget
    return { ...checked, event: pickKey(checked.event) }
  })
}

export function checkAdmissions(given: readonly Admission[]): readonly Admission[] {
  return checkList(given, 'admit()').map((given) => {
    checkFields('admit()', admission, given)
    const { request, id, type, liveMode, createdTime, about = [], resource, deliveries, body, headers } = given
    return {
      request: pickKey(request),
      id,
      type,
      liveMode,
      createdTime,
      about: toSearchKeys(about),
      resource,
      deliveries,
      body,
      headers
    }
  })
}

/** Checks the search keys of events. */
export function checkIndexEntries(given: readonly IndexEntry[]): readonly IndexEntry[] {
  return checkList(given, 'reindex()').map((entry) => {
    checkFields('reindex()', indexEntry, entry)
    return { event: pickKey(entry.event), about: toSearchKeys(entry.about), resource: entry.resource }
  })
}

/** Checks kinds of mismatches. @returns them without other fields of the objects */
export function checkMismatchKinds(given: readonly MismatchKind[]): readonly MismatchKind[] {
  return checkList(given, 'acknowledge()').map((kind) => {
    checkFields('acknowledge()', mismatchKind, kind)
    const { realm, type, path, rule, handler } = kind
    return { realm, type, path, rule, handler }
  })
}

/** Checks which alarms are acknowledged. @returns them without other fields of the objects */
export function checkAlarmKeys(given: readonly AlarmKey[]): readonly AlarmKey[] {
  return checkList(given, 'acknowledgeAlarms()').map((alarm) => {
    checkFields('acknowledgeAlarms()', alarmKey, alarm)
    const { condition, subject, since } = alarm
    return { condition, subject, since }
  })
}

/** Checks the key of an event. @returns the key without other fields of the object */
export function checkKey(given: EventKey, call: string): EventKey {
  const fault = key(given)
  if (fault !== undefined) throw invalid(`${call} ${fault}`)
  return pickKey(given)
}

/** Checks events that are to be removed or erased. @returns each event once */
export function checkSeenEvents(given: readonly RemovalTarget[], call: string): readonly RemovalTarget[] {
  const targets = checkList(given, call).map((target): RemovalTarget => {
    const entry = `${call}: every entry`
    const checked = checkKey(target, entry)
    const { seen } = target
    if (seen === undefined) return checked
    checkFields(`${entry}: "seen"`, seenEvent, seen)
    for (const delivery of seen.deliveries) checkFields(`${entry}: "seen.deliveries"`, seenDelivery, delivery)
    return { ...checked, seen: pickStates(seen) }
  })
  return [...new Map(targets.map((target) => [JSON.stringify([target.realm, target.id]), target])).values()]
}

/** The states of an event that was listed, without its other fields. */
export function pickStates({ state, deliveries }: EventStates): EventStates {
  return { state, deliveries: deliveries.map(({ handler, state }) => ({ handler, state })) }
}

function pickKey({ realm, id }: EventKey): EventKey {
  return { realm, id }
}

/** Checks an act, and cuts its texts. @param call the call that it is given to */
export function checkAct(given: Act, call: string): Act
export function checkAct(given: Act | undefined, call: string): Act | undefined
export function checkAct(given: Act | undefined, call: string): Act | undefined {
  if (given === undefined) return undefined
  checkFields(`${call}: the act`, act, given)
  return {
    actor: checkActor(given.actor, `${call}: "actor" of the act`),
    action: toEntryText(given.action, longestName),
    target: toEntryText(given.target, longestTarget)
  }
}

/** Cuts a text of an entry. Replaces NUL, which SQLite of Node 22 does not return. */
function toEntryText(text: string, longest: number): string {
  return shorten(text.replaceAll('\0', '\uFFFD'), longest)
}

/** Checks an actor, and cuts its texts. */
function checkActor(given: Actor, what: string): Actor {
  checkFields(what, actor, given)
  const { name, via, peer, requestId } = given
  return {
    name: toEntryText(name, longestName),
    via,
    ...(peer !== undefined && { peer: toEntryText(peer, longestName) }),
    ...(requestId !== undefined && { requestId: toEntryText(requestId, longestName) })
  }
}

export function checkActResult(given: ActResult): ActResult {
  checkFields('audit()', actResult, given)
  return { count: given.count, outcome: toEntryText(given.outcome, longestTarget) }
}

export const checkAuditFilter = (given: unknown): AuditFilter =>
  checkKeys('audits()', auditFilter, given) as unknown as AuditFilter
export const checkFailed = (given: unknown): { readonly limit: number } =>
  checkKeys('failed()', failedRequest, given) as unknown as { readonly limit: number }
export const checkFailuresRequest = <Request>(given: Request): Request =>
  checkKeys('failures()', failuresRequest, given) as Request
export const checkAuditPrune = (given: unknown): AuditPruneRequest =>
  checkKeys('pruneAudits()', auditPruneRequest, given) as unknown as AuditPruneRequest

export function checkText(given: string, what: string): string {
  if (typeof given !== 'string') throw invalid(`The ${what} must be a string`)
  return given
}

export function checkInstant(given: Date, what: string): Date {
  const fault = instant(given)
  if (fault !== undefined) throw invalid(`The ${what} ${fault}`)
  return given
}

/** @param most the maximum number of ids */
export function checkIds(given: readonly string[], call: string, most = Infinity): readonly string[] {
  const ids = [...checkList(given, call)]
  if (ids.some((id) => typeof id !== 'string')) throw invalid(`${call}: every id must be a string`)
  if (ids.length > most) throw invalid(`${call}: at most ${most} ids per call`)
  return ids
}

export function checkClaim(request: ClaimRequest): ClaimRequest {
  for (const [name, { rule }] of Object.entries(claimNumbers)) {
    const fault = rule(request[name as 'leaseMs' | 'limit'])
    if (fault !== undefined) throw invalid(`claim(): "${name}" ${fault}`)
  }
  return request
}
