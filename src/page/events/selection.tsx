import type { Signal } from '@preact/signals'

import type { EventSummaryJson } from '../../admin/api-types.ts'
import type { Query } from '../link.ts'
import { ReplayButton } from '../replay/replay-button.tsx'
import { counted } from '../text.ts'
import { DialogButton } from '../ui/dialog-button.tsx'
import { Icon } from '../ui/icon.tsx'
import { filterBody } from './filter.ts'
import { Removal } from './removal.tsx'

/** The acts on all events that match the filter. */
export function ActsOnAll({ query, onDone }: { readonly query: Query; readonly onDone: () => void }) {
  const selection = { filter: filterBody(query) }
  return (
    <>
      <DialogButton
        icon="trash"
        label="Remove all that match…"
        hint="Remove all events that match"
        isIcon
        onDone={onDone}
        dialog={(onClose) => <Removal title="Remove all that match" selection={selection} onClose={onClose} />}
      />
      {query['state'] !== 'quarantined' && (
        <ReplayButton
          hint="Replay the deliveries of all events that match"
          title="Replay all that match"
          selection={selection}
          onDone={onDone}
        />
      )}
    </>
  )
}

interface SelectedBarProps {
  readonly chosen: readonly EventSummaryJson[]
  readonly selected: Signal<ReadonlySet<string>>
  readonly onDone: () => void
}

/** The number of the selected rows, and the acts on them. */
export function SelectedBar({ chosen, selected, onDone }: SelectedBarProps) {
  const clear = (): void => {
    selected.value = new Set()
  }
  const finish = (): void => {
    clear()
    onDone()
  }
  const events = counted(chosen.length, 'event')
  const selection = { events: chosen.map(({ realm, id }) => ({ realm, id })) }
  return (
    <div class="selected-bar" role="region" aria-label="Selected events">
      <b role="status">{events} selected</b>
      <ReplayButton title={`Replay ${events}`} selection={selection} onDone={finish} />
      <DialogButton
        icon="trash"
        label="Remove…"
        onDone={finish}
        dialog={(onClose) => <Removal title={`Remove ${events}`} selection={selection} onClose={onClose} />}
      />
      <button type="button" class="button" onClick={clear}>
        <Icon name="close" />
        Clear
      </button>
    </div>
  )
}
