import type { AdminRoute } from '../route.ts'
import { acknowledgeAlarm, listAlarms, reopenAlarm } from './alarms.ts'
import { listAudits } from './audits.ts'
import { listWatermarks, runBackfill } from './backfills.ts'
import { getBody } from './event-body.ts'
import { planOrErase } from './erasures.ts'
import { showEvent } from './event.ts'
import { countEvents, listEvents } from './events.ts'
import { exportEvents } from './export.ts'
import { listFailures } from './failures.ts'
import { showHandlers } from './handlers.ts'
import { showInbox } from './inbox.ts'
import { acknowledgeMismatch, listMismatches, reopenMismatch } from './mismatches.ts'
import { showOpenapi } from './openapi.ts'
import { pauseHandler, resumeHandler } from './pauses.ts'
import { listRegistrations, syncRegistration } from './registrations.ts'
import { listRelated } from './related.ts'
import { planOrRemove } from './removals.ts'
import { removeEvent, replayEvent, retryQuarantined } from './repair.ts'
import { listReplays, planOrStartReplay, showReplay, stopReplay } from './replays.ts'
import { showSeries } from './series.ts'
import { sessionRoutes } from './session.ts'
import { showStats } from './stats.ts'
import { tailEvents } from './tail.ts'

/** The routes of the operator's API. A test calls each with every scope. */
export const routes: readonly AdminRoute[] = [
  ...sessionRoutes,
  listEvents,
  countEvents,
  tailEvents,
  showEvent,
  getBody,
  replayEvent,
  removeEvent,
  retryQuarantined,
  planOrRemove,
  planOrErase,
  planOrStartReplay,
  listReplays,
  showReplay,
  stopReplay,
  listRelated,
  showHandlers,
  pauseHandler,
  resumeHandler,
  showStats,
  listAlarms,
  acknowledgeAlarm,
  reopenAlarm,
  listFailures,
  showSeries,
  listMismatches,
  acknowledgeMismatch,
  reopenMismatch,
  listRegistrations,
  syncRegistration,
  listWatermarks,
  runBackfill,
  showInbox,
  listAudits,
  exportEvents,
  showOpenapi
]
