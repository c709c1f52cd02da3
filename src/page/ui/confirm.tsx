import type { ComponentChildren } from 'preact'

import { useAct } from '../act.ts'
import { Dialog } from './dialog.tsx'
import { Icon } from './icon.tsx'

interface ConfirmProps {
  readonly title: string
  /** The words of the button: what will happen. */
  readonly label: string
  readonly isDanger?: boolean
  readonly act: () => Promise<unknown>
  readonly onClose: (isDone: boolean) => void
  /** What will happen, in a sentence. */
  readonly children: ComponentChildren
}

/** Asks before something happens, and names it. */
export function Confirm({ title, label, isDanger = false, act, onClose, children }: ConfirmProps) {
  const { isBusy, problem, run } = useAct()
  return (
    <Dialog
      title={title}
      isBusy={isBusy.value}
      problem={problem.value}
      onClose={() => {
        onClose(false)
      }}
      actions={
        <button
          type="button"
          class={`button ${isDanger ? 'danger' : 'primary'}`}
          disabled={isBusy.value}
          onClick={() =>
            void run(async () => {
              await act()
              onClose(true)
            })
          }
        >
          {label}
        </button>
      }
    >
      {children}
    </Dialog>
  )
}

interface TypedCountProps {
  readonly count: number
  /** What cannot be undone, in a sentence. */
  readonly text: string
  readonly onChange: (isTyped: boolean) => void
}

/** Asks to type a number before something that cannot be undone. */
export function TypedCount({ count, text, onChange }: TypedCountProps) {
  return (
    <div class="caution">
      <Icon name="failures" />
      <label class="typed">
        <span>{text}</span>
        <span>
          Type <b>{count}</b> to agree:
        </span>
        <input
          inputMode="numeric"
          autocomplete="off"
          onInput={(event) => {
            onChange(event.currentTarget.value.replace(/\D/gu, '') === String(count))
          }}
        />
      </label>
    </div>
  )
}
