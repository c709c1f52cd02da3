import { useSignal } from '@preact/signals'

import { Icon } from '../ui/icon.tsx'
import { ReplayPlan, type Selection } from './replay-plan.tsx'

interface ReplayButtonProps {
  readonly label: string
  readonly hint?: string
  readonly title: string
  readonly selection: Selection
  readonly caution?: string | undefined
  readonly onDone: () => void
}

/** A button that opens the plan of a replay. */
export function ReplayButton({ label, hint, title, selection, caution, onDone }: ReplayButtonProps) {
  const isAsking = useSignal(false)
  return (
    <>
      <button
        type="button"
        class="button"
        title={hint}
        onClick={() => {
          isAsking.value = true
        }}
      >
        <Icon name="replay" />
        {label}
      </button>
      {isAsking.value && (
        <ReplayPlan
          title={title}
          selection={selection}
          caution={caution}
          onClose={(isStarted) => {
            isAsking.value = false
            if (isStarted) onDone()
          }}
        />
      )}
    </>
  )
}
