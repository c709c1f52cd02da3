import type { ComponentChildren } from 'preact'

import { useAct } from '../act.ts'
import { visible } from '../text.ts'
import { Dialog } from './dialog.tsx'

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
      onClose={() => {
        onClose(false)
      }}
    >
      {children}
      <ActProblem text={problem.value} />
      <footer>
        <button
          type="button"
          class="button"
          onClick={() => {
            onClose(false)
          }}
        >
          Cancel
        </button>
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
      </footer>
    </Dialog>
  )
}

export function ActProblem({ text }: { readonly text: string | undefined }) {
  return text === undefined ? null : (
    <p class="field-error" role="alert">
      {visible(text)}
    </p>
  )
}
