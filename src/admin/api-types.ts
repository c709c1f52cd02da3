/**
 * The JSON of the operator's API: what the page and other programs send and get. The types follow from the schemas by
 * which requests are checked and answers are written. Times are texts in ISO 8601.
 */
import type { Static } from 'typebox'

import type * as schemas from './schemas/index.ts'

type Json<Name extends keyof typeof schemas> = Static<(typeof schemas)[Name]>

export type AlarmJson = Json<'Alarm'>
export type AlarmKeyJson = Json<'AlarmKey'>
export type AlarmListJson = Json<'AlarmList'>
export type AttemptJson = Json<'Attempt'>
export type AuditEntryJson = Json<'AuditEntry'>
export type AuditPageJson = Json<'AuditPage'>
export type AuditQueryJson = Json<'AuditQuery'>
export type BackfillBodyJson = Json<'BackfillBody'>
export type BackfillReportJson = Json<'BackfillReport'>
export type ChangedJson = Json<'Changed'>
export type ChosenEventsJson = Json<'ChosenEvents'>
export type CountQueryJson = Json<'CountQuery'>
export type DeliveryCountsJson = Json<'DeliveryCounts'>
export type DeliveryDetailJson = Json<'DeliveryDetail'>
export type DeliveryJson = Json<'Delivery'>
export type ErasedEventsJson = Json<'ErasedEvents'>
export type ErasureJson = Json<'Erasure'>
export type ErasurePlanJson = Json<'ErasurePlan'>
export type ErrorAnswerJson = Json<'ErrorAnswer'>
export type EventCountJson = Json<'EventCount'>
export type EventDetailJson = Json<'EventDetail'>
export type EventDetailQueryJson = Json<'EventDetailQuery'>
export type EventKeyJson = Json<'EventKey'>
export type EventMismatchJson = Json<'EventMismatch'>
export type EventPageJson = Json<'EventPage'>
export type EventQueryJson = Json<'EventQuery'>
export type EventSummaryJson = Json<'EventSummary'>
export type ExportQueryJson = Json<'ExportQuery'>
export type FailureJson = Json<'Failure'>
export type FailureListJson = Json<'FailureList'>
export type FailureQueryJson = Json<'FailureQuery'>
export type HandlerBodyJson = Json<'HandlerBody'>
export type HandlerJson = Json<'Handler'>
export type HandlerListJson = Json<'HandlerList'>
export type InboxJson = Json<'Inbox'>
export type JobFilterJson = Json<'JobFilter'>
export type LastDayJson = Json<'LastDay'>
export type LoginBodyJson = Json<'LoginBody'>
export type MismatchJson = Json<'Mismatch'>
export type MismatchKindJson = Json<'MismatchKind'>
export type MismatchListJson = Json<'MismatchList'>
export type OneEventQueryJson = Json<'OneEventQuery'>
export type PayloadJson = Json<'Payload'>
export type PreviousEventJson = Json<'PreviousEvent'>
export type ReceiptJson = Json<'Receipt'>
export type RegistrationJson = Json<'Registration'>
export type RegistrationListJson = Json<'RegistrationList'>
export type RegistrationPlanJson = Json<'RegistrationPlan'>
export type RelatedEventsJson = Json<'RelatedEvents'>
export type RelatedQueryJson = Json<'RelatedQuery'>
export type RemovalBodyJson = Json<'RemovalBody'>
export type RemovalJson = Json<'Removal'>
export type RemovalPlanJson = Json<'RemovalPlan'>
export type RemovedEventsJson = Json<'RemovedEvents'>
export type RemovedJson = Json<'Removed'>
export type ReplayBodyJson = Json<'ReplayBody'>
export type ReplayFilterJson = Json<'ReplayFilter'>
export type ReplayJobJson = Json<'ReplayJob'>
export type ReplayListJson = Json<'ReplayList'>
export type ReplayOneBodyJson = Json<'ReplayOneBody'>
export type ReplayParamsJson = Json<'ReplayParams'>
export type ReplayPlanJson = Json<'ReplayPlan'>
export type ReplayQueryJson = Json<'ReplayQuery'>
export type ReplayedJson = Json<'Replayed'>
export type RetriedJson = Json<'Retried'>
export type RetryBodyJson = Json<'RetryBody'>
export type SeriesJson = Json<'Series'>
export type SeriesQueryJson = Json<'SeriesQuery'>
export type SessionJson = Json<'Session'>
export type StatsJson = Json<'Stats'>
export type SyncBodyJson = Json<'SyncBody'>
export type TailQueryJson = Json<'TailQuery'>
export type TallyRowJson = Json<'TallyRow'>
export type WatermarkJson = Json<'Watermark'>
export type WatermarkListJson = Json<'WatermarkList'>
