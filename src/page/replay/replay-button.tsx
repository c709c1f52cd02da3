import { DialogButton } from '../ui/dialog-button.tsx'
import { ReplayPlan, type Selection } from './replay-plan.tsx'

interface ReplayButtonProps {
  readonly hint?: string
  readonly title: string
  readonly selection: Selection
  readonly caution?: string | undefined
  readonly onDone: () => void
}

/** A button that opens the plan of a replay. */
export function ReplayButton({ hint, title, selection, caution, onDone }: ReplayButtonProps) {
  return (
    <DialogButton
      icon="replay"
      label="Replay…"
      hint={hint}
      onDone={onDone}
      dialog={(onClose) => <ReplayPlan title={title} selection={selection} caution={caution} onClose={onClose} />}
    />
  )
}
