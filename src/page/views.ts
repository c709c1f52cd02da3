import type { FunctionComponent } from 'preact'

import { Events } from './events/events.tsx'
import type { IconName } from './ui/icon.tsx'
import { AuditView } from './views/audit.tsx'
import { BackfillView } from './views/backfill.tsx'
import { FailuresView } from './views/failures.tsx'
import { HandlersView } from './views/handlers.tsx'
import { InboxView } from './views/inbox.tsx'
import { MismatchesView } from './views/mismatches.tsx'
import { QuarantineView } from './views/quarantine.tsx'
import { RegistrationView } from './views/registration.tsx'
import { ReplaysView } from './views/replays.tsx'

export interface View {
  /** Its path below the base. */
  readonly name: string
  readonly title: string
  readonly icon: IconName
  /** The key after `g`. */
  readonly key: string
  readonly component: FunctionComponent
  /** The title of the group that begins with it. */
  readonly group?: string
}

/** The views, in the order of the navigation. */
export const views: readonly View[] = [
  { name: 'events', title: 'Events', icon: 'events', key: 'e', component: Events },
  { name: 'handlers', title: 'Handlers', icon: 'handlers', key: 'h', component: HandlersView },
  { name: 'failures', title: 'Failures', icon: 'failures', key: 'f', component: FailuresView },
  { name: 'replays', title: 'Replays', icon: 'jobs', key: 'p', component: ReplaysView },
  { name: 'quarantine', title: 'Quarantine', icon: 'quarantine', key: 'q', component: QuarantineView },
  { name: 'mismatches', title: 'Mismatches', icon: 'mismatches', key: 'm', component: MismatchesView },
  {
    name: 'registration',
    title: 'Registration',
    icon: 'registration',
    key: 'r',
    component: RegistrationView,
    group: 'Provider'
  },
  { name: 'backfill', title: 'Backfill', icon: 'backfill', key: 'b', component: BackfillView },
  { name: 'inbox', title: 'Inbox', icon: 'inbox', key: 'i', component: InboxView, group: 'Server' },
  { name: 'audit', title: 'Audit', icon: 'audit', key: 'a', component: AuditView }
]
