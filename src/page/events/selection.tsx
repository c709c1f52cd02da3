import type { Signal } from '@preact/signals'

import type { EventSummaryJson, ReplayFilterJson } from '../../admin/api-types.ts'
import { may } from '../api.ts'
import { ReplayButton } from '../replay/replay-button.tsx'
import { counted } from '../text.ts'
import { Icon } from '../ui/icon.tsx'

/** Opens the plan of a replay of all events that match the filter. */
export function ReplayAll({ filter, onDone }: { readonly filter: ReplayFilterJson; readonly onDone: () => void }) {
  return (
    <ReplayButton
      label="Replay…"
      hint="Replay the deliveries of all events that match"
      title="Replay all that match"
      selection={{ filter }}
      onDone={onDone}
    />
  )
}

interface SelectedBarProps {
  readonly chosen: readonly EventSummaryJson[]
  readonly selected: Signal<ReadonlySet<string>>
  readonly onDone: () => void
}

/** How many rows are selected, and what can be done with them. */
export function SelectedBar({ chosen, selected, onDone }: SelectedBarProps) {
  const clear = (): void => {
    selected.value = new Set()
  }
  return (
    <div class="selected-bar" role="region" aria-label="Selected events">
      <b role="status">{counted(chosen.length, 'event')} selected</b>
      {may('operate') && (
        <ReplayButton
          label="Replay…"
          title={`Replay ${counted(chosen.length, 'event')}`}
          selection={{ events: chosen.map(({ realm, id }) => ({ realm, id })) }}
          onDone={() => {
            clear()
            onDone()
          }}
        />
      )}
      <button type="button" class="button" onClick={clear}>
        <Icon name="close" />
        Clear
      </button>
    </div>
  )
}
